"""Tables of settlement: transactions, each durable before it is sent; claims; demands; bonds; what was read."""

from __future__ import annotations

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from coordinator.storage.columns import DecimalText


class TransactionRow(SQLModel, table=True):
    """A signed transaction. `subject` names what it is for, so that one need never has two transactions at work.

    States: signed (maybe sent) → mined → settled (its block is final); or reverted; or dropped (its nonce went to
    another). A reorganisation takes a mined one back to signed. Fees in wei.
    """

    __tablename__ = "transactions"
    __table_args__ = (UniqueConstraint("hash"),)

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    state: str = Field(index=True)
    hash: bytes
    raw: bytes
    nonce: int = Field(sa_type=BigInteger, index=True)
    gas: int = Field(sa_type=BigInteger)
    fee_limit: int = Field(sa_type=DecimalText)
    fee_priority: int | None = Field(default=None, sa_type=DecimalText)
    target: bytes
    data: bytes
    label: str
    signed_at: int = Field(sa_type=BigInteger)
    sent_at: int | None = Field(default=None, sa_type=BigInteger)
    block: int | None = Field(default=None, sa_type=BigInteger)
    block_hash: bytes | None = None
    gas_used: int | None = Field(default=None, sa_type=BigInteger)
    reason: str = ""


class ClaimRow(SQLModel, table=True):
    """A claim that the coordinator relays: queued → sent → paid | failed. `amount` is what it drew, in base units.

    `earned` is what the entry says, `subject` the transaction that carries the claim.
    """

    __tablename__ = "claims"

    id: int | None = Field(default=None, primary_key=True)
    job: bytes = Field(index=True)
    round: int = Field(sa_type=BigInteger)
    node: bytes = Field(index=True)
    state: str = Field(index=True)
    earned: int = Field(sa_type=DecimalText)
    amount: int = Field(default=0, sa_type=DecimalText)
    detail: str = ""
    subject: str = Field(default="", index=True)
    asked_at: int = Field(sa_type=BigInteger, index=True)


class DemandRow(SQLModel, table=True):
    """A demand that the court reports: waiting → answered. `answer_by` in unix seconds, inclusive."""

    __tablename__ = "demands"

    job: bytes = Field(primary_key=True)
    round: int = Field(primary_key=True, sa_type=BigInteger)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    answer_by: int = Field(sa_type=BigInteger, index=True)
    state: str = Field(index=True)


class BondRow(SQLModel, table=True):
    """What a job locks of our funds: locked → released | cut. Jobs without a bond have none. Times in unix seconds.

    `closes_at` is when a requested end takes effect, `closed` whether the ledger has closed the job, and `free_at` from
    when it then releases the bond: asked of it once, for no later transaction changes that.
    """

    __tablename__ = "bonds"

    job: bytes = Field(primary_key=True)
    state: str = Field(index=True)
    closes_at: int | None = Field(default=None, sa_type=BigInteger)
    closed: bool = False
    free_at: int | None = Field(default=None, sa_type=BigInteger)


class ChainBlockRow(SQLModel, table=True):
    """A block up to which events were applied; the newest is the cursor, the older ones find where a chain forked."""

    __tablename__ = "chain_blocks"

    number: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes


class ChainEventRow(SQLModel, table=True):
    """An applied event: what a reorganisation must undo. `value` is the amount that goes with it, where one does."""

    __tablename__ = "chain_events"

    block: int = Field(primary_key=True, sa_type=BigInteger)
    log_index: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str
    job: bytes | None = Field(default=None, index=True)
    round: int | None = Field(default=None, sa_type=BigInteger)
    node: bytes | None = Field(default=None, index=True)
    value: int | None = Field(default=None, sa_type=DecimalText)
    transaction: bytes
