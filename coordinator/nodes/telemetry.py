"""Telemetry: what nodes measured, written together and seldom, because nobody waits for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastapi import Request
from sqlmodel import Session

from coordinator.context import Context
from coordinator.nodes import store
from coordinator.nodes.errors import TelemetryFull, UnknownNode
from coordinator.nodes.tables import TelemetryRow
from coordinator.refusals import RequestRefused
from coordinator.storage.bell import Topic
from coordinator.storage.bulk import insert_rows
from coordinator.storage.database import announce
from coordinator.storage.group_commit import GroupCommit
from ledger import wire

_PATIENCE_SECONDS = 0.5

Report = tuple[bytes, Sequence[wire.Telemetry]]


class TelemetryDesk(GroupCommit[Report, None]):
    """Takes nodes' reports; one for the application."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.database, lambda session, reports: keep(session, context, reports), _PATIENCE_SECONDS)


def keep(session: Session, context: Context, reports: Sequence[Report]) -> list[Exception | None]:
    """Keep what is within bounds, in order, and forget what is old; TelemetryFull and UnknownNode for the rest."""
    store.remove_telemetry(session, context.now - context.settings.telemetry_keep_seconds)
    known = store.find_nodes(session, {node for node, _ in reports})
    answers: list[Exception | None] = []
    for node, measurements in reports:
        try:
            _verify(session, context, node, measurements, is_known=node in known)
        except RequestRefused as refusal:
            answers.append(refusal)
            continue
        insert_rows(session, TelemetryRow, [_build_row(node, context.now, measured) for measured in measurements])
        answers.append(None)
    announce(session, Topic.PROGRESS)
    return answers


async def get_telemetry_desk(request: Request) -> TelemetryDesk:
    """The telemetry desk of the application that serves this request."""
    desk: TelemetryDesk = request.app.state.telemetry
    return desk


def _verify(
    session: Session, context: Context, node: bytes, measurements: Sequence[wire.Telemetry], *, is_known: bool
) -> None:
    if not is_known:
        raise UnknownNode(node)
    limit = context.settings.telemetry_per_round
    for (job, number), count in Counter((measured.job, measured.round) for measured in measurements).items():
        if store.count_telemetry(session, node, job, number) + count > limit:
            raise TelemetryFull(limit, number)


def _build_row(node: bytes, now: int, measured: wire.Telemetry) -> dict[str, object]:
    values = measured.model_dump(mode="json", by_alias=True, exclude={"job", "round", "phase"})
    return {
        "node": node,
        "job": measured.job,
        "round": measured.round,
        "phase": measured.phase,
        "at": now,
        "measured": values,
    }
