"""The watchtower: several jobs, one wallet, one loop; and why a look did not come to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from client.auditor.watch.docket import Docket
from client.auditor.watch.following import Sight
from client.auditor.watch.job_watch import JobWatch
from client.auditor.watch.prosecuting import Prosecutor
from client.auditor.watch.telling import Teller
from contracts.abi import MalformedAnswer
from contracts.errors import ChainMoved, ChainUnreachable, ProviderRefused
from contracts.gateway import Gateway

CONTRADICTED, NOT_CHECKED, PASSED = 1, 3, 0
# How long a single run waits for transactions to be mined, and the pause between its looks.
LONGEST_WAIT_SECONDS = 300.0
SHORT_PAUSE_SECONDS = 0.25
MOST_LOOKS = 10_000


@dataclass
class Tower:
    """Watches jobs.

    Attributes:
        gateway: the auditor's own view of the chain.
        jobs: what is watched.
        teller: is told what happened.
        docket, prosecutor: send; None for watching only.
        looked_at: when the last whole look ended, unix seconds.
    """

    gateway: Gateway
    jobs: Sequence[JobWatch]
    teller: Teller
    docket: Docket | None = None
    prosecutor: Prosecutor | None = None
    clock: Callable[[], float] = time.time
    looked_at: float = 0.0
    head: int = 0
    errors: int = 0
    _lost: str = field(default="", repr=False)

    def look(self) -> bool:
        """One look at every job; False when the chain could not be read (told once, and again when it is back)."""
        try:
            self._look_after_docket()
            sights = [self._look_at(job) for job in self.jobs]
        except ChainMoved as moved:
            # The next look finds where it forked.
            self.teller.tell(None, "chain_moved", str(moved))
            return False
        except (ChainUnreachable, MalformedAnswer, ProviderRefused) as error:
            self.errors += 1
            if not self._lost:
                self.teller.tell(None, "chain_unreachable", str(error))
            self._lost = str(error)
            return False
        if self._lost:
            self.teller.tell(None, "chain_reachable", f"the chain answers again (block {self.head})")
        self._lost = ""
        if None not in sights:
            self.looked_at = self.clock()
        return True

    def run(self, stop: threading.Event, pause_seconds: float) -> None:
        """Looks until told to stop; again at once while there is work that waits for nobody."""
        while not stop.is_set():
            went_well = self.look()
            hurried = went_well and self.is_working
            stop.wait(SHORT_PAUSE_SECONDS if hurried else pause_seconds)

    def run_once(self, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Looks until nothing is left to do for now; False when the chain could not be read."""
        until = self.clock() + LONGEST_WAIT_SECONDS
        for _ in range(MOST_LOOKS):
            before = self._count_changes()
            if not self.look():
                return False
            if before == self._count_changes() and not self.is_working:
                return True
            if self.clock() > until:
                return True
            if self._is_waiting:
                sleep(SHORT_PAUSE_SECONDS)
        return True

    @property
    def is_working(self) -> bool:
        """Whether the next look has something to do even if the chain stands still."""
        return self._is_waiting or any(job.is_recomputing for job in self.jobs)

    @property
    def exit_code(self) -> int:
        """1 where something is false, 3 where something could not be checked, else 0."""
        if any(job.is_false for job in self.jobs):
            return CONTRADICTED
        checked = not self._lost and all(job.place.terms is not None and job.is_checked for job in self.jobs)
        return PASSED if checked else NOT_CHECKED

    @property
    def _is_waiting(self) -> bool:
        """Whether a transaction waits for its block, or a proof for the block after its commitment's."""
        busy = self.docket is not None and self.docket.is_busy()
        return busy or (self.prosecutor is not None and self.prosecutor.is_waiting)

    def _look_at(self, job: JobWatch) -> Sight | None:
        sight = job.try_look()
        if sight is not None:
            self.head = sight.head.number
        return sight

    def _look_after_docket(self) -> None:
        if self.docket is None or self.prosecutor is None or not self.docket.list_actions():
            return
        for action in self.docket.watch(self.gateway.fetch_final_block().number):
            self.prosecutor.note(action)

    def _count_changes(self) -> int:
        return self.docket.changes if self.docket is not None else 0
