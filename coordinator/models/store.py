"""Registered models in the database, and what is still to be registered."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from coordinator.jobs.tables import JobRow
from coordinator.models.tables import ModelRow
from coordinator.rounds.moves import SEALED
from coordinator.rounds.tables import RoundRow


def list_models(session: Session) -> Sequence[ModelRow]:
    """All registered models, newest first."""
    return session.exec(select(ModelRow).order_by(col(ModelRow.registered_at).desc(), col(ModelRow.job))).all()


def find_model(session: Session, digest: bytes) -> ModelRow | None:
    """A registered model by its SHA-256."""
    return session.exec(select(ModelRow).where(ModelRow.model == digest)).first()


def list_unmeasured(session: Session) -> Sequence[tuple[RoundRow, JobRow]]:
    """Sealed rounds without metrics whose job has a hold-out, oldest first."""
    query = select(RoundRow, JobRow).join(JobRow, col(JobRow.job) == col(RoundRow.job))
    query = query.where(col(JobRow.holdout).is_not(None), col(RoundRow.measured_at).is_(None))
    return session.exec(query.where(col(RoundRow.state).in_(SEALED)).order_by(col(RoundRow.sealed_at))).all()


def list_unregistered(session: Session) -> Sequence[JobRow]:
    """Jobs that have ended with at least one sealed round and have no registered model yet."""
    registered = select(ModelRow.job).where(ModelRow.job == col(JobRow.job))
    query = select(JobRow).where(col(JobRow.state).in_(("finished", "closed")), col(JobRow.rounds_sealed) > 0)
    return session.exec(query.where(~registered.exists())).all()
