"""Jobs, their logs and files in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from coordinator.jobs.tables import BlobRow, BlobShareRow, JobLogRow, JobRow
from coordinator.storage.bell import Topic
from coordinator.storage.bulk import insert_rows
from coordinator.storage.database import announce

# Built once: on a round's own path, building a statement costs more than running it.
_BY_ID = select(JobRow).where(JobRow.job == bindparam("job"))
# What was read before the row was held may have changed meanwhile.
_HELD = _BY_ID.with_for_update().execution_options(populate_existing=True)
_JOBS = select(JobRow).order_by(col(JobRow.created_at).desc(), col(JobRow.job))
_JOBS_IN = _JOBS.where(col(JobRow.state).in_(bindparam("states", expanding=True)))
_SHARED = select(BlobShareRow.sha256).where(
    BlobShareRow.job == bindparam("job"),
    BlobShareRow.audience == bindparam("audience"),
    col(BlobShareRow.sha256).in_(bindparam("digests", expanding=True)),
)


def find_job(session: Session, job: bytes, *, lock: bool = False) -> JobRow | None:
    """The job with this id; `lock` holds its row for the transaction."""
    return session.exec(_HELD if lock else _BY_ID, params={"job": job}).first()


def list_jobs(session: Session, states: Iterable[str] = ()) -> Sequence[JobRow]:
    """Jobs in these states (all without any), newest first."""
    wanted = list(states)
    return session.exec(_JOBS_IN, params={"states": wanted}).all() if wanted else session.exec(_JOBS).all()


def add_log(session: Session, job: bytes, at: int, text: str, node: bytes | None = None) -> None:
    """Write a line of the job's log."""
    session.add(JobLogRow(job=job, at=at, node=node, text=text))
    announce(session, Topic.PROGRESS)


def list_logs(session: Session, job: bytes, after: int, limit: int) -> Sequence[JobLogRow]:
    """Lines with an id above `after`, oldest first."""
    query = select(JobLogRow).where(JobLogRow.job == job, col(JobLogRow.id) > after)
    return session.exec(query.order_by(col(JobLogRow.id)).limit(limit)).all()


def list_newest_logs(session: Session, job: bytes, limit: int) -> Sequence[JobLogRow]:
    """The newest lines, oldest first."""
    query = select(JobLogRow).where(JobLogRow.job == job).order_by(col(JobLogRow.id).desc())
    return list(reversed(session.exec(query.limit(limit)).all()))


def find_blob(session: Session, digest: bytes, uploader: bytes) -> BlobRow | None:
    """What is known of a file that this address uploaded."""
    return session.get(BlobRow, (digest, uploader))


def sum_uploads(session: Session, uploader: bytes) -> int:
    """Bytes that this address has uploaded."""
    return sum(session.exec(select(BlobRow.size_bytes).where(BlobRow.uploader == uploader)).all())


def share(session: Session, digests: Iterable[bytes], job: bytes, audience: str) -> None:
    """Let this audience fetch these files because of this job; what it may fetch already stays so."""
    wanted = set(digests)
    known = session.exec(_SHARED, params={"job": job, "audience": audience, "digests": list(wanted)}).all()
    added = [{"sha256": digest, "job": job, "audience": audience} for digest in wanted.difference(known)]
    insert_rows(session, BlobShareRow, added)


def list_shares(session: Session, digest: bytes) -> Sequence[BlobShareRow]:
    """Who may fetch this file."""
    return session.exec(select(BlobShareRow).where(BlobShareRow.sha256 == digest)).all()
