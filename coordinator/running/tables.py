"""Tables of the service itself: the schema's version, the worker's lease, and the heartbeat that tells an outage."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

SCHEMA_VERSION = 3


class SchemaRow(SQLModel, table=True):
    """The version of the tables, one row."""

    __tablename__ = "schema_version"

    version: int = Field(primary_key=True)


class LeaseRow(SQLModel, table=True):
    """Who may run the worker, and until when (unix seconds)."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    expires_at: int = Field(sa_type=BigInteger)


class HeartbeatRow(SQLModel, table=True):
    """When the API last answered (unix seconds): a gap is the coordinator's own outage."""

    __tablename__ = "heartbeats"

    name: str = Field(primary_key=True)
    beat_at: int = Field(sa_type=BigInteger)
