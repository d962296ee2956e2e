"""What the ledger reports about a job's life: frozen twins of the events in `IJobLedger.sol`."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events import Event
from contracts.state import Anchor
from ledger.statements import RoundHeader, Terms


@dataclass(frozen=True)
class JobOpened(Event):
    """A requester escrowed a job's budget and the coordinator's bond was locked."""

    job: bytes
    requester: bytes
    coordinator: bytes
    terms: Terms


@dataclass(frozen=True)
class RoundPosted(Event):
    """A header was anchored; `final_at` is 2**64 - 1 in a job with witnesses."""

    job: bytes
    round: int
    header_digest: bytes
    header: RoundHeader
    final_at: int
    window_end: int

    @property
    def anchor(self) -> Anchor:
        """The four words that claims, views and challenges are handed."""
        return Anchor(self.header_digest, self.header.entries_root, self.header.count, self.final_at)


@dataclass(frozen=True)
class RoundAttested(Event):
    """The witness quorum made a round final; the anchor's `final_at` is now this one."""

    job: bytes
    round: int
    header_digest: bytes
    final_at: int


@dataclass(frozen=True)
class RoundRejected(Event):
    """A round and all after it were struck; `burned` base units of escrow are gone."""

    job: bytes
    round: int
    burned: int


@dataclass(frozen=True)
class RoundLapsed(Event):
    """A round was not attested within its window: it and all after it are struck."""

    job: bytes
    round: int


@dataclass(frozen=True)
class CloseRequested(Event):
    """The job ends at `closes_at`."""

    job: bytes
    by: bytes
    closes_at: int


@dataclass(frozen=True)
class JobClosed(Event):
    """What was left, `refunded` base units, was credited to the requester's free funds."""

    job: bytes
    requester: bytes
    refunded: int
