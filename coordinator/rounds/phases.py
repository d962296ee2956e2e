"""A round's phases: opening, the end of committing, the end of revealing. Parts of the caller's transaction."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import RUNNING, Agreement, load_agreement
from coordinator.jobs.service import load_job
from coordinator.jobs.store import add_log
from coordinator.jobs.tables import JobRow
from coordinator.rounds import cohort, draws, store
from coordinator.rounds.moves import move
from coordinator.rounds.tables import RoundRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from learning.rules import LearningRules
from ledger.commitment import compute_seed_digest, start_accumulator
from ledger.statements import Closing, Signed

_SEED_BYTES = 32
_log = structlog.get_logger()


def open_next(session: Session, context: Context, job: JobRow) -> RoundRow | None:
    """Open the job's next round, unless it must wait or has none left.

    1. the job runs and its newest round is sealed; 2. not too many rounds wait for the chain; 3. enough nodes are
    present. The seed is stored here, before its digest is told to anyone.
    """
    agreement = load_agreement(job)
    # 1
    before = store.find_newest(session, job.job)
    number = before.round + 1 if before is not None else 1
    sealed = before is None or before.header_digest is not None
    if job.state != RUNNING or not sealed or number > agreement.terms.rounds:
        return None
    # 2
    if store.count_unanchored(session, job.job) >= context.settings.max_unanchored_rounds:
        _wait(session, context, job, "waits for the chain: too many rounds are not anchored")
        return None
    # 3
    candidates = cohort.list_candidates(session, context, job.job, agreement)
    minimum = agreement.spec.cohort.minimum
    if len(candidates) < minimum:
        _wait(session, context, job, f"waits for nodes: {minimum} needed for a round")
        return None
    if draws.must_wait(session, agreement, before, candidates, context.now):
        _wait(session, context, job, "waits for the chain: a round opens once it is caught up with")
        return None
    return _open(session, context, job, agreement, before, candidates)


def close_commit(session: Session, context: Context, row: RoundRow, agreement: Agreement) -> None:
    """Sign that no more commitments come: the list is fixed, nodes may reveal."""
    row.closed_at = max(context.now, row.opened_at)
    row.reveal_deadline = row.closed_at + agreement.spec.reveal_seconds
    row.closing_signature = Signed.issue(build_closing(row), context.domain, context.signer).signature
    note_time(context, row, "closedAt", "commitSeconds", since="openedAt")
    move(session, row, "revealing")
    announce(session, Topic.ASSIGNMENTS)
    _log.info("round_closed", job=row.job.hex(), round=row.round, count=row.count)


def end_reveal(session: Session, context: Context, row: RoundRow) -> None:
    """No more payloads are taken: the tally is to be computed."""
    note_time(context, row, "revealedAt", "revealSeconds", since="closedAt")
    move(session, row, "tallying")
    _log.info("round_revealed", job=row.job.hex(), round=row.round, revealed=row.revealed, count=row.count)


def prolong_commit(session: Session, context: Context, row: RoundRow, agreement: Agreement) -> None:
    """Move the deadline of a round without any receipt; parent and seed stay."""
    row.commit_deadline = context.now + agreement.spec.commit_seconds
    session.add(row)
    announce(session, Topic.ROUNDS, Topic.ASSIGNMENTS)


def drop_round(session: Session, row: RoundRow) -> None:
    """End a round without any receipt in a job that runs no more."""
    move(session, row, "rejected")
    announce(session, Topic.ASSIGNMENTS)
    _log.info("round_dropped", job=row.job.hex(), round=row.round)


def extend_open(session: Session, seconds: int) -> None:
    """Give back to nodes the time in which the coordinator itself was out; an ending job promises nothing new in it."""
    for row in store.list_rounds_in(session, ("committing", "revealing")):
        if row.state == "committing" and row.count == 0 and load_job(session, row.job).state != RUNNING:
            continue
        if row.state == "committing":
            row.commit_deadline += seconds
        elif row.reveal_deadline is not None:
            row.reveal_deadline += seconds
        session.add(row)
    announce(session, Topic.ROUNDS, Topic.ASSIGNMENTS)


def note_time(context: Context, row: RoundRow, at: str, seconds: str, since: str) -> None:
    """Note when a phase ended and how long it took; only shown, never signed."""
    now = round(context.clock(), 3)
    row.timings = {**row.timings, at: now, seconds: round(now - row.timings[since], 3)}


def build_closing(row: RoundRow) -> Closing:
    """The closing of a round whose commit phase has ended."""
    assert row.closed_at is not None  # noqa: S101  set by `close_commit` before its first use
    return Closing(row.job, row.round, row.count, row.accumulator, row.closed_at, row.seed_digest)


def _open(
    session: Session,
    context: Context,
    job: JobRow,
    agreement: Agreement,
    before: RoundRow | None,
    candidates: list[bytes],
) -> RoundRow:
    number = 1 if before is None else before.round + 1
    parent = job.job if before is None or before.header_digest is None else before.header_digest
    seed = context.randomness(_SEED_BYTES)
    row = RoundRow(
        job=job.job,
        round=number,
        state="committing",
        parent=parent,
        base_model=job.model,
        seed=seed,
        seed_digest=compute_seed_digest(seed),
        clip=LearningRules.of(agreement.spec).first_clip
        if before is None or before.next_clip is None
        else before.next_clip,
        opened_at=context.now,
        commit_deadline=context.now + agreement.spec.commit_seconds,
        accumulator=start_accumulator(job.job, number, parent),
        cohort=0,
        timings={"openedAt": round(context.clock(), 3)},
    )
    session.add(row)
    drawn = draws.draw(session, job, agreement, before, candidates)
    cohort.admit(session, row, drawn.admitted, row.opened_at)
    draws.keep(session, row, drawn)
    job.detail = f"round {number} of {agreement.terms.rounds}"
    session.add(job)
    announce(session, Topic.ROUNDS, Topic.ASSIGNMENTS, Topic.PROGRESS)
    _log.info("round_opened", job=job.job.hex(), round=number, cohort=row.cohort)
    return row


def _wait(session: Session, context: Context, job: JobRow, why: str) -> None:
    if job.detail != why:
        job.detail = why
        session.add(job)
        add_log(session, job.job, context.now, why)
