"""What became of a node's contributions, round by round: copies of entries, which anyone can verify, and their sums.

Nothing here decides anything. There is no reputation: what a node did weighs on it as credit, within one job, as its
entries say, and nowhere else. Rounds that were struck are shown and count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds.moves import SEALED
from coordinator.rounds.tables import EntryRow, RoundRow
from ledger import canonical, wire
from ledger.entry import Entry, Verdict


@dataclass
class Record:
    """Sums over entries of standing rounds: how many of each verdict, scores in 2^-40 nats."""

    verdicts: dict[str, int] = field(default_factory=dict)
    score: int = 0
    first_round: int = 0
    last_round: int = 0

    def add(self, number: int, verdict: int, score: int) -> None:
        """Counts one entry; rounds come in order."""
        name = name_verdict(verdict)
        self.verdicts[name] = self.verdicts.get(name, 0) + 1
        self.score += score
        self.first_round, self.last_round = self.first_round or number, number


def name_verdict(verdict: int) -> str:
    """A verdict in a word, as section 4 of `docs/protocol.md` lists them."""
    return Verdict(verdict).name.lower().replace("_", "-")


def list_records(session: Session, job: bytes) -> dict[bytes, Record]:
    """The record of every node in a job."""
    standing = _list_states(session, [job])
    query = select(EntryRow.node, EntryRow.round, EntryRow.verdict, EntryRow.score).where(EntryRow.job == job)
    records: dict[bytes, Record] = {}
    for node, number, verdict, score in session.exec(query.order_by(col(EntryRow.round))).all():
        if standing.get((job, number)) in SEALED:
            records.setdefault(node, Record()).add(number, verdict, score)
    return records


def show_history(session: Session, node: bytes, job: bytes | None, limit: int) -> wire.NodeHistory:
    """A node's entries, job by job, the newest `limit` lines of each; of one job only, if it is named."""
    query = select(EntryRow).where(EntryRow.node == node)
    wanted = query if job is None else query.where(EntryRow.job == job)
    by_job: dict[bytes, list[EntryRow]] = {}
    for row in session.exec(wanted.order_by(col(EntryRow.job), col(EntryRow.round))).all():
        by_job.setdefault(row.job, []).append(row)
    states = _list_states(session, by_job)
    return wire.NodeHistory(
        node=node, jobs=[_build_job(session, one, rows, states, limit) for one, rows in by_job.items()]
    )


def _build_job(
    session: Session, job: bytes, rows: Sequence[EntryRow], states: Mapping[tuple[bytes, int], str], limit: int
) -> wire.JobHistory:
    record, reward = Record(), 0
    for row in rows:
        if states[job, row.round] in SEALED:
            record.add(row.round, row.verdict, row.score)
            reward += row.reward
    return wire.JobHistory(
        job=job,
        title=load_agreement(load_job(session, job)).spec.title,
        verdicts=record.verdicts,
        score=record.score,
        reward=reward,
        first_round=record.first_round,
        last_round=record.last_round,
        rounds=[_build_line(row, states[job, row.round]) for row in rows[-limit:]],
    )


def _build_line(row: EntryRow, state: str) -> wire.HistoryLine:
    entry = Entry.from_json(canonical.decode(row.entry))
    return wire.HistoryLine(
        round=row.round,
        state=state,  # type: ignore[arg-type]  # the column holds only what the moves allow
        seq=row.seq,
        verdict=name_verdict(row.verdict),
        weight=entry.body.weight,
        score=entry.body.score,
        credit=entry.body.credit,
        gain=entry.body.gain,
        reward=entry.body.reward,
        earned=entry.earned,
    )


def _list_states(session: Session, jobs: Iterable[bytes]) -> dict[tuple[bytes, int], str]:
    query = select(RoundRow.job, RoundRow.round, RoundRow.state).where(col(RoundRow.job).in_(list(jobs)))
    return {(job, number): state for job, number, state in session.exec(query).all()}
