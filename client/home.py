"""Where everything of these programs lies: one folder, with plain names, and writes that a crash cannot tear."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder TALLY_HOME and what it holds."""

    path: Path

    @property
    def node_wallet(self) -> Path:
        """Keystore of this machine's hot key."""
        return self.path / "wallets" / "node.json"

    @property
    def operator_wallet(self) -> Path:
        """Keystore of the operator's key, where it was generated here."""
        return self.path / "wallets" / "operator.json"

    @property
    def fleet_seed(self) -> Path:
        """Encrypted seed from which a fleet's keys follow."""
        return self.path / "wallets" / "fleet.json"

    @property
    def requester_wallet(self) -> Path:
        """Keystore of a requester."""
        return self.path / "wallets" / "requester.json"

    @property
    def journal(self) -> Path:
        """Database of everything the nodes of this folder signed and were promised."""
        return self.path / "journal.sqlite"

    @property
    def pins(self) -> Path:
        """Chain, contracts and token of each coordinator, as first seen."""
        return self.path / "pins.json"

    @property
    def tokens(self) -> Path:
        """Decimals of tokens, by chain and address."""
        return self.path / "tokens.json"

    @property
    def samples(self) -> Path:
        """Histories, a file per node: they never leave this folder."""
        return self.path / "samples"

    @property
    def models(self) -> Path:
        """Downloaded models by digest."""
        return self.path / "models"

    @property
    def jobs(self) -> Path:
        """What a requester agreed on, a file per job."""
        return self.path / "jobs"


def save_durably(path: Path, content: bytes, *, private: bool = False, replace: bool = True) -> None:
    """Writes a file so that after a crash either the old or the whole new content is there.

    Args:
        path: where the file belongs; folders are made.
        content: its bytes.
        private: readable by its owner alone, where the system knows owners.
        replace: whether an existing file is replaced.

    Raises:
        FileExistsError: the file exists and `replace` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not replace and path.exists():
        raise FileExistsError(17, "this file exists already", str(path))
    # A name of this process's own: two processes never write into one half-finished file.
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
