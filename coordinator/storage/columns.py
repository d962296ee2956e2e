"""Column types that databases lack: exact integers of any size."""

from __future__ import annotations

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator


class DecimalText(TypeDecorator[int]):
    """An integer of any size (token base units, scores) kept as decimal text: no database has 128-bit integers."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's name
        """Write the integer as text."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's name
        """Read the integer back."""
        return None if value is None else int(value)
