"""Tables of rounds: the round, its cohort, contributions, entries and evidence, and each node's standing in a job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from coordinator.storage.columns import DecimalText


def _belongs_to_round() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["job", "round"], ["rounds.job", "rounds.round"])


class RoundRow(SQLModel, table=True):
    """A round. What enters a signed statement (seed, times, accumulator) is stored before or with the signature.

    `clip` is the round's norm bound; `accumulator`, `count` and `cohort` grow as nodes commit and join; the rest comes
    with the closing and the seal.
    """

    __tablename__ = "rounds"

    job: bytes = Field(primary_key=True, foreign_key="jobs.job")
    round: int = Field(sa_type=BigInteger, primary_key=True)
    state: str = Field(index=True)
    parent: bytes
    base_model: bytes
    seed: bytes
    seed_digest: bytes
    clip: int = Field(sa_type=BigInteger)
    opened_at: int = Field(sa_type=BigInteger)
    commit_deadline: int = Field(sa_type=BigInteger)
    accumulator: bytes
    cohort: int = Field(sa_type=BigInteger)
    count: int = Field(sa_type=BigInteger, default=0)
    revealed: int = Field(sa_type=BigInteger, default=0)
    closed_at: int | None = Field(sa_type=BigInteger, default=None)
    closing_signature: bytes | None = None
    reveal_deadline: int | None = Field(sa_type=BigInteger, default=None)
    header: bytes | None = None  # canonical JSON of RoundHeader
    header_digest: bytes | None = Field(default=None, index=True)
    header_signature: bytes | None = None
    next_model: bytes | None = None
    accepted: int | None = Field(sa_type=BigInteger, default=None)
    total_score: int | None = Field(sa_type=DecimalText, default=None)
    total_reward: int | None = Field(sa_type=DecimalText, default=None)
    pot: int | None = Field(sa_type=DecimalText, default=None)
    void: str | None = None
    state_file: bytes | None = None  # what learning carries to the next round
    draw_source: bytes | None = None  # what the next round's draw follows from
    next_clip: int | None = Field(sa_type=BigInteger, default=None)
    sealed_at: int | None = Field(sa_type=BigInteger, default=None)
    metrics: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    measured_at: int | None = Field(sa_type=BigInteger, default=None)
    timings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    transaction: bytes | None = None
    block: int | None = Field(sa_type=BigInteger, default=None)
    final_at: int | None = Field(sa_type=BigInteger, default=None)


class CohortRow(SQLModel, table=True):
    """A node admitted to a round."""

    __tablename__ = "cohorts"
    __table_args__ = (_belongs_to_round(),)

    job: bytes = Field(primary_key=True)
    round: int = Field(sa_type=BigInteger, primary_key=True)
    node: bytes = Field(primary_key=True)
    joined_at: int = Field(sa_type=BigInteger)


class DrawRow(SQLModel, table=True):
    """How a round's cohort came about: the members of its `draw.json`; lists are addresses, one after another."""

    __tablename__ = "draws"
    __table_args__ = (_belongs_to_round(),)

    job: bytes = Field(primary_key=True)
    round: int = Field(sa_type=BigInteger, primary_key=True)
    seed: bytes
    block: int = Field(sa_type=BigInteger)
    block_hash: bytes
    drawn: bool
    population: int | None = Field(sa_type=BigInteger, default=None)
    admitted: bytes
    absent: bytes
    late: bytes


class ContributionRow(SQLModel, table=True):
    """A contribution with its receipt (both halves), and its opening once revealed."""

    __tablename__ = "contributions"
    __table_args__ = (
        _belongs_to_round(),
        UniqueConstraint("job", "round", "seq"),
        UniqueConstraint("job", "round", "node"),
    )

    contribution: bytes = Field(primary_key=True)
    job: bytes
    round: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    node: bytes = Field(index=True)
    state: str
    statement: bytes  # canonical JSON of Contribution
    signature: bytes
    report: dict[str, Any] = Field(sa_type=JSON)
    samples: int = Field(sa_type=BigInteger)
    commitment: bytes
    accumulator: bytes  # after this contribution
    received_at: int = Field(sa_type=BigInteger)
    anchor_by: int = Field(sa_type=BigInteger)
    receipt_signature: bytes
    voucher: bytes | None = None  # canonical JSON of Voucher
    voucher_signature: bytes | None = None
    payload: bytes | None = Field(default=None, index=True)
    vector_commitment: bytes | None = None
    salt: bytes | None = None
    malformed: str | None = None
    revealed_at: int | None = Field(sa_type=BigInteger, default=None)
    verdict: int | None = Field(sa_type=BigInteger, default=None)


class EntryRow(SQLModel, table=True):
    """An entry of a sealed round: its canonical JSON, the digest in its leaf, and copies for queries."""

    __tablename__ = "entries"
    __table_args__ = (
        _belongs_to_round(),
        UniqueConstraint("job", "round", "node"),
        Index("entries_by_node", "node", "job", "round"),
    )

    job: bytes = Field(primary_key=True)
    round: int = Field(sa_type=BigInteger, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    node: bytes
    body: bytes
    entry: bytes  # canonical JSON of Entry
    verdict: int = Field(sa_type=BigInteger)
    score: int = Field(sa_type=DecimalText)
    reward: int = Field(sa_type=DecimalText)
    earned: int = Field(sa_type=DecimalText)


class StandingRow(SQLModel, table=True):
    """What a node carries from round to round of a job, what of it is final, and what the chain says it has claimed."""

    __tablename__ = "standings"

    job: bytes = Field(primary_key=True, foreign_key="jobs.job")
    node: bytes = Field(primary_key=True, index=True)
    earned: int = Field(sa_type=DecimalText, default=0)
    credit: int = Field(sa_type=DecimalText, default=0)
    peak: int = Field(sa_type=DecimalText, default=0)
    round: int = Field(sa_type=BigInteger, default=0)
    final_earned: int = Field(sa_type=DecimalText, default=0)
    final_round: int = Field(sa_type=BigInteger, default=0)
    claimed: int = Field(sa_type=DecimalText, default=0)


class EvidenceRow(SQLModel, table=True):
    """A file of a round's evidence, by content address."""

    __tablename__ = "evidence"
    __table_args__ = (_belongs_to_round(),)

    job: bytes = Field(primary_key=True)
    round: int = Field(sa_type=BigInteger, primary_key=True)
    name: str = Field(primary_key=True)
    sha256: bytes
    size_bytes: int = Field(sa_type=BigInteger)
