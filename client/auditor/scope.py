"""What an audit is asked for, and who is told how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from client.auditor.sources import ChainFacts
from client.errors import UsageRefused
from ledger.hexadecimal import to_address, to_hex


@dataclass(frozen=True, slots=True)
class Scope:
    """What is audited: rounds `first` to `last` (None: the last one there is), with or without recomputation.

    `chain` says whether what only the chain answers is required.
    """

    first: int = 1
    last: int | None = None
    recompute: bool = True
    threads: int = 1
    chain: bool = True


class Watcher(Protocol):
    """Is told how far an audit is."""

    def begin(self, rounds: int) -> None:
        """The chain was read; so many rounds follow."""

    def step(self, number: int, doing: str) -> None:
        """Work on a round goes on."""

    def finish(self, number: int) -> None:
        """A round is done."""


class Silence:
    """Tells nobody."""

    def begin(self, rounds: int) -> None:
        """Says nothing."""

    def step(self, number: int, doing: str) -> None:
        """Says nothing."""

    def finish(self, number: int) -> None:
        """Says nothing."""


class NoSuchJob(UsageRefused):
    """The ledger has never opened this job."""

    def __init__(self, job: bytes, facts: ChainFacts) -> None:
        self.job = job
        ledger = to_address(facts.domain.verifying_contract or bytes(20))
        super().__init__(
            f"expected a job of the ledger {ledger} on chain {facts.domain.chain_id}, got {to_hex(job)}, which it had "
            f"not opened up to block {facts.block}: check the id, the chain and the ledger's address"
        )


class NoSuchRound(UsageRefused):
    """Rounds were asked for that are neither on chain nor signed."""

    def __init__(self, first: int, last: int, most: int) -> None:
        self.first, self.last, self.most = first, last, most
        super().__init__(f"expected rounds from 1 to {most}, which are on chain or signed, got {first} to {last}")
