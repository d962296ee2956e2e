"""Tables of jobs, their logs, and the files that came with them."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from coordinator.storage.columns import DecimalText


class JobRow(SQLModel, table=True):
    """A job: what was agreed, and where it stands."""

    __tablename__ = "jobs"

    job: bytes = Field(primary_key=True)
    state: str = Field(index=True)
    detail: str = ""
    spec: bytes  # canonical JSON
    terms: bytes  # canonical JSON of Terms
    requester: bytes = Field(index=True)
    holdout: bytes | None = None
    parameters: int = Field(sa_type=BigInteger)  # of the model: what a payload must have
    acceptance_deadline: int = Field(sa_type=BigInteger)
    acceptance_signature: bytes
    created_at: int = Field(sa_type=BigInteger, index=True)
    opened_at: int | None = Field(sa_type=BigInteger, default=None)
    opened_block: int | None = Field(sa_type=BigInteger, default=None)
    opened_hash: bytes | None = None  # of that block
    opened_transaction: bytes | None = None
    rounds_sealed: int = Field(sa_type=BigInteger, default=0)
    rounds_final: int = Field(sa_type=BigInteger, default=0)
    spent: int = Field(sa_type=DecimalText, default=0)
    model: bytes  # the newest sealed model; the initial one before


class JobLogRow(SQLModel, table=True):
    """A line of a job's log; `node` when it is about one node."""

    __tablename__ = "job_logs"

    id: int | None = Field(default=None, primary_key=True)
    job: bytes = Field(index=True, foreign_key="jobs.job")
    at: int = Field(sa_type=BigInteger)
    node: bytes | None = None
    text: str


class BlobRow(SQLModel, table=True):
    """That someone uploaded a file, which is then known to them; no job may yet use it."""

    __tablename__ = "blobs"

    sha256: bytes = Field(primary_key=True)
    uploader: bytes = Field(primary_key=True, index=True)
    size_bytes: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger, index=True)


class BlobShareRow(SQLModel, table=True):
    """Who may fetch a file, because of which job."""

    __tablename__ = "blob_shares"

    sha256: bytes = Field(primary_key=True)
    job: bytes = Field(primary_key=True, foreign_key="jobs.job")
    audience: str = Field(primary_key=True)
