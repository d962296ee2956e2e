"""Measures sealed rounds on the hold-out and registers the final model of ended jobs; off the rounds' own path."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from coordinator.compute.messages import Evaluation
from coordinator.compute.supervisor import PATIENT, ComputeFailed
from coordinator.context import Context
from coordinator.jobs.store import add_log
from coordinator.jobs.tables import JobRow
from coordinator.models import store
from coordinator.models.cards import collect_card
from coordinator.models.tables import ModelRow
from coordinator.rounds.service import note_metrics
from coordinator.rounds.store import list_sealed_after
from coordinator.rounds.tables import RoundRow
from coordinator.storage.bell import Topic

_log = structlog.get_logger()


class Registrar:
    """A duty of the worker."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self) -> None:
        """Measure and register whatever is due, until cancelled."""
        with self._context.bell.listen(Topic.RESULTS) as listener:
            while True:
                await self.look()
                await listener.wait(None)

    async def look(self) -> None:
        """Do what is due now."""
        database = self._context.database
        for row, job in await database.run_read(store.list_unmeasured):
            metrics = await self._measure(row, job)
            await database.run_write(note_metrics, row.job, row.round, metrics, self._context.now)
        for job in await database.run_read(store.list_unregistered):
            await database.run_write(_register, self._context, job.job)

    async def _measure(self, row: RoundRow, job: JobRow) -> dict[str, float]:
        """The round's metrics; none where the task cannot measure, which must not be tried for ever."""
        blobs = self._context.blobs
        assert row.next_model is not None  # noqa: S101  sealed
        assert job.holdout is not None  # noqa: S101  asked for
        question = Evaluation(job.spec, blobs.path(row.next_model), blobs.path(job.holdout))
        try:
            metrics: dict[str, float] = await self._context.compute.ask(question, priority=PATIENT)
        except ComputeFailed as error:
            _log.exception("measuring_failed", job=row.job.hex(), round=row.round, detail=str(error))
            return {}
        return metrics


def _register(session: Session, context: Context, job_id: bytes) -> None:
    job = session.get(JobRow, job_id, with_for_update=True)
    rounds = list_sealed_after(session, job_id, 0)
    if job is None or not rounds or session.get(ModelRow, job_id) is not None:
        return
    last = rounds[-1]
    session.add(
        ModelRow(
            job=job.job,
            model=job.model,
            round=last.round,
            size_bytes=context.blobs.size_bytes(job.model),
            metrics=last.metrics,
            card=collect_card(session, context, job, rounds).to_markdown(),
            registered_at=context.now,
        )
    )
    add_log(session, job.job, context.now, f"model {job.model.hex()} is registered")
    _log.info("model_registered", job=job.job.hex(), model=job.model.hex(), rounds=last.round)
