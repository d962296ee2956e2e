"""Tables of sign-in: nonces that were given out, and tokens by their digest only."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class NonceRow(SQLModel, table=True):
    """A nonce given out for one address; deleted when used, so it serves once."""

    __tablename__ = "nonces"

    nonce: str = Field(primary_key=True)
    address: bytes
    issued_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger, index=True)


class TokenRow(SQLModel, table=True):
    """A bearer token; only its SHA-256 is kept."""

    __tablename__ = "tokens"

    digest: bytes = Field(primary_key=True)
    address: bytes = Field(index=True)
    expires_at: int = Field(sa_type=BigInteger, index=True)
