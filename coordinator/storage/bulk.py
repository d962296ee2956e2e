"""Many rows in one statement, without what an ORM does for each: on the paths where rows come by the hundred."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Dialect, Table, TypeDecorator
from sqlmodel import Session, SQLModel, insert


def insert_rows(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each a value for the same columns; columns that are not named get what the database gives them."""
    if not rows:
        return
    connection = session.connection()
    statement, names, processors = _compile(table, tuple(rows[0]), connection.dialect)
    values = [{**row, **{name: process(row[name]) for name, process in processors.items()}} for row in rows]
    if names is None:
        connection.exec_driver_sql(statement, values)
    else:
        connection.exec_driver_sql(statement, [tuple(row[name] for name in names) for row in values])


@lru_cache(maxsize=32)
def _compile(
    table: type[SQLModel], columns: tuple[str, ...], dialect: Dialect
) -> tuple[str, Sequence[str] | None, Mapping[str, Callable[[Any], Any]]]:
    """The statement's text, its parameters in order (None: by name), and what some values need before they are sent."""
    source: Table = table.__table__  # type: ignore[attr-defined]  # every table has one
    compiled = insert(source).compile(dialect=dialect, column_keys=list(columns))
    processors = {}
    for name in columns:
        kind = source.columns[name].type
        processor = kind.bind_processor(dialect) if isinstance(kind, JSON | TypeDecorator) else None
        if processor is not None:
            processors[name] = processor
    return str(compiled), compiled.positiontup, processors
