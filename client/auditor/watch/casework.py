"""What is known of a job's rounds, read from the archive when it is needed, and the faults that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from client.auditor.watch.archive import Archive
from client.auditor.watch.place import Place
from contracts.court_events import DemandAnswered
from ledger.eip712 import Domain
from ledger.faults.case import Case, KnownRound, Promises
from ledger.faults.faults import DemandUnanswered, Fault
from ledger.faults.finding import find_round_faults, find_signed_faults
from ledger.faults.gaps import find_gaps
from ledger.faults.gathering import add_entry, add_shown, gather, keep_promises
from ledger.faults.promises import find_missing
from ledger.statements import Terms

LIVE_ROUNDS = 64
"""Rounds that are held in memory; an older one is read again when a node stands on it."""


class Casework(Mapping[int, KnownRound]):
    """The known rounds of one job by number, and what they prove.

    Args:
        domain: of the chain and ledger that the auditor trusts.
        terms: as the chain has them.
        place: which rounds are posted.
        archive: their evidence.
        held: what nodes and others kept.
    """

    def __init__(self, domain: Domain, terms: Terms, place: Place, archive: Archive, held: Promises) -> None:
        self._domain, self._terms, self._place, self._archive = domain, terms, place, archive
        self._held = keep_promises(domain, terms, held)
        self._known: dict[int, KnownRound] = {}
        self._answers: list[DemandAnswered] = []
        self._faults: dict[int, list[Fault]] = {}

    def __getitem__(self, number: int) -> KnownRound:
        if number not in self._known:
            self._known[number] = self._gather(number)
            while len(self._known) > LIVE_ROUNDS:
                del self._known[next(iter(self._known))]
        return self._known[number]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._place.rounds))

    def __len__(self) -> int:
        return len(self._place.rounds)

    def add_answers(self, answers: Iterable[DemandAnswered]) -> set[int]:
        """Takes in what the court was shown; returns the rounds of which more is known now."""
        new = [answer for answer in answers if answer not in self._answers]
        self._answers += new
        rounds = {answer.round for answer in new}
        rounds |= {answer.shown_previous.round for answer in new if answer.shown_previous is not None}
        for number in rounds:
            self.forget(number)
        return rounds

    def forget(self, number: int) -> None:
        """More is known of a round, or it is gone: it is read again."""
        self._known.pop(number, None)
        self._faults.pop(number, None)

    def list_held(self) -> set[int]:
        """Posted rounds about which somebody kept promises."""
        held = self._held
        numbers = [one.statement.round for one in held.receipts] + [one.statement.round for one in held.closings]
        return {*numbers, *(one.statement.round for one in held.headers)} & set(self._place.rounds)

    def search(self, number: int, case: Case) -> list[Fault]:
        """The faults of a posted round, searched for once until more is known of it."""
        if number not in self._faults:
            self._faults[number] = list(find_round_faults(case, self[number]))
        return self._faults[number]

    def list_found(self) -> list[Fault]:
        """Every fault found in posted rounds, the earliest round first."""
        return [fault for number in sorted(self._faults) for fault in self._faults[number]]

    def list_gaps(self, number: int, case: Case) -> list[int]:
        """The seqs of a round of which something is missing."""
        return list(find_gaps(case, self[number]))

    def build(self, now: int, halted: int) -> Case:
        """The case as of one block."""
        pending = Promises(
            tuple(one for one in self._held.receipts if one.statement.round not in self._place.rounds),
            tuple(one for one in self._held.closings if one.statement.round not in self._place.rounds),
            tuple(one for one in self._held.headers if one.statement.round not in self._place.rounds),
        )
        return Case(self._domain, self._terms, self, pending, now, halted)

    def _gather(self, number: int) -> KnownRound:
        header = self._place.rounds[number].header
        files, replies = self._archive.load_round(number), self._archive.load_replies(number)
        known = gather(self._domain, self._terms, header, files, replies, self._held)
        for answer in self._answers:
            previous = answer.shown_previous
            if answer.round == number:
                known = add_shown(known, answer.shown)
            if previous is not None and previous.round == number:
                known = add_entry(known, previous)
        return known


def find_pending(case: Case) -> list[Fault]:
    """Faults of rounds that are not posted."""
    return [*find_signed_faults(case.pending), *find_missing(case)]


def find_unanswered(place: Place, now: int) -> list[Fault]:
    """Demands whose time is over without an answer."""
    return [
        DemandUnanswered(demand.round, demand.seq)
        for demand in place.demands
        if not demand.answered_in and demand.answer_by < now
    ]
