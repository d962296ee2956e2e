"""All tables and their version: a database of another version is refused, never guessed at."""

from __future__ import annotations

from sqlmodel import Session, select

from coordinator.access import tables as access_tables
from coordinator.jobs import tables as jobs_tables
from coordinator.models import tables as models_tables
from coordinator.nodes import tables as nodes_tables
from coordinator.rounds import tables as rounds_tables
from coordinator.running.tables import SCHEMA_VERSION, SchemaRow
from coordinator.settlement import tables as settlement_tables
from coordinator.storage.database import Database

# Importing them is what makes them known to SQLModel.
ROOMS = (access_tables, jobs_tables, nodes_tables, rounds_tables, settlement_tables, models_tables)


class WrongSchema(Exception):
    """The database was made by another version of the coordinator."""

    def __init__(self, expected: int, got: int | None) -> None:
        self.expected = expected
        self.got = got
        found = "no tables" if got is None else f"version {got}"
        super().__init__(
            f"expected a database with tables of version {expected}, got {found}: "
            "run `tally-coordinator init`, or use the coordinator version that made it"
        )


def create_tables(database: Database) -> None:
    """Create tables that are missing. Raises WrongSchema when there are those of another version."""
    database.create_tables()
    with database.write() as session:
        write_schema(session)
        verify_schema(session)


def write_schema(session: Session) -> None:
    """Note the version of tables that were just made."""
    if session.exec(select(SchemaRow)).first() is None:
        session.add(SchemaRow(version=SCHEMA_VERSION))


def verify_schema(session: Session) -> None:
    """Verify that the tables are of this version. Raises WrongSchema."""
    row = session.exec(select(SchemaRow)).first()
    if row is None or row.version != SCHEMA_VERSION:
        raise WrongSchema(SCHEMA_VERSION, None if row is None else row.version)
