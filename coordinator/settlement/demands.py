"""Demands on chain: each is noted when the court reports it, and answered by the worker until its time is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlmodel import Session, col, select

from contracts.challenges import Answer, CourtCalls, PostedJob
from contracts.transactions import Call
from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import service as rounds
from coordinator.rounds import store as round_store
from coordinator.rounds.counter import build_receipt
from coordinator.rounds.tables import RoundRow
from coordinator.settlement.needs import Need, build_anchor
from coordinator.settlement.outbox import find_at_work, ignore
from coordinator.settlement.tables import DemandRow
from ledger import canonical
from ledger.faults.faults import ProvenEntry
from ledger.hexadecimal import to_hex
from ledger.statements import Contribution, Signed

WAITING, ANSWERED = "waiting", "answered"
ANSWERS_A_LOOK: Final = 20


def note_demand(session: Session, job: bytes, number: int, seq: int, answer_by: int) -> None:
    """The court reports a demand."""
    session.merge(DemandRow(job=job, round=number, seq=seq, answer_by=answer_by, state=WAITING))


def note_answered(session: Session, job: bytes, number: int, seq: int, *, is_answered: bool) -> None:
    """The court was shown the entry, by whoever; or a fork took that back."""
    row = session.get(DemandRow, (job, number, seq))
    if row is not None:
        row.state = ANSWERED if is_answered else WAITING
        session.add(row)


def forget_demand(session: Session, job: bytes, number: int, seq: int) -> None:
    """A fork took the demand back."""
    row = session.get(DemandRow, (job, number, seq))
    if row is not None:
        session.delete(row)


def list_waiting(session: Session, now: int) -> Sequence[DemandRow]:
    """Demands whose answer still counts, the most urgent first."""
    query = select(DemandRow).where(DemandRow.state == WAITING, col(DemandRow.answer_by) >= now)
    return session.exec(query.order_by(col(DemandRow.answer_by), col(DemandRow.round), col(DemandRow.seq))).all()


def find_answers(session: Session, calls: CourtCalls, now: int) -> Iterator[Need]:
    """An answer for each demand that waits for one, a few a look."""
    for demand in list_waiting(session, now)[:ANSWERS_A_LOOK]:
        subject = f"answer:{to_hex(demand.job)}:{demand.round}:{demand.seq}"
        row = round_store.find_round(session, demand.job, demand.round)
        # A struck round owes nobody an answer; the ledger would refuse it.
        if row is not None and row.state == "anchored" and find_at_work(session, subject) is None:
            yield Need(subject, _build_answer(session, calls, row, demand.seq), ignore)


def _build_answer(session: Session, calls: CourtCalls, row: RoundRow, seq: int) -> Call:
    terms = load_agreement(load_job(session, row.job)).terms
    if seq >= row.count:
        job = PostedJob(terms, {row.round: build_anchor(row)})
        return calls.answer_padding(job, row.round, seq, rounds.load_proof(session, row, seq))
    contribution = round_store.list_contributions(session, row.job, row.round)[seq]
    entry = _prove(session, row, contribution.node)
    before = entry.entry.body.previous_round
    anchors, previous = {row.round: build_anchor(row)}, None
    if before:
        earlier = rounds.load_round(session, row.job, before)
        anchors[before], previous = build_anchor(earlier), _prove(session, earlier, contribution.node)
    statement = Contribution.from_json(canonical.decode(contribution.statement))
    signed = Signed(statement, contribution.signature)
    return calls.answer(PostedJob(terms, anchors), Answer(entry, signed, build_receipt(contribution), previous))


def _prove(session: Session, row: RoundRow, node: bytes) -> ProvenEntry:
    entry, proof = rounds.load_entry(session, row.job, row.round, node)
    return ProvenEntry(row.round, entry, tuple(proof))
