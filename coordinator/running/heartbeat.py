"""The heartbeat: a gap in it is the coordinator's own outage, and nodes get that time back."""

from __future__ import annotations

import asyncio

import structlog
from sqlmodel import Session

from coordinator.context import Context
from coordinator.rounds.phases import extend_open
from coordinator.running.tables import HeartbeatRow

BEAT_SECONDS = 5
SILENCE_SECONDS = 3 * BEAT_SECONDS

_API = "api"
_log = structlog.get_logger()


def make_up_outage(session: Session, context: Context) -> int:
    """Extend open phases by the time since the last beat, and beat; return the seconds given back."""
    row = session.get(HeartbeatRow, _API, with_for_update=True)
    outage = 0 if row is None else max(0, context.now - row.beat_at)
    if outage > 0:
        extend_open(session, outage)
        _log.info("outage_made_up", seconds=outage)
    beat(session, context)
    return outage


def beat(session: Session, context: Context) -> None:
    """Note that the API answers now."""
    session.merge(HeartbeatRow(name=_API, beat_at=context.now))


def is_silent(session: Session, context: Context) -> bool:
    """Whether the API is out: a worker on its own then lets no deadline pass."""
    row = session.get(HeartbeatRow, _API)
    return row is None or context.now - row.beat_at > SILENCE_SECONDS


async def keep_beating(context: Context) -> None:
    """Beat until cancelled."""
    while True:
        await context.database.run_write(beat, context)
        await asyncio.sleep(BEAT_SECONDS)
