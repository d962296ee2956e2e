"""Retention: payloads go once their round is final and the spec's time is over; all else of a round stays.

So it is with every later round that is compared with theirs: an audit of that one reads them too.

A round that was struck, or that never became final, keeps its payloads: somebody may still have to prove something.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs import store as jobs
from coordinator.jobs.agreement import CLOSING, ENDED, load_agreement
from coordinator.jobs.tables import JobRow
from coordinator.rounds import store

LOOK_SECONDS = 3_600
_log = structlog.get_logger()


async def keep_retention(context: Context) -> None:
    """Look now and then, until cancelled."""
    while True:
        await remove_expired(context)
        await asyncio.sleep(LOOK_SECONDS)


async def remove_expired(context: Context) -> int:
    """Remove what nothing asks to be kept any longer; return how many files. Repeating it changes nothing."""
    expired = await context.database.run_read(find_expired, context)
    here = await asyncio.to_thread(lambda: [digest for digest in expired if context.blobs.has(digest)])
    for digest in here:
        await asyncio.to_thread(context.blobs.remove, digest)
    if here:
        _log.info("payloads_removed", count=len(here))
    return len(here)


def find_expired(session: Session, context: Context) -> set[bytes]:
    """Payloads of expired rounds that no other round, of whatever job, has among its own."""
    over: set[tuple[bytes, int]] = set()
    for job in jobs.list_jobs(session):
        spec = load_agreement(job).spec
        horizon = context.now - spec.retention_seconds
        expired = {row.round for row in store.list_final_before(session, job.job, horizon)}
        last = _find_last(session, job)
        over |= {
            (job.job, number)
            for number in expired
            # Whoever recomputes a round compares it with those before.
            if expired.issuperset(range(number, min(number + spec.screening.window, last) + 1))
        }
    payloads = {digest for key in over for digest in store.list_payloads(session, *key)}
    # Idle nodes send equal bytes, which lie in one file.
    return {digest for digest in payloads if over.issuperset(store.list_rounds_with(session, digest))}


def _find_last(session: Session, job: JobRow) -> int:
    """The last round that the job has or may still open."""
    newest = store.find_newest(session, job.job)
    if job.state in ENDED or job.state == CLOSING:
        return 0 if newest is None else newest.round
    return load_agreement(job).terms.rounds
