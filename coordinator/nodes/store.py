"""Nodes and their telemetry in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, delete, select, update

from coordinator.nodes.tables import NodeRow, RegistryBlockRow, TelemetryRow

# Built once: on a round's own path, building a statement costs more than running it.
_NODES = select(NodeRow).where(col(NodeRow.node).in_(bindparam("nodes", expanding=True)))
_PRESENT = (
    select(NodeRow)
    .where(NodeRow.state == "registered", col(NodeRow.last_seen_at) >= bindparam("horizon"))
    .order_by(col(NodeRow.node))
)


class RegisteredNode(NamedTuple):
    """What of a node's row a draw reads, without the cost of a row: a draw reads all of them."""

    node: bytes
    block: int | None
    stake: int
    predecessor: bytes | None
    state: str = "registered"


def find_node(session: Session, node: bytes, *, lock: bool = False) -> NodeRow | None:
    """The node with this address; `lock` holds its row for the transaction."""
    return session.get(NodeRow, node, with_for_update=lock)


def list_nodes(session: Session, state: str | None = None) -> Sequence[NodeRow]:
    """All nodes, or those in one state, oldest registration first."""
    query = select(NodeRow).order_by(col(NodeRow.registered_at), col(NodeRow.node))
    return session.exec(query if state is None else query.where(NodeRow.state == state)).all()


def find_nodes(session: Session, nodes: Iterable[bytes]) -> dict[bytes, NodeRow]:
    """Those of these nodes that are known, by address."""
    return {row.node: row for row in session.exec(_NODES, params={"nodes": list(nodes)}).all()}


def find_registered(session: Session, nodes: Iterable[bytes]) -> set[bytes]:
    """Which of these nodes are registered."""
    query = select(NodeRow.node).where(col(NodeRow.node).in_(list(nodes)), NodeRow.state == "registered")
    return set(session.exec(query).all())


def has_operator(session: Session, operator: bytes) -> bool:
    """Whether a registered node belongs to this operator."""
    query = select(NodeRow.node).where(NodeRow.operator == operator, NodeRow.state == "registered").limit(1)
    return session.exec(query).first() is not None


def list_present(session: Session, horizon: int) -> Sequence[NodeRow]:
    """Registered nodes seen at or after `horizon` (unix seconds)."""
    return session.exec(_PRESENT, params={"horizon": horizon}).all()


def list_registered(session: Session) -> list[RegisteredNode]:
    """Every registered node, present or not."""
    query = select(NodeRow.node, NodeRow.block, NodeRow.stake, NodeRow.predecessor)
    return [RegisteredNode(*row) for row in session.exec(query.where(NodeRow.state == "registered")).all()]


def find_registry_block(session: Session) -> RegistryBlockRow | None:
    """Up to which block of the chain nodes are known; None before anything was read."""
    return session.get(RegistryBlockRow, 1)


def touch(session: Session, seen: Mapping[bytes, int]) -> None:
    """Write when nodes were last seen; times only grow."""
    for node, at in seen.items():
        session.exec(
            update(NodeRow)
            .where(col(NodeRow.node) == node, func.coalesce(col(NodeRow.last_seen_at), 0) < at)
            .values(last_seen_at=at)
        )


def count_telemetry(session: Session, node: bytes, job: bytes, round_number: int) -> int:
    """How many measurements a node has sent about one round."""
    query = select(func.count()).where(
        col(TelemetryRow.node) == node, col(TelemetryRow.job) == job, col(TelemetryRow.round) == round_number
    )
    return session.exec(query).one()


def remove_telemetry(session: Session, before: int) -> None:
    """Forget measurements older than that time."""
    session.exec(delete(TelemetryRow).where(col(TelemetryRow.at) < before))
