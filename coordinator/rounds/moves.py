"""The one table of legal moves of a round; each move is part of one database transaction."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from coordinator.rounds.tables import RoundRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce

# A reorganisation takes an anchored round back to sealed. What is final never moves.
MOVES: Final = {
    "committing": frozenset({"revealing", "rejected"}),
    "revealing": frozenset({"tallying", "rejected"}),
    "tallying": frozenset({"sealed", "rejected"}),
    "sealed": frozenset({"anchored", "rejected"}),
    "anchored": frozenset({"final", "sealed", "rejected"}),
    "final": frozenset[str](),
    "rejected": frozenset[str](),
}

OPEN: Final = ("committing", "revealing", "tallying")
SEALED: Final = ("sealed", "anchored", "final")


class IllegalMove(Exception):
    """A round was to move where no rule takes it: a bug, or a second worker."""

    def __init__(self, job: bytes, round_number: int, state: str, to: str) -> None:
        self.job = job
        self.round = round_number
        self.state = state
        self.to = to
        expected = " or ".join(sorted(MOVES[state])) or "no move"
        super().__init__(f"round {round_number} of job 0x{job.hex()}: expected {expected} after {state}, got {to}")


def move(session: Session, row: RoundRow, to: str) -> None:
    """Move a round within the caller's transaction. Raises IllegalMove."""
    if to not in MOVES[row.state]:
        raise IllegalMove(row.job, row.round, row.state, to)
    row.state = to
    session.add(row)
    announce(session, Topic.ROUNDS, Topic.PROGRESS)
