"""Reads a job's events from the chain into its place, from where it stood, and backs up when the chain reorganises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.auditor.watch.place import REMEMBERED_BLOCKS, Bounty, Demanded, Place, WatchedRound
from contracts.abi import MalformedAnswer
from contracts.court_events import ChallengeUpheld, DemandAnswered, EntryDemanded, PaddingShown
from contracts.events import Event
from contracts.gateway import Gateway
from contracts.job_events import JobOpened, RoundAttested, RoundLapsed, RoundPosted, RoundRejected
from contracts.state import Block, JobState
from ledger.hexadecimal import to_hex

KINDS = (
    JobOpened,
    RoundPosted,
    RoundAttested,
    RoundRejected,
    RoundLapsed,
    EntryDemanded,
    DemandAnswered,
    PaddingShown,
    ChallengeUpheld,
)


@dataclass(frozen=True)
class Sight:
    """What one look at the chain showed; `state` is None where the job was never opened.

    `dropped` are rounds that a reorganisation took away, `answers` what the court was shown since the last look.
    """

    head: Block
    state: JobState | None
    dropped: tuple[int, ...]
    answers: tuple[DemandAnswered, ...]


class Follower:
    """Follows one job through the auditor's own provider."""

    def __init__(self, gateway: Gateway, place: Place) -> None:
        self._gateway, self._place = gateway, place
        self._times: dict[int, int] = {}

    def look(self) -> Sight:
        """Reads up to the newest block. Nothing changes unless all of it was read from one chain.

        Raises:
            ChainUnreachable: no answer.
            ChainMoved: the chain reorganised meanwhile; the next look backs up.
            MalformedAnswer: events and state contradict each other: the provider hides some, or lags.
        """
        gateway, place = self._gateway, self._place
        head = gateway.fetch_head()
        common = self._find_common()
        events: Sequence[Event] = ()
        if common < head.number:
            events = gateway.fetch_events(common + 1, head.number, KINDS, place.job)
        posted_at = {event.place.block: self._find_time(event.place.block) for event in events if _is_posted(event)}
        state = gateway.fetch_job(place.job, head)
        gateway.verify_block(head.number, head.hash)
        self._verify_count(state, common, events)
        gone = self._back_up(common)
        for event in events:
            _apply(place, event, posted_at)
        dropped = tuple(number for number, known in gone.items() if not _is_back(place, known))
        _remember(place, head)
        answers = tuple(event for event in events if isinstance(event, DemandAnswered))
        return Sight(head, state, dropped, answers)

    def fetch_answers(self) -> list[DemandAnswered]:
        """Everything that the court was shown of this job, read again: what a restart needs."""
        found: list[DemandAnswered] = []
        for block in sorted({demand.answered_in for demand in self._place.demands if demand.answered_in}):
            events = self._gateway.fetch_events(block, block, (DemandAnswered,), self._place.job)
            found += [event for event in events if isinstance(event, DemandAnswered)]
        return found

    def _verify_count(self, state: JobState | None, common: int, events: Sequence[Event]) -> None:
        """The ledger counts its rounds: a provider, or a first block that is too late, can hide none unseen."""
        kept = {number for number, known in self._place.rounds.items() if known.block <= common}
        numbers = kept | {event.round for event in events if isinstance(event, RoundPosted)}
        posted = state.posted if state else 0
        if numbers != set(range(1, posted + 1)):
            what = f"events of posted rounds of job {to_hex(self._place.job)}"
            raise MalformedAnswer(what, f"one for each of {posted}", f"rounds {sorted(numbers)}")

    def _find_common(self) -> int:
        """The newest block read before that is still on the chain."""
        for number, block_hash in reversed(self._place.blocks):
            block = self._gateway.fetch_block(number)
            if block is not None and block.hash == block_hash:
                return number
        return self._gateway.deployment.block - 1

    def _back_up(self, common: int) -> dict[int, WatchedRound]:
        """Takes back what lies above the common block; returns the rounds that are gone."""
        place = self._place
        gone = {number: known for number, known in place.rounds.items() if known.block > common}
        for number in gone:
            del place.rounds[number]
        place.blocks = [(number, block_hash) for number, block_hash in place.blocks if number <= common]
        place.demands = [demand for demand in place.demands if demand.block <= common]
        place.bounties = [bounty for bounty in place.bounties if bounty.block <= common]
        for demand in place.demands:
            demand.answered_in = demand.answered_in if demand.answered_in <= common else 0
        if place.struck is not None and place.struck[1] > common:
            place.struck = None
        return gone

    def _find_time(self, number: int) -> int:
        if number not in self._times:
            block = self._gateway.fetch_block(number)
            self._times[number] = block.timestamp if block else 0
        return self._times[number]


def _is_posted(event: Event) -> bool:
    return isinstance(event, RoundPosted)


def _apply(place: Place, event: Event, posted_at: dict[int, int]) -> None:
    block = event.place.block
    if isinstance(event, JobOpened):
        place.terms = event.terms
    elif isinstance(event, RoundPosted):
        times = (event.final_at, event.window_end, posted_at[block])
        place.rounds[event.round] = WatchedRound(event.header, *times, block)
    elif isinstance(event, RoundAttested):
        place.rounds[event.round].final_at = event.final_at
    elif isinstance(event, RoundRejected | RoundLapsed):
        place.struck = (event.round, block)
    elif isinstance(event, EntryDemanded):
        place.demands.append(Demanded(event.round, event.seq, event.answer_by, block))
    elif isinstance(event, ChallengeUpheld) and event.waits_until:
        place.bounties.append(Bounty(event.fault_id, event.waits_until, block))
    elif isinstance(event, DemandAnswered | PaddingShown):
        demand = place.find_demand(event.round, event.seq)
        if demand is not None:
            demand.answered_in = block


def _is_back(place: Place, gone: WatchedRound) -> bool:
    """Whether a round that a fork took was read again with the same header; what was found of it then stays."""
    again = place.rounds.get(gone.number)
    if again is None or again.header != gone.header:
        return False
    times = (again.final_at, again.window_end, again.posted_at, again.block)
    gone.final_at, gone.window_end, gone.posted_at, gone.block = times
    place.rounds[gone.number] = gone
    return True


def _remember(place: Place, head: Block) -> None:
    if not place.blocks or place.blocks[-1] != (head.number, head.hash):
        place.blocks.append((head.number, head.hash))
    del place.blocks[:-REMEMBERED_BLOCKS]
