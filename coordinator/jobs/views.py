"""Jobs as the API shows them."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.jobs import store
from coordinator.jobs.agreement import load_acceptance, load_agreement
from coordinator.jobs.tables import JobRow
from ledger import wire


def build_view(row: JobRow) -> wire.JobView:
    """A job as it stands."""
    agreement = load_agreement(row)
    return wire.JobView(
        job=row.job,
        state=row.state,  # type: ignore[arg-type]  # the column holds only what this room writes
        detail=row.detail,
        title=agreement.spec.title,
        terms=agreement.terms,
        acceptance=load_acceptance(row),
        rounds_sealed=row.rounds_sealed,
        rounds_final=row.rounds_final,
        spent=row.spent,
        opened_block=row.opened_block,
        model=row.model,
        created_at=row.created_at,
    )


def list_views(session: Session) -> list[wire.JobView]:
    """All jobs, newest first."""
    return [build_view(row) for row in store.list_jobs(session)]


def list_logs(session: Session, job: bytes, limit: int) -> list[wire.LogLine]:
    """The newest lines of a job's log, oldest first."""
    return [
        wire.LogLine(at=row.at, node=row.node, text=row.text) for row in store.list_newest_logs(session, job, limit)
    ]
