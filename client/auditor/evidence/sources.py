"""Where an audit gets its bytes: evidence from whoever keeps it, and the chain's own words.

Evidence is never trusted: it comes from the party that is audited. The chain is read through one's own provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from client.auditor.evidence.registry import Registry
from client.errors import UsageRefused
from client.money import Token
from contracts.state import AccountState
from ledger.eip712 import Domain
from ledger.hexadecimal import to_address, to_hex
from ledger.statements import RoundHeader, Terms
from ledger.verify.bundle import AnchoredRound, JobFiles


class EvidenceSource(Protocol):
    """Hands out files. What it does not have or may not give is absent, never an error; errors are the wire's."""

    def fetch_job(self, job: bytes) -> JobFiles:
        """The job's own files."""

    def count_rounds(self, job: bytes) -> int:
        """How many rounds have a signed header, from round 1 on, as far as it says."""

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        """A round's files by name, with manifest and header."""

    def fetch_file(self, job: bytes, number: int, name: str) -> bytes | None:
        """One file of a round by its name."""

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        """What a node is given as its entry and proof."""

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """A model, payload or validation file, whatever bytes are given under that digest."""


@dataclass(frozen=True, slots=True)
class PostedRound:
    """A round on chain: its header (None where nobody showed it), and what the ledger keeps."""

    header: RoundHeader | None
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
    """What the ledger keeps of a job's terms, and the last posted header's digest (the job's id before the first).

    Rounds from `halted` on are struck and none is posted any more; 0 while the job runs.
    """

    requester: bytes
    coordinator: bytes
    token: bytes
    rounds: int
    budget_per_round: int
    window: int
    last_header: bytes
    halted: int = 0


@dataclass(frozen=True, slots=True)
class Objection:
    """What contradicts already while the chain is read: a check, a sentence, the operands."""

    check: str
    detail: str
    expected: str | None = None
    got: str | None = None


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What the chain says of a job at one block.

    `terms` are those of the event that opened it, `rewards` the ledger's running sums of totalReward by round,
    `claimed` what the ledger keeps for every node that claimed, `claims` None where only these sums are known. `kept`
    is None where the job was never opened. `code_hash` is that of the ledger's code, which is ours unless an objection
    says otherwise. `gap` tells why nothing is known of the chain; then all else is empty. `token` only shows amounts.
    `registry` is what the chain tells of nodes, None where only slots were proven.
    """

    domain: Domain
    block: int
    at: int | None
    terms: Terms | None
    kept: KeptJob | None
    account: AccountState | None
    rounds: tuple[PostedRound, ...]
    rewards: tuple[int, ...]
    claims: tuple[PaidClaim, ...] | None
    claimed: Mapping[bytes, int]
    code_hash: bytes | None = None
    gap: str = ""
    objections: tuple[Objection, ...] = ()
    token: Token | None = None
    proven: str = "read from your own provider"
    registry: Registry | None = None


class ChainSource(Protocol):
    """Reads the chain."""

    def read_job(self, job: bytes) -> ChainFacts:
        """Everything about a job, as of one block."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What an audit reads from, and which code and coordinator its auditor pinned (None: none)."""

    evidence: EvidenceSource
    chain: ChainSource
    code_hash: bytes | None = None
    coordinator: bytes | None = None


class NoSuchJob(UsageRefused):
    """The ledger has never opened this job."""

    def __init__(self, job: bytes, facts: ChainFacts) -> None:
        self.job = job
        ledger = to_address(facts.domain.verifying_contract or bytes(20))
        super().__init__(
            f"expected a job of the ledger {ledger} on chain {facts.domain.chain_id}, got {to_hex(job)}, which it had "
            f"not opened up to block {facts.block}: check the id, the chain and the ledger's address"
        )
