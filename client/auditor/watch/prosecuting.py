"""Decides what to send about a job: the earliest fault, committed to and then shown; and demands for what is withheld.

One fault at a time: the earliest one strikes every round after it, and the bond is cut once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from client.auditor.watch.casework import Casework, find_pending, find_unanswered
from client.auditor.watch.docket import NO_EFFECT, Action, Docket
from client.auditor.watch.following import Sight
from client.auditor.watch.place import Place, WatchedRound
from client.auditor.watch.telling import Teller
from contracts.challenges import CourtCalls, PostedJob
from contracts.fees import FeeAboveLimit
from contracts.gateway import Gateway
from contracts.refusals import InsufficientFunds, TransactionReverted
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.faults.case import Case
from ledger.faults.faults import Fault, compute_challenge_commitment, compute_fault_id
from ledger.hexadecimal import to_hex

NO_SALT = bytes(32)
MOST_TRIES = 3
_DONE = ("mined", "settled")
# Part of a window after whose beginning missing evidence is demanded, and how near its end no commitment comes first.
PATIENCE = 6
HASTE = 10
# The price of gas may rise between a look at it and the block: a demand brings that much more of it, in percent.
PRICE_MARGIN = 50


# What is told of a transaction in a block, by what its subject begins with: event and words.
_MINED = {
    "commit": ("challenge_committed", "the commitment is on chain"),
    "challenge": ("challenge_upheld", "the challenge was upheld"),
    "demand": ("entry_demanded", "the demand is on chain"),
    "open": ("commitment_opened", "the commitment to a fault that somebody else showed is opened"),
    "settle": ("bounty_settled", "the bounty is settled"),
    "reclaim": ("demand_reclaimed", "the bond of an unanswered demand is credited back"),
}


@dataclass(frozen=True)
class Limits:
    """What an auditor spends at most: demands of one round that wait for an answer at once."""

    demands: int = 8


class Prosecutor:
    """Challenges and demands with one wallet.

    Args:
        gateway: of a deployment that has a court.
        docket: sends, once.
        teller: is told what was sent and what came of it.
        draw: that many random bytes.
        limits: what is spent at most.
    """

    def __init__(
        self, gateway: Gateway, docket: Docket, teller: Teller, draw: Callable[[int], bytes], limits: Limits
    ) -> None:
        self._gateway, self._docket, self._teller = gateway, docket, teller
        self._draw, self._limits = draw, limits
        self._calls = CourtCalls(gateway.deployment, gateway.execution.interfaces)
        # Jobs whose commitment is on its way, or in the chain's newest second: the proof must come in a later one.
        self._waiting: set[bytes] = set()
        self._refused: dict[str, str] = {}
        self._told: set[str] = set()

    def act(self, place: Place, casework: Casework, case: Case, sight: Sight) -> None:
        """Sends what is to be sent now.

        Raises:
            ChainUnreachable: no answer; what was kept is sent at a later look.
        """
        if sight.state is None or place.terms is None:
            return
        self._waiting.discard(place.job)
        job = PostedJob(place.terms, {number: _anchor(self._gateway, known) for number, known in place.rounds.items()})
        for fault in self._choose(place, casework, case, sight):
            if self._pursue(job, place, fault, sight.head.timestamp):
                break
        for number, seq in self._list_needed(place, casework, case, sight):
            self._demand(job, number, seq)
        self._collect_bounties(job, place, sight.head.timestamp)
        self._reclaim_demands(job, place, sight.head.timestamp)

    @property
    def is_waiting(self) -> bool:
        """Whether a proof waits for the time after its commitment."""
        return bool(self._waiting)

    def note(self, action: Action) -> None:
        """Tells what came of a transaction."""
        kind, _, subject = action.subject.partition(":")
        if action.state == "mined":
            event, words = _MINED.get(kind, (kind, kind))
            self._teller.tell(None, event, f"{words} (block {action.block})", subject=subject, block=action.block)
        elif action.state in ("reverted", "dropped"):
            sentence = f"{action.label} had no effect: {action.detail}"
            self._teller.tell(None, "transaction_failed", sentence, subject=subject)

    def _choose(self, place: Place, casework: Casework, case: Case, sight: Sight) -> Iterator[Fault]:
        """Faults that still cost something, the earliest round first."""
        assert sight.state is not None  # noqa: S101  looked at by the caller
        now = sight.head.timestamp
        faults = [*casework.list_found(), *find_pending(case), *find_unanswered(place, now)]
        for fault in sorted(faults, key=lambda fault: fault.round):
            known = place.rounds.get(fault.round)
            standing = not place.is_struck(fault.round) and (known is None or now < known.window_end)
            if standing or sight.state.bond > 0:
                yield fault

    def _pursue(self, job: PostedJob, place: Place, fault: Fault, now: int) -> bool:
        """One step towards showing a fault; False where the court would not uphold it."""
        name = to_hex(compute_fault_id(fault, job.id, self._gateway.domain))
        known = self._docket.find(f"challenge:{name}")
        if known is not None and known.state not in NO_EFFECT:
            return True
        # What reverted may be upheld now: a fork can put a proof into the very second of its commitment.
        if (known is not None and known.tries >= MOST_TRIES) or not self._would_uphold(job, fault, name):
            return False
        salt = self._docket.find_salt(f"commit:{name}", self._draw)
        commitment = compute_challenge_commitment(self._docket.address, bytes.fromhex(name[2:]), salt)
        committed = self._send(job, f"commit:{name}", self._calls.commit_challenge(commitment))
        if committed is None:
            return False
        ripe = committed.state in _DONE and self._gateway.fetch_committed_at(commitment) < now
        if not ripe and not _is_hasty(place.rounds.get(fault.round), now):
            self._waiting.add(job.id)
            return True
        opened = salt if ripe else NO_SALT
        sent = self._send(job, f"challenge:{name}", self._calls.challenge(job, fault, opened))
        if sent is not None and known is None:
            sentence = f"round {fault.round}: challenge sent: {fault.MEANING}"
            self._tell(job, "challenge_sent", sentence, fault=fault.KIND.slug, round=fault.round, id=name)
        return sent is not None

    def _would_uphold(self, job: PostedJob, fault: Fault, name: str) -> bool:
        """Asks before anything is committed to: the court's own word on the state as it is."""
        call = self._calls.challenge(job, fault, NO_SALT)
        try:
            self._gateway.execution.estimate_gas(call, self._docket.address)
        except TransactionReverted as refusal:
            if self._refused.get(name) != str(refusal):
                sentence = f"round {fault.round}: {fault.KIND.slug} cannot be shown now: {refusal}"
                self._tell(job, "challenge_refused", sentence, fault=fault.KIND.slug, round=fault.round, id=name)
            self._refused[name] = str(refusal)
            return False
        self._refused.pop(name, None)
        return True

    def _list_needed(self, place: Place, casework: Casework, case: Case, sight: Sight) -> Iterator[tuple[int, int]]:
        """What to demand: in the first third of a window, after the coordinator had the first sixth to hand it out."""
        now = sight.head.timestamp
        for number, known in place.rounds.items():
            window = known.window_end - known.posted_at
            early = known.posted_at + window // PATIENCE <= now < known.posted_at + window // 3
            if not early or place.is_struck(number):
                continue
            open_demands = sum(demand.round == number and not demand.answered_in for demand in place.demands)
            gaps = [seq for seq in casework.list_gaps(number, case) if place.find_demand(number, seq) is None]
            for seq in gaps[: max(0, self._limits.demands - open_demands)]:
                yield number, seq

    def _demand(self, job: PostedJob, number: int, seq: int) -> None:
        subject = f"demand:{to_hex(job.id)}:{number}:{seq}"
        if self._docket.find(subject) is not None:
            return
        price = self._docket.suggest_price()
        bond = self._gateway.fetch_demand_gas() * (price + price * PRICE_MARGIN // 100)
        if self._send(job, subject, self._calls.demand(job, number, seq, bond)) is not None:
            sentence = f"round {number}: entry {seq} is withheld and demanded on chain (bond {bond} wei)"
            self._tell(job, "demand_sent", sentence, round=number, seq=seq, bond=str(bond))

    def _collect_bounties(self, job: PostedJob, place: Place, now: int) -> None:
        """Opens own commitments to faults that somebody else showed, and settles them when the time is over."""
        for bounty in place.bounties:
            name = to_hex(bounty.fault_id)
            committed, opened = self._docket.find(f"commit:{name}"), self._docket.find(f"open:{name}")
            if committed is None or committed.state not in _DONE:
                continue
            if opened is None and now < bounty.until:
                salt = self._docket.find_salt(f"commit:{name}", self._draw)
                self._send(job, f"open:{name}", self._calls.open_commitment(job.id, bounty.fault_id, salt))
            elif opened is not None and opened.state in _DONE and now >= bounty.until:
                self._send(job, f"settle:{name}", self._calls.settle_bounty(job.id, bounty.fault_id))

    def _reclaim_demands(self, job: PostedJob, place: Place, now: int) -> None:
        """Takes back the bonds of own demands that nobody answered and that no challenge has given back."""
        for demand in place.demands:
            place_name = f"{to_hex(job.id)}:{demand.round}:{demand.seq}"
            own = self._docket.find(f"demand:{place_name}")
            over = not demand.answered_in and demand.answer_by < now
            if own is None or not over or self._docket.find(f"reclaim:{place_name}") is not None:
                continue
            kept = self._gateway.fetch_demand(job.id, demand.round, demand.seq)
            struck = place.is_struck(demand.round) or now >= place.rounds[demand.round].window_end
            if struck and kept is not None and kept.bond:
                call = self._calls.reclaim_demand(job.id, demand.round, demand.seq)
                self._send(job, f"reclaim:{place_name}", call)

    def _send(self, job: PostedJob, subject: str, call: Call) -> Action | None:
        """The action, None where it cannot be sent now; why is told once."""
        try:
            return self._docket.submit(subject, call)
        except TransactionReverted as refusal:
            self._tell_once(job, "challenge_refused", f"{call.label} would have no effect: {refusal}", subject)
        except (InsufficientFunds, FeeAboveLimit) as shortage:
            self._tell_once(job, "gas_unpaid", str(shortage), subject)
        return None

    def _tell_once(self, job: PostedJob, event: str, sentence: str, subject: str) -> None:
        if f"{subject} {event}" not in self._told:
            self._told.add(f"{subject} {event}")
            self._tell(job, event, sentence, subject=subject)

    def _tell(self, job: PostedJob, event: str, sentence: str, **facts: object) -> None:
        self._teller.tell(job.id, event, sentence, **facts)


def _anchor(gateway: Gateway, known: WatchedRound) -> Anchor:
    head = known.header
    return Anchor(head.digest(gateway.domain), head.entries_root, head.count, known.final_at)


def _is_hasty(known: WatchedRound | None, now: int) -> bool:
    """Whether a window is so near its end that a proof cannot wait for a commitment's block."""
    return known is not None and known.window_end - now < (known.window_end - known.posted_at) // HASTE
