"""Rounds, contributions, entries and evidence in the database.

Statements on a round's own path are built once: building one costs more than running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, bindparam, func
from sqlmodel import Session, col, select

from coordinator.rounds.moves import OPEN, SEALED
from coordinator.rounds.tables import CohortRow, ContributionRow, DrawRow, EntryRow, EvidenceRow, RoundRow, StandingRow
from ledger.tree import Leaf

_JOB: BindParameter[bytes] = bindparam("job")
_ROUND: BindParameter[int] = bindparam("round")
_NODES: BindParameter[list[bytes]] = bindparam("nodes", expanding=True)
_ROUNDS_IN = (
    select(RoundRow)
    .where(col(RoundRow.state).in_(bindparam("states", expanding=True)))
    .order_by(col(RoundRow.job), col(RoundRow.round))
)
_BY_KEY = select(RoundRow).where(RoundRow.job == _JOB, RoundRow.round == _ROUND)
# What was read before the row was held may have changed meanwhile.
_HELD = _BY_KEY.with_for_update().execution_options(populate_existing=True)
_NEWEST = select(RoundRow).where(RoundRow.job == _JOB).order_by(col(RoundRow.round).desc()).limit(1)
_UNANCHORED = select(func.count()).where(col(RoundRow.job) == _JOB, col(RoundRow.state) == "sealed")
_CONTRIBUTIONS = (
    select(ContributionRow)
    .where(ContributionRow.job == _JOB, ContributionRow.round == _ROUND)
    .order_by(col(ContributionRow.seq))
)
_CONTRIBUTIONS_BY = select(ContributionRow).where(
    ContributionRow.job == _JOB, ContributionRow.round == _ROUND, col(ContributionRow.node).in_(_NODES)
)
_COMMITMENTS = select(ContributionRow.contribution, ContributionRow.commitment).where(
    ContributionRow.job == _JOB, ContributionRow.round == _ROUND
)
_STATE_BY = select(ContributionRow.state).where(
    ContributionRow.job == _JOB, ContributionRow.round == _ROUND, ContributionRow.node == bindparam("node")
)
_MEMBERS = select(CohortRow.node).where(
    CohortRow.job == _JOB, CohortRow.round == _ROUND, col(CohortRow.node).in_(_NODES)
)
_STANDINGS = select(StandingRow).where(StandingRow.job == _JOB)
_STANDINGS_OF = _STANDINGS.where(col(StandingRow.node).in_(_NODES))


def find_round(session: Session, job: bytes, number: int, *, lock: bool = False) -> RoundRow | None:
    """A round; `lock` holds its row for the transaction."""
    return session.exec(_HELD if lock else _BY_KEY, params={"job": job, "round": number}).first()


def list_rounds(session: Session, job: bytes, states: Iterable[str] = ()) -> Sequence[RoundRow]:
    """A job's rounds in these states (all without any), in order."""
    query = select(RoundRow).where(RoundRow.job == job).order_by(col(RoundRow.round))
    wanted = list(states)
    return session.exec(query.where(col(RoundRow.state).in_(wanted)) if wanted else query).all()


def list_rounds_in(session: Session, states: Iterable[str]) -> Sequence[RoundRow]:
    """Rounds of all jobs in these states."""
    return session.exec(_ROUNDS_IN, params={"states": list(states)}).all()


def find_newest(session: Session, job: bytes) -> RoundRow | None:
    """The job's newest round."""
    return session.exec(_NEWEST, params={"job": job}).first()


def find_open(session: Session, job: bytes) -> RoundRow | None:
    """The job's round that is not sealed yet."""
    query = select(RoundRow).where(RoundRow.job == job, col(RoundRow.state).in_(OPEN))
    return session.exec(query).first()


def list_bases(session: Session, row: RoundRow, rounds: int) -> list[bytes]:
    """The base model of a round, then those of up to so many rounds before it."""
    if rounds == 0:
        return [row.base_model]
    query = select(RoundRow.base_model).where(
        RoundRow.job == row.job, col(RoundRow.round) < row.round, col(RoundRow.round) >= row.round - rounds
    )
    return [row.base_model, *session.exec(query.order_by(col(RoundRow.round).desc())).all()]


def count_unanchored(session: Session, job: bytes) -> int:
    """How many sealed rounds of the job the chain does not hold yet."""
    return session.exec(_UNANCHORED, params={"job": job}).one()


def find_contribution(session: Session, digest: bytes, *, lock: bool = False) -> ContributionRow | None:
    """The contribution with this digest."""
    return session.get(ContributionRow, digest, with_for_update=lock)


def find_contributions(session: Session, digests: Iterable[bytes]) -> dict[bytes, ContributionRow]:
    """Those of these contributions that have a receipt, by digest, their rows held for the transaction."""
    query = select(ContributionRow).where(col(ContributionRow.contribution).in_(list(digests))).with_for_update()
    return {row.contribution: row for row in session.exec(query).all()}


def find_contributions_by(
    session: Session, job: bytes, number: int, nodes: Iterable[bytes]
) -> dict[bytes, ContributionRow]:
    """The contributions of these nodes to a round, by node."""
    found = session.exec(_CONTRIBUTIONS_BY, params={"job": job, "round": number, "nodes": list(nodes)})
    return {row.node: row for row in found.all()}


def list_contributions(session: Session, job: bytes, number: int) -> Sequence[ContributionRow]:
    """A round's contributions in seq order."""
    return session.exec(_CONTRIBUTIONS, params={"job": job, "round": number}).all()


def find_state(session: Session, job: bytes, number: int, node: bytes) -> str | None:
    """The state of a node's contribution to a round, None without one."""
    return session.exec(_STATE_BY, params={"job": job, "round": number, "node": node}).first()


def list_contributors(session: Session, job: bytes, number: int) -> set[bytes]:
    """The nodes that have contributed to a round."""
    query = select(ContributionRow.node).where(ContributionRow.job == job, ContributionRow.round == number)
    return set(session.exec(query).all())


def list_digests(session: Session, job: bytes, number: int) -> list[bytes]:
    """A round's contribution digests in seq order."""
    query = select(ContributionRow.contribution).where(ContributionRow.job == job, ContributionRow.round == number)
    return list(session.exec(query.order_by(col(ContributionRow.seq))).all())


def list_commitments(session: Session, job: bytes, number: int) -> dict[bytes, bytes]:
    """The commitments of a round's contributions, by the contribution's digest."""
    rows = session.execute(_COMMITMENTS, {"job": job, "round": number}).all()
    return {row.contribution: row.commitment for row in rows}


def list_cohort(session: Session, job: bytes, number: int) -> set[bytes]:
    """The nodes admitted to a round."""
    return set(session.exec(select(CohortRow.node).where(CohortRow.job == job, CohortRow.round == number)).all())


def find_draw(session: Session, job: bytes, number: int) -> DrawRow | None:
    """How a round's cohort came about."""
    return session.get(DrawRow, (job, number))


def find_members(session: Session, job: bytes, number: int, nodes: Iterable[bytes]) -> set[bytes]:
    """Which of these nodes were admitted to a round."""
    return set(session.exec(_MEMBERS, params={"job": job, "round": number, "nodes": list(nodes)}).all())


def list_entries(session: Session, job: bytes, number: int) -> Sequence[EntryRow]:
    """A sealed round's entries in seq order."""
    query = select(EntryRow).where(EntryRow.job == job, EntryRow.round == number)
    return session.exec(query.order_by(col(EntryRow.seq))).all()


def list_leaves(session: Session, job: bytes, number: int) -> list[Leaf]:
    """A sealed round's leaves in seq order, without the padding."""
    query = select(EntryRow.seq, EntryRow.node, EntryRow.earned, EntryRow.body)
    rows = session.exec(query.where(EntryRow.job == job, EntryRow.round == number).order_by(col(EntryRow.seq))).all()
    return [Leaf(*row) for row in rows]


def find_entry(session: Session, job: bytes, number: int, node: bytes) -> EntryRow | None:
    """A node's entry in a round."""
    query = select(EntryRow).where(EntryRow.job == job, EntryRow.round == number, EntryRow.node == node)
    return session.exec(query).first()


def find_entry_at(session: Session, job: bytes, number: int, seq: int) -> EntryRow | None:
    """The entry at one seq of a round."""
    return session.get(EntryRow, (job, number, seq))


def list_standings(session: Session, job: bytes, nodes: Iterable[bytes] | None = None) -> dict[bytes, StandingRow]:
    """What nodes carry in a job, by node; of all nodes unless some are named."""
    if nodes is None:
        rows = session.exec(_STANDINGS, params={"job": job}).all()
    else:
        rows = session.exec(_STANDINGS_OF, params={"job": job, "nodes": list(nodes)}).all()
    return {row.node: row for row in rows}


def list_standings_of(session: Session, node: bytes) -> Sequence[StandingRow]:
    """What one node carries, job by job."""
    return session.exec(select(StandingRow).where(StandingRow.node == node)).all()


def is_state_kept(session: Session, state: bytes) -> bool:
    """Whether some round still needs this file of what learning carries."""
    return session.exec(select(RoundRow.round).where(RoundRow.state_file == state).limit(1)).first() is not None


def list_evidence(session: Session, job: bytes, number: int) -> dict[str, EvidenceRow]:
    """A round's evidence files by name."""
    query = select(EvidenceRow).where(EvidenceRow.job == job, EvidenceRow.round == number)
    return {row.name: row for row in session.exec(query).all()}


def list_sealed_after(session: Session, job: bytes, number: int) -> Sequence[RoundRow]:
    """A job's standing sealed rounds with a higher number, in order."""
    query = select(RoundRow).where(RoundRow.job == job, col(RoundRow.round) > number, col(RoundRow.state).in_(SEALED))
    return session.exec(query.order_by(col(RoundRow.round))).all()


def list_final_before(session: Session, job: bytes, horizon: int) -> Sequence[RoundRow]:
    """A job's rounds that were final by then (unix seconds)."""
    query = select(RoundRow).where(RoundRow.job == job, RoundRow.state == "final", col(RoundRow.final_at) <= horizon)
    return session.exec(query).all()


def list_payloads(session: Session, job: bytes, number: int) -> set[bytes]:
    """The payloads of a round."""
    query = select(ContributionRow.payload).where(ContributionRow.job == job, ContributionRow.round == number)
    return {payload for payload in session.exec(query).all() if payload is not None}


def list_rounds_with(session: Session, payload: bytes) -> set[tuple[bytes, int]]:
    """The rounds, of all jobs, that have this payload."""
    query = select(ContributionRow.job, ContributionRow.round).where(ContributionRow.payload == payload)
    return {(job, number) for job, number in session.exec(query).all()}
