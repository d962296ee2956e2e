"""Nonces and tokens in the database."""

from __future__ import annotations

from sqlmodel import Session, col, delete

from coordinator.access.tables import NonceRow, TokenRow


def add_nonce(session: Session, row: NonceRow) -> None:
    """Keep a nonce until it is used or expires; expired ones go."""
    session.exec(delete(NonceRow).where(col(NonceRow.expires_at) < row.issued_at))
    session.add(row)


def take_nonce(session: Session, nonce: str) -> NonceRow | None:
    """Return and delete a nonce: it serves once."""
    row = session.get(NonceRow, nonce, with_for_update=True)
    if row is not None:
        session.delete(row)
    return row


def add_token(session: Session, row: TokenRow, now: int) -> None:
    """Keep a token's digest; expired ones go."""
    session.exec(delete(TokenRow).where(col(TokenRow.expires_at) < now))
    session.add(row)


def find_token(session: Session, digest: bytes) -> TokenRow | None:
    """The token with this SHA-256."""
    return session.get(TokenRow, digest)
