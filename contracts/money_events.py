"""What the ledger reports about money: frozen twins of the events in `IJobLedger.sol`. Amounts in token base units."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events import Event


@dataclass(frozen=True)
class BondDeposited(Event):
    """An account added to its free funds."""

    token: bytes
    account: bytes
    amount: int


@dataclass(frozen=True)
class FundsWithdrawn(Event):
    """An account took from its free funds."""

    token: bytes
    account: bytes
    to: bytes
    amount: int


@dataclass(frozen=True)
class Claimed(Event):
    """A node drew `amount`; `earned` is what it has now drawn in the job."""

    job: bytes
    node: bytes
    payout: bytes
    round: int
    amount: int
    earned: int


@dataclass(frozen=True)
class ClaimFailed(Event):
    """An item of claimMany changed nothing; `reason` is the revert data with which `claim` would have refused it."""

    job: bytes
    node: bytes
    round: int
    seq: int
    reason: bytes


@dataclass(frozen=True)
class BondCut(Event):
    """A bond was cut for a proven fault; `challenger` is zero while the bounty waits."""

    job: bytes
    challenger: bytes
    bounty: int
    burned: int


@dataclass(frozen=True)
class BountySettled(Event):
    """A waiting bounty was credited, or burned where `challenger` is zero."""

    job: bytes
    challenger: bytes
    amount: int


@dataclass(frozen=True)
class BondReleased(Event):
    """A closed job's bond went to the coordinator's free funds."""

    job: bytes
    coordinator: bytes
    amount: int
