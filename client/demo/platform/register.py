"""What the platform must not forget: how far each viewer's history was served, and for whom it has vouched.

A viewer counts for one node in a job, the first that came with a token for them, from then on and in every round: so a
viewer counts once a round over all nodes, a stolen token gives a second key nothing, and whoever leaves a key with
debts leaves the viewers' weight with it. Everything is durable before a voucher is signed; a restart changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS served (viewer TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holders (
    job BLOB, viewer TEXT, node BLOB NOT NULL, PRIMARY KEY (job, viewer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vouched (
    job BLOB, round INTEGER, node BLOB, viewers INTEGER NOT NULL, samples INTEGER NOT NULL,
    PRIMARY KEY (job, round, node)
) WITHOUT ROWID;
"""


class NothingToVouch(Exception):
    """There is nothing of this token's viewers that could be vouched for to this node."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Amount:
    """What is vouched for: `samples` of `viewers` distinct viewers."""

    viewers: int
    samples: int


class Register:
    """The register in one SQLite file; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def note_served(self, viewers: Sequence[str], after: int, upto: int) -> None:
        """Notes that these viewers' views after `after` up to `upto` were served, by their place in the log.

        What leaves a gap does not count: whoever skips views was not given them.
        """
        if upto <= after:
            return
        with self._transaction():
            if after == 0:
                rows = [(viewer,) for viewer in viewers]
                self._connection.executemany("INSERT OR IGNORE INTO served VALUES (?, 0)", rows)
            changes = [(upto, viewer, after) for viewer in viewers]
            change = "UPDATE served SET upto = MAX(upto, ?) WHERE viewer = ? AND upto >= ?"
            self._connection.executemany(change, changes)

    def vouch(
        self, job: bytes, number: int, node: bytes, viewers: Sequence[str], count: Callable[[str, int], int]
    ) -> Amount:
        """What the platform vouches for to a node in a round: the same whenever it is asked.

        Args:
            job: 32 bytes.
            number: the round.
            node: 20 bytes.
            viewers: whom the node's token names.
            count: how many views of a viewer were served up to a place in the log.

        Raises:
            NothingToVouch: nothing was served, or all viewers count for other nodes.
        """
        with self._transaction():
            known = self._connection.execute(
                "SELECT viewers, samples FROM vouched WHERE job = ? AND round = ? AND node = ?", (job, number, node)
            ).fetchone()
            if known is not None:
                return Amount(*known)
            samples = {viewer: count(viewer, self._find_served(viewer)) for viewer in viewers}
            served = [viewer for viewer, held in samples.items() if held > 0]
            if not served:
                raise NothingToVouch("no history was served for this token: read /v1/histories from cursor 0 first")
            taken = [(job, viewer, node) for viewer in served]
            self._connection.executemany("INSERT OR IGNORE INTO holders VALUES (?, ?, ?)", taken)
            held = [viewer for viewer in served if self._find_holder(job, viewer) == node]
            if not held:
                raise NothingToVouch(
                    "the viewers of this token count for another node in this job, from the first voucher to the end: "
                    "run the node with the key it began with, or ask for a token for other viewers"
                )
            amount = Amount(len(held), sum(samples[viewer] for viewer in held))
            self._connection.execute(
                "INSERT INTO vouched VALUES (?, ?, ?, ?, ?)", (job, number, node, amount.viewers, amount.samples)
            )
            return amount

    def _find_served(self, viewer: str) -> int:
        row = self._connection.execute("SELECT upto FROM served WHERE viewer = ?", (viewer,)).fetchone()
        return 0 if row is None else int(row[0])

    def _find_holder(self, job: bytes, viewer: str) -> bytes:
        query = "SELECT node FROM holders WHERE job = ? AND viewer = ?"
        return bytes(self._connection.execute(query, (job, viewer)).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and durable: WAL with full synchronisation. Another process waits its turn."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
