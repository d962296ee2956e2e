"""Verifies watched rounds in order, each once its evidence is whole; what is missing is asked for again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from client.auditor.evidence.registry import Registry
from client.auditor.evidence.sources import EvidenceSource
from client.auditor.population import audit_population
from client.auditor.watch.archive import Archive
from client.auditor.watch.edge_looks import INTERNAL_LEARNING
from client.auditor.watch.place import WatchedRound
from client.errors import CoordinatorRefused, TransportError
from ledger import evidence
from ledger.errors import Malformed
from ledger.evidence import Manifest
from ledger.hexadecimal import parse_address, to_address
from ledger.verify.bundle import AnchoredRound, AuditedJob, History, RoundEvidence, RoundFiles
from ledger.verify.chain import compute_anchor
from ledger.verify.reading import read_round
from ledger.verify.results import Findings, Result
from ledger.verify.rounds import extend_history, verify_round
from ledger.verify.signers import Spread

if TYPE_CHECKING:
    from client.auditor.learning.recompute import Recomputation


@dataclass(frozen=True)
class Verified:
    """What the ledger's checks say of a round, and whether all was given that its manifest lists.

    What tells of a private validation set does not count: it comes when the job has ended, after all windows.
    """

    results: list[Result]
    complete: bool


def fetch_round(source: EvidenceSource, archive: Archive, job: bytes, number: int) -> None:
    """Asks for a round's evidence, and for some entries as their nodes are handed them; keeps what is given.

    Raises:
        TransportError, CoordinatorRefused: no answer, or an error where files should be.
    """
    files = source.fetch_round(job, number)
    replies = {}
    for node in _choose(list_nodes(files.get(evidence.ENTRIES, b""))):
        reply = source.fetch_entry(job, number, node)
        if reply is not None:
            replies[f"{to_address(node)}.json"] = reply
    archive.save_round(number, files, replies)


class RoundVerifier:
    """Verifies one job's rounds.

    Args:
        job: its terms and spec.
        archive: their evidence.
        recomputation: of the learning, None where it was not asked for.
        spread: applies a function to many values, like `map`.
        read_registry: what the chain tells of nodes, up to its newest block.
    """

    def __init__(
        self,
        job: AuditedJob,
        archive: Archive,
        recomputation: Recomputation | None,
        spread: Spread = map,
        read_registry: Callable[[], Registry] | None = None,
    ) -> None:
        self._job, self._archive, self._read_registry = job, archive, read_registry
        self._recomputation, self._spread = recomputation, spread
        self._histories = {0: History.start(job)}
        self._recomputed = 0

    def verify(self, known: WatchedRound, as_of: int) -> Verified:
        """The ledger's checks over what is kept of a round; the round before must have been verified."""
        number = known.number
        files = self._archive.load_round(number)
        bundle = RoundFiles(number, files, self._anchor(known), self._archive.load_replies(number))
        before = self._histories[number - 1]
        verified = verify_round(replace(self._job, as_of=as_of), before, bundle, self._spread)
        self._histories[number] = verified.history
        registry = self._read_registry() if self._read_registry is not None and verified.evidence.draw else None
        drawn = audit_population(self._job, before, verified.evidence, registry, known.block)
        private = evidence.PRIVATE if self._job.spec.validation_holders is not None else frozenset()
        return Verified(verified.results + drawn, not _list_missing(files) - private)

    def restore(self, number: int) -> None:
        """Goes past a round that was verified before this program began."""
        read, files = self._read(number)
        self._histories[number] = extend_history(self._job, self._histories[number - 1], read)
        if self._recomputation is not None and number == self._recomputed + 1:
            self._recomputation.skip(read, files)
            self._recomputed = number

    def pass_by(self, number: int) -> None:
        """Goes past a round that could not be verified, as if nothing of it had been given; one that was stays so."""
        if number not in self._histories:
            nothing = read_round(RoundFiles(number, {}), Findings(number))
            self._histories[number] = extend_history(self._job, self._histories[number - 1], nothing)

    def recompute(self, number: int) -> list[Result]:
        """The learning of a round; nothing where it was not asked for. Rounds before that were not are gone past.

        Raises:
            TransportError, CoordinatorRefused: payloads or models could not be asked for; ask again.
        """
        if self._recomputation is None or number <= self._recomputed:
            return []
        try:
            for between in range(self._recomputed + 1, number):
                self._recomputation.skip(*self._read(between))
                self._recomputed = between
            results = self._recomputation.recompute(*self._read(number))
        except (TransportError, CoordinatorRefused):
            raise
        except Exception:
            self._recomputation.give_up(number, INTERNAL_LEARNING)
            self._recomputed = number
            raise
        self._recomputed = number
        return results

    def _read(self, number: int) -> tuple[RoundEvidence, Mapping[str, bytes]]:
        files = self._archive.load_round(number)
        return read_round(RoundFiles(number, files), Findings(number)), files

    def _anchor(self, known: WatchedRound) -> AnchoredRound:
        head = known.header
        word = compute_anchor(head.digest(self._job.domain), head.entries_root, head.count, known.final_at)
        return AnchoredRound(word, known.final_at, known.window_end, known.posted_at)


def _list_missing(files: Mapping[str, bytes]) -> set[str]:
    try:
        listed = set(Manifest.from_bytes(files.get(evidence.MANIFEST, b"")).files)
    except Malformed:
        listed = set()
    return {evidence.HEADER, evidence.MANIFEST, *evidence.ALWAYS, *listed} - set(files)


def list_nodes(content: bytes) -> list[bytes]:
    """The nodes that entries.json names, as far as it can be read: only to know whom to ask for."""
    try:
        return [parse_address(item["node"]) for item in json.loads(content)]
    except (ValueError, KeyError, TypeError, Malformed, RecursionError):
        return []


def _choose(nodes: list[bytes]) -> list[bytes]:
    """The first, the middle and the last."""
    return [nodes[at] for at in sorted({0, len(nodes) // 2, len(nodes) - 1})] if nodes else []
