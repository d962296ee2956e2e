"""Server-Sent Events of a job: its state, its rounds and its log, as they change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs import store as jobs
from coordinator.jobs.service import load_job
from coordinator.jobs.views import build_view
from coordinator.rounds import store
from coordinator.rounds.views import build_round
from coordinator.storage.bell import Topic
from ledger import wire

_KEEP_ALIVE_SECONDS = 15.0
_SHORTEST_PAUSE_SECONDS = 0.1
_LINES = 200


async def stream(context: Context, job: bytes) -> AsyncIterator[str]:
    """Events `job`, `round` and `log`: everything at first, then what changed; a comment when nothing did.

    The stream ends when this process does; who follows it asks again.
    """
    told: dict[str, str] = {}
    last_line = 0
    with context.bell.listen(Topic.JOBS, Topic.ROUNDS, Topic.PROGRESS) as listener:
        while not context.bell.ended:
            views, lines, last_line = await context.database.run_read(_look, job, last_line)
            for name, body in views.items():
                if told.get(name) != body:
                    told[name] = body
                    yield _format(name.partition(" ")[0], body)
            for line in lines:
                yield _format("log", line)
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)
            if not await listener.wait(_KEEP_ALIVE_SECONDS):
                yield ": still here\n\n"


def _look(session: Session, job: bytes, after: int) -> tuple[dict[str, str], list[str], int]:
    views = {"job": build_view(load_job(session, job)).model_dump_json(by_alias=True)}
    for row in store.list_rounds(session, job):
        views[f"round {row.round}"] = build_round(row).model_dump_json(by_alias=True)
    rows = jobs.list_logs(session, job, after, _LINES)
    lines = [wire.LogLine(at=row.at, node=row.node, text=row.text).model_dump_json(by_alias=True) for row in rows]
    return views, lines, max([after, *(row.id or 0 for row in rows)])


def _format(event: str, body: str) -> str:
    return f"event: {event}\ndata: {body}\n\n"
