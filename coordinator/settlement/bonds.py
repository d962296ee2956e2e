"""Bonds that the ledger holds for our jobs: what its events say of each, so that settlement frees it and asks once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from coordinator.settlement.tables import BondRow

LOCKED, RELEASED, CUT = "locked", "released", "cut"


def note_locked(session: Session, job: bytes) -> None:
    """The job was opened: its bond is locked."""
    session.merge(BondRow(job=job, state=LOCKED))


def forget_bond(session: Session, job: bytes) -> None:
    """A fork took the opening back."""
    row = session.get(BondRow, job)
    if row is not None:
        session.delete(row)


def note_state(session: Session, job: bytes, state: str) -> None:
    """The bond was released or cut, by whoever; or a fork took that back."""
    row = session.get(BondRow, job)
    if row is not None:
        row.state = state
        session.add(row)


def note_closes_at(session: Session, job: bytes, closes_at: int | None) -> None:
    """An end was asked for, with effect from then; None: a fork took that back."""
    row = session.get(BondRow, job)
    if row is not None:
        row.closes_at = closes_at
        session.add(row)


def note_closed(session: Session, job: bytes, *, is_closed: bool) -> None:
    """The ledger closed the job, or a fork took that back: in both cases nothing is known of when the bond is free."""
    row = session.get(BondRow, job)
    if row is not None:
        row.closed, row.free_at = is_closed, None
        session.add(row)


def note_free_at(session: Session, job: bytes, free_at: int) -> None:
    """The ledger says from when the bond of a closed job can be released."""
    row = session.get_one(BondRow, job)
    row.free_at = free_at
    session.add(row)


def list_locked(session: Session, *, closed: bool) -> Sequence[BondRow]:
    """Locked bonds of jobs that the ledger has closed, or of those that it has not."""
    query = select(BondRow).where(BondRow.state == LOCKED, BondRow.closed == closed)
    return session.exec(query.order_by(col(BondRow.job))).all()
