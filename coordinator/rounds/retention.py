"""Retention: payloads go once their round is final and the spec's time is over; all else of a round stays.

A round that was struck, or that never became final, keeps its payloads: somebody may still have to prove something.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs import store as jobs
from coordinator.jobs.agreement import load_agreement
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
    over = set()
    for job in jobs.list_jobs(session):
        horizon = context.now - load_agreement(job).spec.retention_seconds
        over |= {(row.job, row.round) for row in store.list_final_before(session, job.job, horizon)}
    payloads = {digest for key in over for digest in store.list_payloads(session, *key)}
    # Idle nodes send equal bytes, which lie in one file.
    return {digest for digest in payloads if over.issuperset(store.list_rounds_with(session, digest))}
