"""Relayed claims: asked for by anyone, paid to the node's payout address and to no other: asking needs no trust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from coordinator.context import Context
from coordinator.rounds import service as rounds
from coordinator.rounds import store as round_store
from coordinator.rounds.errors import UnknownEntry
from coordinator.settlement.errors import NotFinalYet, NothingToClaim, RelayLimit, UnknownClaim
from coordinator.settlement.outbox import find_newest
from coordinator.settlement.tables import ClaimRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from ledger import wire

QUEUED, SENT, PAID, FAILED = "queued", "sent", "paid", "failed"
WAITING: Final = (QUEUED, SENT)
_DAY_SECONDS: Final = 86_400


def ask(session: Session, context: Context, request: wire.ClaimRequest, limit_per_day: int) -> ClaimRow:
    """Queue a claim; asking again while it waits returns the same one.

    Raises:
        UnknownRound, UnknownEntry: there is no such entry.
        NotFinalYet: the round can still be challenged.
        NothingToClaim: all of it is drawn.
        RelayLimit: the node has had its claims for today.
    """
    row = rounds.load_round(session, request.job, request.round)
    entry = round_store.find_entry(session, request.job, request.round, request.node)
    if entry is None:
        raise UnknownEntry(request.job, request.round, request.node)
    waiting = _find_waiting(session, request)
    if waiting is not None:
        return waiting
    if row.state != "final":
        raise NotFinalYet(request.job, request.round, row.state, row.final_at)
    standing = round_store.list_standings(session, request.job, [request.node])[request.node]
    if standing.claimed >= entry.earned:
        raise NothingToClaim(request.job, request.round, request.node, entry.earned, standing.claimed)
    if _count_since(session, request.node, context.now - _DAY_SECONDS) >= limit_per_day:
        raise RelayLimit(request.node, limit_per_day)
    claim = ClaimRow(
        job=request.job,
        round=request.round,
        node=request.node,
        state=QUEUED,
        earned=entry.earned,
        asked_at=context.now,
    )
    session.add(claim)
    session.flush()
    announce(session, Topic.CLAIMS)
    return claim


def load_claim(session: Session, number: int) -> ClaimRow:
    """The claim with this number. Raises UnknownClaim."""
    row = session.get(ClaimRow, number)
    if row is None:
        raise UnknownClaim(number)
    return row


def list_queued(session: Session) -> Sequence[ClaimRow]:
    """Claims that wait for a transaction, oldest first."""
    return session.exec(select(ClaimRow).where(ClaimRow.state == QUEUED).order_by(col(ClaimRow.id))).all()


def list_sent(session: Session) -> Sequence[ClaimRow]:
    """Claims whose transaction is at work or has ended without an answer for them."""
    return session.exec(select(ClaimRow).where(ClaimRow.state == SENT).order_by(col(ClaimRow.id))).all()


def mark_sent(session: Session, claims: Sequence[ClaimRow], subject: str) -> None:
    """A transaction with this subject carries these claims."""
    for claim in claims:
        claim.state, claim.subject, claim.detail = SENT, subject, ""
        session.add(claim)


def note_waiting(session: Session, claims: Sequence[ClaimRow], detail: str) -> None:
    """Why these claims still wait for a transaction."""
    for claim in claims:
        claim.detail = detail
        session.add(claim)


def mark_paid(session: Session, job: bytes, node: bytes, *, earned: int, amount: int) -> None:
    """The chain paid the node up to `earned`: every waiting claim of at most that is done."""
    for claim in _list_of(session, job, node, WAITING):
        if claim.earned <= earned:
            claim.state, claim.amount, claim.detail = PAID, amount, ""
            session.add(claim)
    announce(session, Topic.PROGRESS)


def mark_unpaid(session: Session, job: bytes, node: bytes, *, earned: int) -> None:
    """A fork took the payment back: its transaction is broadcast again, so the claim waits again."""
    for claim in _list_of(session, job, node, (PAID,)):
        if claim.earned <= earned:
            claim.state, claim.amount, claim.detail = SENT, 0, "the chain reorganised; the payment is sent again"
            session.add(claim)


def mark_failed(session: Session, job: bytes, node: bytes, round_number: int, detail: str) -> None:
    """The contract refused this item."""
    for claim in _list_of(session, job, node, WAITING):
        if claim.round == round_number:
            claim.state, claim.detail = FAILED, detail
            session.add(claim)


def requeue(session: Session, subject: str, detail: str) -> None:
    """The transaction of these claims will never be mined: they need another."""
    query = select(ClaimRow).where(ClaimRow.subject == subject, ClaimRow.state == SENT)
    for claim in session.exec(query).all():
        claim.state, claim.subject, claim.detail = QUEUED, "", detail
        session.add(claim)


def build_view(session: Session, claim: ClaimRow) -> wire.ClaimView:
    """A claim as the API shows it."""
    transaction = find_newest(session, claim.subject) if claim.subject else None
    return wire.ClaimView(
        claim=claim.id or 0,
        job=claim.job,
        round=claim.round,
        node=claim.node,
        state=claim.state,  # type: ignore[arg-type]  # the column holds only what this module writes
        amount=claim.amount,
        detail=claim.detail,
        transaction=None if transaction is None else transaction.hash,
    )


def _find_waiting(session: Session, request: wire.ClaimRequest) -> ClaimRow | None:
    waiting = _list_of(session, request.job, request.node, WAITING)
    return next((claim for claim in waiting if claim.round == request.round), None)


def _list_of(session: Session, job: bytes, node: bytes, states: Sequence[str]) -> Sequence[ClaimRow]:
    query = select(ClaimRow).where(ClaimRow.job == job, ClaimRow.node == node, col(ClaimRow.state).in_(states))
    return session.exec(query.order_by(col(ClaimRow.id))).all()


def _count_since(session: Session, node: bytes, since: int) -> int:
    query = select(func.count()).where(col(ClaimRow.node) == node, col(ClaimRow.asked_at) >= since)
    return session.exec(query).one()
