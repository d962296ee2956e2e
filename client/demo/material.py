"""What the demo's programs are given: data split over the nodes, example files, the initial model, tokens, secrets."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from client.demo.platform.catalogue import Catalogue
from client.demo.platform.tokens import issue_token
from client.demo.viewers import Split, deal_viewers, split_viewers
from learning.tasks import get_task
from learning.tensors import write_model
from ledger.hexadecimal import to_address
from ledger.signatures import Signer

VALIDATION_VIEWERS = 120
HOLDOUT_VIEWERS = 120


@dataclass(frozen=True, slots=True)
class Material:
    """Files of one run below one folder.

    Attributes:
        data: folder of the platform's own files.
        viewers: the viewers of each node, in the order of the nodes.
        samples: how many samples each of them holds.
    """

    folder: Path
    data: Path
    catalogue: Catalogue
    split: Split
    viewers: Sequence[Sequence[str]]
    samples: Sequence[int]

    @classmethod
    def prepare(cls, folder: Path, data: Path, nodes: int, seed: int) -> Material:
        """Splits the viewers and writes every file.

        Raises:
            MalformedCatalogue: the data files are not what the platform reads.
            TooFewSamples: too many nodes for the data.
        """
        catalogue = Catalogue.load(data)
        split = split_viewers(list(catalogue.events), seed, VALIDATION_VIEWERS, HOLDOUT_VIEWERS)
        counts = {viewer: len(catalogue.events[viewer]) for viewer in split.training}
        piles = deal_viewers(counts, nodes)
        material = cls(
            folder, data, catalogue, split, piles, [sum(counts[viewer] for viewer in pile) for pile in piles]
        )
        folder.mkdir(parents=True, exist_ok=True)
        material._write_examples()
        material._write_secrets()
        return material

    @property
    def validation(self) -> Path:
        """Examples that decide pay."""
        return self.folder / "validation.safetensors"

    @property
    def holdout(self) -> Path:
        """Examples that are only reported on."""
        return self.folder / "holdout.safetensors"

    @property
    def initial_model(self) -> Path:
        """The model of round 1."""
        return self.folder / "initial.safetensors"

    @property
    def passphrase(self) -> Path:
        """Of every wallet of this run."""
        return self.folder / "passphrase"

    @property
    def platform_secret(self) -> Path:
        """Signs the platform's tokens."""
        return self.folder / "platform-secret"

    @property
    def platform_key(self) -> Path:
        """Signs the platform's vouchers."""
        return self.folder / "platform-key"

    @property
    def platform_address(self) -> str:
        """Who signs them, as job specs name it."""
        return to_address(Signer(bytes.fromhex(self.platform_key.read_text(encoding="utf-8"))).address)

    def token_file(self, number: int) -> Path:
        """A single node's access token."""
        return self.folder / f"token-{number:03d}"

    @property
    def fleet_tokens(self) -> Path:
        """The access tokens of the fleet's nodes, a JSON list."""
        return self.folder / "fleet-tokens.json"

    def write_tokens(self, single: int) -> None:
        """Tokens that name each node's viewers: a file each for the first `single` nodes, one list for the rest."""
        secret = self.platform_secret.read_bytes()
        tokens = [issue_token(secret, viewers) for viewers in self.viewers]
        for number, token in enumerate(tokens[:single]):
            self.token_file(number).write_text(token, encoding="utf-8")
        self.fleet_tokens.write_text(json.dumps(tokens[single:]), encoding="utf-8")

    def history(self, viewer: str) -> list[int]:
        """A viewer's items, oldest first."""
        return [event.item for event in self.catalogue.events[viewer]]

    def _write_examples(self) -> None:
        task = get_task("recommender", {"items": len(self.catalogue.titles)})
        for path, viewers in ((self.validation, self.split.validation), (self.holdout, self.split.holdout)):
            examples = task.read_records([self.history(viewer) for viewer in viewers])
            path.write_bytes(task.write_examples(examples))
        self.initial_model.write_bytes(write_model(task.layout, task.initial_model(seed=0)))

    def _write_secrets(self) -> None:
        for path in (self.passphrase, self.platform_secret, self.platform_key):
            path.write_text(secrets.token_hex(32), encoding="utf-8")
            path.chmod(0o600)
