"""Drives rounds: looks at what is due, moves it, and says when to look again. Everything it knows is in the database.

Phases usually end in the transaction of the last answer; the driver handles deadlines, absences, openings and tallies.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from coordinator.compute.supervisor import ComputeDied, ComputeFailed
from coordinator.context import Context
from coordinator.jobs import store as jobs
from coordinator.jobs.agreement import RUNNING, load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import cohort, store
from coordinator.rounds.phases import close_commit, drop_round, end_reveal, open_next, prolong_commit
from coordinator.rounds.sealing import seal
from coordinator.rounds.service import load_round
from coordinator.rounds.tables import RoundRow
from coordinator.rounds.tallying import compute_sealing, load_account

Key = tuple[bytes, int]

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0
# A child that died, a full disk, a database that refuses: nobody else would look at this round again.
_PASSING = (ComputeFailed, ComputeDied, OSError, SQLAlchemyError)
_log = structlog.get_logger()


@dataclass
class Due:
    """What is to be done now, and when to look again at the latest (unix seconds, None: when the bell rings)."""

    openings: list[bytes] = field(default_factory=list)
    endings: list[Key] = field(default_factory=list)
    tallies: list[Key] = field(default_factory=list)
    next_at: float | None = None

    def look_at(self, at: float) -> None:
        """Look again at that time."""
        self.next_at = at if self.next_at is None else min(self.next_at, at)


class RoundDriver:
    """Moves the rounds of all jobs; one worker has one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tallies: dict[Key, asyncio.Task[None]] = {}

    async def look(self, *, timely: bool) -> float | None:
        """Do what is due; return when to look again. Without `timely`, deadlines wait: the API itself is out."""
        database = self._context.database
        due = await database.run_read(find_due, self._context, timely=timely)
        for job in due.openings:
            await database.run_write(open_due, self._context, job)
        for key in due.endings:
            await database.run_write(end_due, self._context, key)
        for key in due.tallies:
            if key not in self._tallies:
                task = asyncio.create_task(self._tally(key))
                self._tallies[key] = task
                task.add_done_callback(lambda _, key=key: self._tallies.pop(key, None))  # type: ignore[misc]  # bound now
        return due.next_at

    async def finish(self) -> None:
        """Wait for the tallies that run."""
        await asyncio.gather(*self._tallies.values())

    async def stop(self) -> None:
        """Leave running tallies; the next start computes them again, to the same bytes."""
        tasks = list(self._tallies.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tally(self, key: Key) -> None:
        """Tally one round; what fails is tried again, ever more seldom, and the round waits."""
        wait = _FIRST_RETRY_SECONDS
        while True:
            try:
                await tally_round(self._context, *key)
            except _PASSING as error:
                _log.exception("tally_failed", job=key[0].hex(), round=key[1], retry_seconds=wait, detail=str(error))
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_RETRY_SECONDS)
            else:
                return


async def tally_round(context: Context, job: bytes, number: int) -> None:
    """Compute and seal one round. Raises ComputeFailed or ComputeDied; then nothing has changed."""
    account = await context.database.run_read(load_account, context, job, number)
    result = await context.compute.ask(account.work)
    sealing = await asyncio.to_thread(compute_sealing, context, account, result)
    sealed = await context.database.run_write(seal, context, sealing)
    before = account.state_before
    if sealed and before is not None and not await context.database.run_read(store.is_state_kept, before):
        context.blobs.remove(before)


def find_due(session: Session, context: Context, *, timely: bool) -> Due:
    """What is to be done now."""
    due = Due()
    open_jobs = set()
    for row in store.list_rounds_in(session, ("committing", "revealing", "tallying")):
        open_jobs.add(row.job)
        if row.state == "tallying":
            due.tallies.append((row.job, row.round))
        elif timely:
            _look_at_phase(session, context, row, due)
    due.openings = [job.job for job in jobs.list_jobs(session, (RUNNING,)) if job.job not in open_jobs]
    return due


def _look_at_phase(session: Session, context: Context, row: RoundRow, due: Due) -> None:
    deadline = row.commit_deadline if row.state == "committing" else row.reveal_deadline
    complete = row.state == "revealing" and row.revealed == row.count
    if row.state == "committing" and row.count > 0:
        agreement = load_agreement(load_job(session, row.job))
        complete = cohort.is_complete(session, context, row, agreement)
        presence_seconds = context.settings.presence_seconds
        absence = cohort.find_next_absence(session, row, context.now - presence_seconds)
        if absence is not None and row.count >= agreement.spec.cohort.minimum:
            due.look_at(absence + presence_seconds + 1)
    if complete or (deadline is not None and context.clock() >= deadline):
        due.endings.append((row.job, row.round))
    elif deadline is not None:
        due.look_at(deadline)


def open_due(session: Session, context: Context, job: bytes) -> None:
    """Open the job's next round, if it may open."""
    if store.find_open(session, job) is None:
        open_next(session, context, load_job(session, job, lock=True))


def end_due(session: Session, context: Context, key: Key) -> None:
    """End a round's phase, if it is still to be ended.

    The deadline of a round without any receipt moves while the job runs. Afterwards the round is dropped: what would be
    promised later could not be kept, for the ledger takes no round once the end is in effect.
    """
    row = load_round(session, *key, lock=True)
    job = load_job(session, row.job)
    agreement = load_agreement(job)
    if row.state == "committing":
        late = context.clock() >= row.commit_deadline
        if late and row.count == 0 and job.state == RUNNING:
            prolong_commit(session, context, row, agreement)
        elif late and row.count == 0:
            drop_round(session, row)
        elif late or cohort.is_complete(session, context, row, agreement):
            close_commit(session, context, row, agreement)
    elif row.state == "revealing" and row.reveal_deadline is not None:
        late = context.clock() >= row.reveal_deadline
        if late or row.revealed == row.count:
            end_reveal(session, context, row)
