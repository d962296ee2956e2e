"""Who may be in a round, who is, and whether all of them have committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from coordinator.context import Context
from coordinator.jobs.agreement import Agreement
from coordinator.nodes import store as nodes
from coordinator.nodes.tables import NodeRow
from coordinator.rounds import store
from coordinator.rounds.errors import NodeNotAdmitted
from coordinator.rounds.tables import CohortRow, ContributionRow, RoundRow, StandingRow
from coordinator.storage.bulk import insert_rows

# Built once: on a round's own path, building a statement costs more than running it.
_COMMITTED = select(ContributionRow.node).where(
    ContributionRow.job == bindparam("job"),
    ContributionRow.round == bindparam("round"),
    ContributionRow.node == col(NodeRow.node),
)
_WAITED_FOR = (
    select(NodeRow.last_seen_at)
    .join(CohortRow, col(CohortRow.node) == col(NodeRow.node))
    .where(CohortRow.job == bindparam("job"), CohortRow.round == bindparam("round"))
    .where(col(NodeRow.last_seen_at) >= bindparam("horizon"), ~_COMMITTED.exists())
    .order_by(col(NodeRow.last_seen_at))
    .limit(1)
)


def list_candidates(session: Session, context: Context, job: bytes, agreement: Agreement) -> list[bytes]:
    """The nodes that are present and may join this job."""
    present = nodes.list_present(session, context.now - context.settings.presence_seconds)
    debtors = store.list_standings(session, job, {row.predecessor for row in present if row.predecessor})
    return [row.node for row in present if find_obstacle(row, agreement, debtors) is None]


def list_eligible(session: Session, job: bytes, agreement: Agreement) -> list[tuple[bytes, int]]:
    """Every node that may join this job, present or not, with the block that it was registered in."""
    known = nodes.list_registered(session)
    debtors = store.list_standings(session, job, {one.predecessor for one in known if one.predecessor})
    return [(one.node, one.block or 0) for one in known if find_obstacle(one, agreement, debtors) is None]


def admit(session: Session, row: RoundRow, members: Iterable[bytes], now: int) -> None:
    """Add nodes to a round's cohort."""
    added = [{"job": row.job, "round": row.round, "node": node, "joined_at": now} for node in members]
    if added:
        session.flush()
        insert_rows(session, CohortRow, added)
        row.cohort += len(added)
        session.add(row)


class Candidate(Protocol):
    """What decides whether a node may join."""

    @property
    def state(self) -> str:
        """As in the table of nodes."""

    @property
    def stake(self) -> int:
        """In base units."""

    @property
    def predecessor(self) -> bytes | None:
        """The node whose place this one took."""


def find_obstacle(
    row: Candidate | None, agreement: Agreement, debtors: dict[bytes, StandingRow]
) -> tuple[str, str] | None:
    """Why a node may not join a job, as what was expected and what there is; None when it may."""
    if row is None or row.state != "registered":
        return "a registered node", "none" if row is None else f"one whose registration is {row.state}"
    if row.stake < agreement.terms.min_stake:
        return f"a stake of at least {agreement.terms.min_stake} base units", str(row.stake)
    if row.predecessor in debtors:
        return "a key without a past in this job", f"the successor of 0x{(row.predecessor or b'').hex()}, which has one"
    return None


def verify_admissible(
    session: Session, job: bytes, agreement: Agreement, node: bytes, known: Mapping[bytes, NodeRow]
) -> None:
    """Verify that a node, looked up among the `known` ones, may join a job. Raises NodeNotAdmitted."""
    row = known.get(node)
    predecessor = row.predecessor if row is not None else None
    debtors = store.list_standings(session, job, [predecessor]) if predecessor else {}
    obstacle = find_obstacle(row, agreement, debtors)
    if obstacle is not None:
        raise NodeNotAdmitted(node, *obstacle)


def find_next_absence(session: Session, row: RoundRow, horizon: int) -> int | None:
    """When the first present member without a contribution was last seen; None when the round waits for nobody."""
    return session.exec(_WAITED_FOR, params={"job": row.job, "round": row.round, "horizon": horizon}).first()


def is_complete(session: Session, context: Context, row: RoundRow, agreement: Agreement) -> bool:
    """Whether nobody is waited for any more: the number at which the round closes is there, or all present members are.

    Fewer than the cohort's minimum never complete a round.
    """
    bounds = agreement.spec.cohort
    if row.count < bounds.minimum:
        return False
    if bounds.closes_at and row.count >= bounds.closes_at:
        return True
    if row.count >= row.cohort:
        return True
    horizon = context.now - context.settings.presence_seconds
    return find_next_absence(session, row, horizon) is None
