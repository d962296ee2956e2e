"""Rounds, entries, work and earnings as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, select

from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import store
from coordinator.rounds.errors import NotClosedYet, NotSealedYet
from coordinator.rounds.history import Record, list_records
from coordinator.rounds.phases import build_closing
from coordinator.rounds.service import load_entry, load_header, load_round
from coordinator.rounds.tables import ContributionRow, RoundRow
from ledger import wire
from ledger.statements import Signed

_MOST_REPORTED: Final = 1e15
"""Of seconds or a loss: beyond, and `nan`, nobody measured it, and a sum of such has no form in JSON."""


def build_round(row: RoundRow) -> wire.RoundView:
    """A round as it stands."""
    return wire.RoundView(
        job=row.job,
        round=row.round,
        state=row.state,  # type: ignore[arg-type]  # the column holds only what the moves allow
        parent=row.parent,
        base_model=row.base_model,
        seed_digest=row.seed_digest,
        opened_at=row.opened_at,
        commit_deadline=row.commit_deadline,
        reveal_deadline=row.reveal_deadline,
        cohort=row.cohort,
        committed=row.count,
        revealed=row.revealed,
        accepted=row.accepted,
        clip=row.clip,
        header=row.header_digest,
        next_model=row.next_model,
        total_score=row.total_score,
        pot=row.pot,
        total_reward=row.total_reward,
        void=row.void,
        metrics=row.metrics,
        timings=row.timings,
        transaction=row.transaction,
        final_at=row.final_at,
    )


def build_header(row: RoundRow) -> wire.HeaderView:
    """A round's signed header, with its anchor once it is posted. Raises NotSealedYet."""
    header = load_header(row)
    if header is None:
        raise NotSealedYet(row.job, row.round, row.state)
    return wire.HeaderView(header=header, anchor=build_anchor(row))


def build_anchor(row: RoundRow) -> wire.Anchor | None:
    """Where a round stands on chain, None before it is posted."""
    header = load_header(row)
    if header is None or row.header_digest is None or row.final_at is None:
        return None
    if row.transaction is None or row.block is None:
        return None
    return wire.Anchor(
        header_digest=row.header_digest,
        entries_root=header.statement.entries_root,
        count=header.statement.count,
        final_at=row.final_at,
        transaction=row.transaction,
        block=row.block,
    )


def show_closing(session: Session, job: bytes, number: int) -> wire.ClosingView:
    """A round's closing with the digests it fixes. Raises UnknownRound, NotClosedYet."""
    row = load_round(session, job, number)
    if row.closing_signature is None:
        raise NotClosedYet(job, number, row.commit_deadline)
    closing = Signed(build_closing(row), row.closing_signature)
    return wire.ClosingView(closing=closing, contributions=store.list_digests(session, job, number))


def show_entry(session: Session, job: bytes, number: int, node: bytes) -> wire.EntryView:
    """A node's entry with proof, header and anchor. Raises UnknownRound, NotSealedYet, UnknownEntry."""
    row = load_round(session, job, number)
    header = build_header(row)
    entry, proof = load_entry(session, job, number, node)
    return wire.EntryView(entry=entry.to_json(), proof=proof, header=header.header, anchor=header.anchor)


def list_rounds(session: Session, job: bytes) -> list[wire.RoundView]:
    """A job's rounds in order. Raises UnknownJob."""
    load_job(session, job)
    return [build_round(row) for row in store.list_rounds(session, job)]


def list_work(session: Session, job: bytes) -> list[wire.NodeWork]:
    """Every node's part in a job, the most earned first. Raises UnknownJob."""
    load_job(session, job)
    standings, records = store.list_standings(session, job), list_records(session, job)
    work = []
    for node, rows in _group(session, job).items():
        standing, record = standings.get(node), records.get(node, Record())
        last = rows[-1]
        work.append(
            wire.NodeWork(
                node=node,
                contributions=len(rows),
                accepted=sum(row.state == "accepted" for row in rows),
                samples=last.samples,
                compute_seconds=round(sum(_read_number(row, "seconds") or 0.0 for row in rows), 3),
                loss=_read_number(last, "loss"),
                credit=0 if standing is None else standing.credit,
                earned=0 if standing is None else standing.earned,
                claimed=0 if standing is None else standing.claimed,
                final_earned=0 if standing is None else standing.final_earned,
                verdicts=record.verdicts,
                score=record.score,
                first_round=record.first_round,
                last_round=record.last_round,
            )
        )
    return sorted(work, key=lambda one: (-one.earned, one.node))


def show_earnings(session: Session, node: bytes) -> wire.Earnings:
    """What a node has earned, job by job."""
    jobs = []
    for standing in store.list_standings_of(session, node):
        title = load_agreement(load_job(session, standing.job)).spec.title
        jobs.append(
            wire.JobEarnings(
                job=standing.job,
                title=title,
                earned=standing.earned,
                final_earned=standing.final_earned,
                claimed=standing.claimed,
                last_round=standing.round,
                last_final_round=standing.final_round,
            )
        )
    return wire.Earnings(node=node, jobs=jobs)


def _group(session: Session, job: bytes) -> dict[bytes, Sequence[ContributionRow]]:
    query = select(ContributionRow).where(ContributionRow.job == job).order_by(col(ContributionRow.round))
    grouped: dict[bytes, list[ContributionRow]] = {}
    for row in session.exec(query).all():
        grouped.setdefault(row.node, []).append(row)
    return dict(grouped)


def _read_number(row: ContributionRow, name: str) -> float | None:
    """What a node said in its report; None unless it is a number from 0 that can be served, and summed with others."""
    try:
        number = float(row.report[name])
    except (KeyError, ValueError):
        return None
    return number if 0 <= number <= _MOST_REPORTED else None
