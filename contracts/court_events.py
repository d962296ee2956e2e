"""What the court reports: frozen twins of the events in `IChallengeCourt.sol`. Bonds in wei, times in unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.events import Event
from ledger.entry import Body, Entry
from ledger.faults.case import ShownEntry
from ledger.faults.faults import ProvenEntry
from ledger.statements import Contribution, Receipt, Signed


@dataclass(frozen=True)
class ChallengeCommitted(Event):
    """Somebody committed to a fault that they will show."""

    commitment: bytes
    sender: bytes


@dataclass(frozen=True)
class ChallengeUpheld(Event):
    """A fault was shown; `fault` is its kind, `waits_until` 0 where no bounty waits."""

    job: bytes
    round: int
    fault: int
    fault_id: bytes
    challenger: bytes
    waits_until: int


@dataclass(frozen=True)
class CommitmentOpened(Event):
    """Somebody showed that they had committed to a fault before it was shown."""

    job: bytes
    fault_id: bytes
    challenger: bytes
    committed_at: int


@dataclass(frozen=True)
class EntryDemanded(Event):
    """An entry must be shown until `answer_by`; a challenge strikes the round until `window_end`."""

    job: bytes
    round: int
    seq: int
    demander: bytes
    bond: int
    answer_by: int
    window_end: int


@dataclass(frozen=True)
class DemandAnswered(Event):
    """An entry was shown in full; `exhibit` and `previous` in Solidity's order."""

    job: bytes
    round: int
    seq: int
    answerer: bytes
    exhibit: tuple[Any, ...]
    previous: tuple[Any, ...]

    @property
    def shown(self) -> ShownEntry:
        """The exhibit by name; the court has checked that all of it belongs together."""
        _, entry, proof, contribution, node_signature, receipt, receipt_signature = self.exhibit
        return ShownEntry(
            ProvenEntry(self.round, read_entry(entry), tuple(proof)),
            Contribution(*contribution),
            node_signature,
            Signed(Receipt(*receipt), receipt_signature),
        )

    @property
    def shown_previous(self) -> ProvenEntry | None:
        """The node's entry before, where the shown one names one."""
        number = self.shown.entry.entry.body.previous_round
        entry, proof = self.previous
        return ProvenEntry(number, read_entry(entry), tuple(proof)) if number else None


@dataclass(frozen=True)
class PaddingShown(Event):
    """A leaf was shown to be padding."""

    job: bytes
    round: int
    seq: int
    answerer: bytes


@dataclass(frozen=True)
class NodeEquivocated(Event):
    """A node signed two contributions for one round; `burned` base units of the stake token are gone."""

    job: bytes
    round: int
    node: bytes
    burned: int


@dataclass(frozen=True)
class CoinCredited(Event):
    """Native coin was credited to an account."""

    account: bytes
    amount: int


@dataclass(frozen=True)
class CoinWithdrawn(Event):
    """An account took its native coin."""

    account: bytes
    to: bytes
    amount: int


def read_entry(words: tuple[Any, ...]) -> Entry:
    """An entry from its words in Solidity's order."""
    seq, node, earned, body = words
    return Entry(seq, node, earned, Body(*body))
