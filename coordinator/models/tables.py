"""Table of registered models."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel


class ModelRow(SQLModel, table=True):
    """The final model of a job, with its card (Markdown)."""

    __tablename__ = "models"

    job: bytes = Field(primary_key=True, foreign_key="jobs.job")
    model: bytes = Field(index=True)
    round: int = Field(sa_type=BigInteger)
    size_bytes: int = Field(sa_type=BigInteger)
    metrics: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    card: str = ""
    registered_at: int = Field(sa_type=BigInteger)
