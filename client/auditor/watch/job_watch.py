"""The watch over one job, one look at a time.

1. read the chain; 2. fetch and verify what is new; 3. search for faults; 4. send what is to be sent; 5. recompute the
learning of a round; 6. tell. Every step may be interrupted anywhere and repeated. Proofs come before recomputation:
they have a window, and what recomputation finds no contract can judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from client.auditor.evidence.registry import RegistryReader
from client.auditor.watch.archive import Archive
from client.auditor.watch.casework import Casework, find_pending, find_unanswered
from client.auditor.watch.edge_looks import INTERNAL, INTERNAL_LEARNING, Mishaps, reopen
from client.auditor.watch.following import Follower, Sight
from client.auditor.watch.outcomes import describe_fault, describe_privacy, describe_round, judge, record
from client.auditor.watch.place import Place, WatchedRound
from client.auditor.watch.verifying import RoundVerifier, fetch_round
from client.errors import CoordinatorRefused, TransportError
from ledger.faults.case import Case, Promises
from ledger.faults.faults import Fault, compute_fault_id
from ledger.hexadecimal import to_hex
from ledger.verify.results import Outcome
from ledger.verify.rounds import verify_job

if TYPE_CHECKING:
    from client.auditor.evidence.sources import EvidenceSource
    from client.auditor.learning.recompute import Recomputation
    from client.auditor.watch.prosecuting import Prosecutor
    from client.auditor.watch.telling import Teller
    from contracts.gateway import Gateway
    from ledger.verify.bundle import AuditedJob
    from ledger.verify.results import Result
    from ledger.verify.signers import Spread


T = TypeVar("T")


@dataclass(frozen=True)
class Equipment:
    """What a job is watched with.

    Attributes:
        gateway: the auditor's own view of the chain.
        source: hands out evidence.
        teller: is told what happened.
        held: what nodes and others kept.
        prosecutor: sends; None for watching only.
        recompute: makes the recomputation of a job; None where it is not asked for.
        spread: applies a function to many values, like `map`.
        whole: whether the auditor says that nothing lies before the first block that is read.
    """

    gateway: Gateway
    source: EvidenceSource
    teller: Teller
    held: Promises = field(default_factory=Promises)
    prosecutor: Prosecutor | None = None
    recompute: Callable[[AuditedJob], Recomputation] | None = None
    spread: Spread = map
    whole: bool = False


class JobWatch:
    """Watches one job.

    Args:
        job: its id.
        folder: keeps its place and its evidence.
        equipment: what it is watched with.
    """

    def __init__(self, job: bytes, folder: Path, equipment: Equipment) -> None:
        self.job, self._with = job, equipment
        self._path = folder / "place.json"
        domain = equipment.gateway.domain
        self.place = Place.load(self._path, domain.chain_id or 0, domain.verifying_contract or bytes(20), job)
        reopen(self.place.rounds)
        self._archive = Archive(folder)
        self._follower = Follower(equipment.gateway, self.place)
        self._registry = RegistryReader(equipment.gateway, job, whole=equipment.whole)
        self._casework: Casework | None = None
        self._verifier: RoundVerifier | None = None
        # Rounds that need no more looks, and those whose checks were made over all that was given so far.
        self._done: set[int] = set()
        self._verified: set[int] = set()
        self._said: set[str] = set()
        self._mishaps, self._is_broken = Mishaps(job, equipment.teller), False

    def try_look(self) -> Sight | None:
        """One look; None, logged and told, where something unforeseen ended it. Raises what `look` raises."""
        sights: list[Sight] = []
        self._is_broken = not self._mishaps.survives(lambda: sights.append(self.look()))
        return sights[0] if sights else None

    def look(self) -> Sight:
        """One look.

        Raises:
            ChainUnreachable, ChainMoved: the chain could not be read; the next look begins where this one did.
        """
        # 1
        sight = self._follower.look()
        self._back_up(sight.dropped)
        casework = self._open_casework(sight)
        if casework is not None:
            case = casework.build(sight.head.timestamp, sight.state.halted if sight.state else 0)
            # 2
            self._mishaps.survives(partial(self._open_verifier, case.now))
            for number in sorted(self.place.rounds):
                known = self.place.rounds[number]
                if not self._mishaps.survives(partial(self._look_at, known, casework, case), number):
                    self._leave_open(known)
            # 3
            self._tell_faults([*casework.list_found(), *find_pending(case), *find_unanswered(self.place, case.now)])
            self.place.save(self._path)
            # 4
            if self._with.prosecutor is not None:
                self._with.prosecutor.act(self.place, casework, case, sight)
            # 5
            self._recompute_next(case.now)
        # 6
        self._tell_outcomes(sight.head.timestamp)
        self.place.save(self._path)
        return sight

    @property
    def is_false(self) -> bool:
        """Whether something that was looked at is false."""
        return bool(self.place.told) or any(known.failed for known in self.place.rounds.values())

    @property
    def is_checked(self) -> bool:
        """Whether every posted round was verified and passed."""
        return not self._is_broken and all(known.outcome == "pass" for known in self.place.rounds.values())

    @property
    def is_recomputing(self) -> bool:
        """Whether a round that was verified waits to be recomputed."""
        waiting = (known.complete and not known.recomputed for known in self.place.rounds.values())
        able = self._verifier is not None and "coordinator_unreachable" not in self._said
        return self._with.recompute is not None and able and any(waiting)

    def _back_up(self, dropped: Iterable[int]) -> None:
        """Forgets rounds that a reorganisation took off the chain; what comes in their place is looked at anew."""
        for number in dropped:
            self._tell("backed_up", f"round {number} is not on the chain any more: looked at anew", round=number)
            self._archive.forget(number)
            if self._casework is not None:
                self._casework.forget(number)
            self._verifier, self._done, self._verified = None, set(), set()

    def _open_casework(self, sight: Sight) -> Casework | None:
        place = self.place
        if self._casework is None and place.terms is not None:
            domain = self._with.gateway.domain
            self._casework = Casework(domain, place.terms, place, self._archive, self._with.held)
            self._casework.add_answers(self._follower.fetch_answers())
        if self._casework is None:
            self._say("not_opened", "the ledger has not opened this job yet")
        else:
            self._casework.add_answers(sight.answers)
        return self._casework

    def _open_verifier(self, now: int) -> None:
        """Verifies the job's own files; without them faults are still searched for, with the chain's terms."""
        if self._verifier is not None:
            return
        domain = self._with.gateway.domain
        files = self._archive.load_job()
        results, audited = verify_job(self.job, domain, files, now)
        if audited is None or any(result.outcome is not Outcome.PASS for result in results):
            fetched = self._ask(lambda: self._with.source.fetch_job(self.job))
            if fetched is None:
                return
            results, audited = verify_job(self.job, domain, fetched, now)
            self._archive.save_job(fetched)
        wrong = sorted({result.check for result in results if result.outcome is not Outcome.PASS})
        if wrong:
            self._say("job_files", f"the job's own files cannot be relied on: {', '.join(wrong)}")
        if audited is not None:
            if audited.spec.validation_holders is not None:
                self._say("private_set", describe_privacy(self.job))
            recomputation = self._with.recompute(audited) if self._with.recompute else None
            self._verifier = RoundVerifier(
                audited, self._archive, recomputation, self._with.spread, self._registry.read
            )
            self._done, self._verified = set(), set()

    def _look_at(self, known: WatchedRound, casework: Casework, case: Case) -> None:
        number = known.number
        if number in self._done:
            return
        looked_at = known.recomputed or self._with.recompute is None
        settled = known.complete and known.outcome in ("pass", "fail") and looked_at
        if settled and number not in self._verified and self._verifier is not None:
            self._verifier.restore(number)
            self._done.add(number)
            if known.faults or number in casework.list_held():
                known.faults = len(casework.search(number, case))
            return
        changed = not known.complete and self._fetch(number)
        if changed:
            casework.forget(number)
        known.faults = len(casework.search(number, case))
        if self._verifier is not None and (changed or number not in self._verified):
            self._verified = {one for one in self._verified if one < number} | {number}
            verified = self._verifier.verify(known, case.now)
            known.unknown = [check for check in known.unknown if check != INTERNAL]
            record(known, verified.results)
            known.complete = verified.complete
        if known.complete or case.now >= known.window_end:
            # What follows this round was verified without it: once more.
            self._done = {done for done in self._done if done < number} | {number}

    def _leave_open(self, known: WatchedRound) -> None:
        """Looking at a round raised: nothing of it is known, and the next ones are looked at without it."""
        known.unknown = sorted({*known.unknown, INTERNAL})
        if self._verifier is not None:
            self._verifier.pass_by(known.number)

    def _fetch(self, number: int) -> bool:
        """Asks for a round's evidence; whether anything new was given."""
        before = self._archive.load_round(number)
        self._ask(lambda: fetch_round(self._with.source, self._archive, self.job, number))
        return self._archive.load_round(number) != before

    def _recompute_next(self, now: int) -> None:
        """One round a look, in order; one whose evidence may still come is waited for."""
        if self._verifier is None or self._with.recompute is None:
            return
        for known in sorted(self.place.rounds.values(), key=lambda known: known.number):
            if known.recomputed:
                continue
            if known.complete or now >= known.window_end:
                self._recompute(self._verifier, known)
            return

    def _recompute(self, verifier: RoundVerifier, known: WatchedRound) -> None:
        found: list[Result] | None = []

        def ask() -> None:
            nonlocal found
            found = self._ask(lambda: verifier.recompute(known.number))

        if not self._mishaps.survives(ask, known.number):
            known.unknown = sorted({*known.unknown, INTERNAL_LEARNING})
        if found is not None:
            record(known, found)
            known.recomputed = True

    def _tell_faults(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            name = to_hex(compute_fault_id(fault, self.job, self._with.gateway.domain))
            if name not in self.place.told:
                self.place.told.append(name)
                self._tell("fault", describe_fault(fault), fault=fault.KIND.slug, round=fault.round, id=name)

    def _tell_outcomes(self, now: int) -> None:
        for known in self.place.rounds.values():
            whole = known.complete and (known.recomputed or self._with.recompute is None)
            if not whole and now < known.window_end:
                continue
            outcome = judge(known)
            if outcome != known.outcome:
                known.outcome = outcome
                facts = {"failed": known.failed, "unknown": known.unknown, "faults": known.faults}
                sentence = describe_round(known)
                self._tell("round", sentence, round=known.number, outcome=outcome, final_at=known.final_at, **facts)
        if self.place.struck is not None:
            self._say(
                "struck", f"round {self.place.struck[0]} and all after it are struck: nothing of them can be paid"
            )

    def _ask(self, ask: Callable[[], T]) -> T | None:
        """What the coordinator answers; None, told once, while it does not."""
        try:
            answer = ask()
        except (TransportError, CoordinatorRefused) as error:
            self._say("coordinator_unreachable", f"the coordinator hands out nothing: {error}")
            return None
        if "coordinator_unreachable" in self._said:
            self._said.remove("coordinator_unreachable")
            self._tell("coordinator_reachable", "the coordinator answers again")
        return answer

    def _say(self, event: str, sentence: str) -> None:
        """Tells something once, as long as it stays so."""
        if event not in self._said:
            self._said.add(event)
            self._tell(event, sentence)

    def _tell(self, event: str, sentence: str, **facts: object) -> None:
        self._with.teller.tell(self.job, event, sentence, **facts)
