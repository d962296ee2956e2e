"""Wrong carries: what a node stands on is not what its entry before left it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.entry import Entry
from ledger.faults.case import Case, KnownRound
from ledger.faults.faults import CarryUnfounded, CarryWrong, EntrySkipped, ProvenEntry


def find_unfounded(known: KnownRound) -> Iterator[CarryUnfounded]:
    """Entries that cannot be, whatever the node's entry before says."""
    for proven in known.entries:
        body = proven.entry.body
        impossible = body.credit > body.peak or body.gain > body.peak or body.reward > proven.entry.earned
        rootless = body.previous_round == 0 and not _follows(proven.entry, None)
        if impossible or rootless or body.previous_round >= known.number:
            yield CarryUnfounded(known.number, proven)


def find_carries_wrong(case: Case, known: KnownRound) -> Iterator[CarryWrong]:
    """Entries that do not add up with the node's entry in `previousRound`, where that entry is known."""
    for proven in known.entries:
        previous = find_previous(case, proven)
        if previous is not None and not _follows(proven.entry, previous.entry):
            yield CarryWrong(known.number, proven, previous)


def find_skipped(case: Case, known: KnownRound) -> Iterator[EntrySkipped]:
    """Entries of nodes that have one in a round after `previousRound` and before this one."""
    for proven in known.entries:
        for number in _list_between(case, proven):
            other = case.rounds.get(number)
            skipped = other.by_node.get(proven.entry.node) if other else None
            if skipped is not None:
                yield EntrySkipped(known.number, proven, skipped)
                break


def find_previous(case: Case, proven: ProvenEntry) -> ProvenEntry | None:
    """The node's entry in `previousRound`, None where there is none or it is not known."""
    number = proven.entry.body.previous_round
    known = case.rounds.get(number) if 0 < number < proven.round else None
    return known.by_node.get(proven.entry.node) if known else None


def _list_between(case: Case, proven: ProvenEntry) -> list[int]:
    """Rounds between an entry and the one it stands on in which its node may have another, the newest first."""
    first, last = proven.entry.body.previous_round + 1, proven.round - 1
    rounds = case.rounds if case.entered is None else case.entered.get(proven.entry.node, ())
    return sorted((number for number in rounds if first <= number <= last), reverse=True)


def _follows(entry: Entry, previous: Entry | None) -> bool:
    """Whether credit, peak, gain and earned follow from the entry before; without one, from zero."""
    body = entry.body
    credit, peak, earned = (previous.body.credit, previous.body.peak, previous.earned) if previous else (0, 0, 0)
    expected = (credit + body.score, max(peak, body.credit), body.peak - peak, earned + body.reward)
    return expected == entry.carry()
