"""Where an audit gets its bytes: evidence from whoever keeps it, and the chain's own words.

Evidence is never trusted: it comes from the party that is audited. The chain is read through one's own provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from contracts.state import AccountState
from ledger.eip712 import Domain
from ledger.statements import RoundHeader, Terms
from ledger.verify.bundle import AnchoredRound, JobFiles


class EvidenceSource(Protocol):
    """Hands out files. What it does not have or may not give is absent, never an error; errors are the wire's."""

    def fetch_job(self, job: bytes) -> JobFiles:
        """The job's own files."""

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        """A round's files by name, with manifest and header."""

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        """What a node is given as its entry and proof."""

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """A model, payload or validation file, whatever bytes are given under that digest."""


@dataclass(frozen=True, slots=True)
class PostedRound:
    """A round on chain: the header as its event reports it, and what the ledger keeps."""

    header: RoundHeader
    anchored: AnchoredRound
    block: int
    transaction: bytes


@dataclass(frozen=True, slots=True)
class PaidClaim:
    """A claim that the chain reports: `amount` base units at `at` (unix seconds), `earned` in all after it."""

    node: bytes
    round: int
    amount: int
    earned: int
    at: int
    block: int


@dataclass(frozen=True, slots=True)
class KeptJob:
    """What the ledger keeps of a job's terms, and the last posted header's digest (the job's id before the first)."""

    requester: bytes
    coordinator: bytes
    token: bytes
    rounds: int
    budget_per_round: int
    window: int
    last_header: bytes


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What the chain says of a job at one block.

    `terms` are those of the event that opened it, `rewards` the ledger's running sums of totalReward by round,
    `claimed` what the ledger keeps for every node that claimed. `kept` is None where the job was never opened.
    """

    domain: Domain
    block: int
    at: int
    terms: Terms | None
    kept: KeptJob | None
    account: AccountState | None
    rounds: tuple[PostedRound, ...]
    rewards: tuple[int, ...]
    claims: tuple[PaidClaim, ...]
    claimed: Mapping[bytes, int]


class ChainSource(Protocol):
    """Reads the chain."""

    def read_job(self, job: bytes) -> ChainFacts:
        """Everything about a job, as of one block."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What an audit reads from."""

    evidence: EvidenceSource
    chain: ChainSource
