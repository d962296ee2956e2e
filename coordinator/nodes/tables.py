"""Tables of nodes and their telemetry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from coordinator.storage.columns import DecimalText


class NodeRow(SQLModel, table=True):
    """A node: its signed registration (absent when it registered on chain by itself) and what it says of its machine.

    `state` is pending (to be relayed), registered (the chain says so) or refused; `deadline` is the registration's own;
    `predecessor` is the node whose place this one took.
    """

    __tablename__ = "nodes"

    node: bytes = Field(primary_key=True)
    operator: bytes = Field(index=True)
    payout: bytes
    state: str = Field(index=True)
    detail: str = ""
    deadline: int | None = Field(sa_type=BigInteger, default=None)
    signature: bytes | None = None
    transaction: bytes | None = None
    block: int | None = Field(sa_type=BigInteger, default=None)
    hardware: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    version: str = ""
    stake: int = Field(sa_type=DecimalText, default=0)
    predecessor: bytes | None = None
    registered_at: int = Field(sa_type=BigInteger)
    last_seen_at: int | None = Field(sa_type=BigInteger, default=None, index=True)


class RegistryBlockRow(SQLModel, table=True):
    """The block up to which the registry's events are in the table of nodes; one row.

    Not `settled` while the chain is caught up with: then stakes are those of a newer block, whose events are to come.
    `next_at` (unix seconds) is when the block after it was made; where there was none, when that was last seen.
    """

    __tablename__ = "registry_block"

    id: int = Field(default=1, primary_key=True)
    number: int = Field(sa_type=BigInteger)
    hash: bytes
    settled: bool = True
    next_at: int = Field(sa_type=BigInteger)


class TelemetryRow(SQLModel, table=True):
    """Bounded measurements of one phase of a node's work, kept for a set time."""

    __tablename__ = "telemetry"

    id: int | None = Field(default=None, primary_key=True)
    node: bytes = Field(index=True)
    job: bytes = Field(index=True)
    round: int = Field(sa_type=BigInteger)
    phase: str
    at: int = Field(sa_type=BigInteger, index=True)
    measured: dict[str, Any] = Field(sa_type=JSON)
