"""The echo: rings the bell of this process for what other processes wrote into the same SQLite file.

In one process the bell rings by itself. Between processes SQLite has no notification: its data version is looked at.
Other databases have no echo: with PostgreSQL a worker in a process of its own would hear nothing of the API's writes,
nor the API of the worker's: each would look only at deadlines (decision 0036).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, text

from coordinator.context import Context
from coordinator.storage.bell import Topic

ECHO_SECONDS = 0.25


async def echo_commits(context: Context, is_needed: Callable[[], bool]) -> None:
    """Ring every topic when another connection has committed, until cancelled; does nothing while it is not needed.

    Returns at once where the database is not SQLite.
    """
    if context.database.engine.dialect.name != "sqlite":
        return
    with context.database.engine.connect() as connection:
        seen = _read_version(connection)
        while True:
            await asyncio.sleep(ECHO_SECONDS)
            version = _read_version(connection)
            if version != seen and is_needed():
                context.bell.ring(Topic)
            seen = version


def _read_version(connection: Connection) -> int:
    version = int(connection.execute(text("PRAGMA data_version")).scalar_one())
    connection.rollback()  # an open read transaction would pin the old state for ever
    return version
