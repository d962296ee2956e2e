"""Jobs move as the chain and their rounds move: each function here is part of the caller's transaction."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from coordinator.jobs import store
from coordinator.jobs.errors import UnknownJob
from coordinator.jobs.tables import JobRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce

MOVES: Final = {
    "accepted": frozenset({"running", "closed", "rejected"}),
    "running": frozenset({"accepted", "finished", "closing", "closed", "rejected"}),
    "closing": frozenset({"finished", "closed", "rejected"}),
    "finished": frozenset({"closed", "rejected"}),
    "closed": frozenset[str](),
    "rejected": frozenset({"closed"}),
}


class IllegalJobMove(Exception):
    """A job was to move where no rule takes it."""

    def __init__(self, job: bytes, state: str, to: str) -> None:
        self.job = job
        self.state = state
        self.to = to
        expected = " or ".join(sorted(MOVES[state])) or "no move"
        super().__init__(f"job 0x{job.hex()}: expected {expected} after {state}, got {to}")


def load_job(session: Session, job: bytes, *, lock: bool = False) -> JobRow:
    """The job with this id. Raises UnknownJob."""
    row = store.find_job(session, job, lock=lock)
    if row is None:
        raise UnknownJob(job)
    return row


def mark_opened(session: Session, job: bytes, *, at: int, block: int, block_hash: bytes, transaction: bytes) -> None:
    """The chain holds the job's escrow: its rounds may begin. Repeating it changes nothing."""
    row = load_job(session, job, lock=True)
    row.opened_at, row.opened_block, row.opened_hash, row.opened_transaction = at, block, block_hash, transaction
    if row.state == "accepted":
        move(session, row, "running", at, "funded on chain; rounds begin when enough nodes are present")


def mark_unopened(session: Session, job: bytes, *, at: int) -> None:
    """A reorganisation took the opening back, before any round began."""
    row = load_job(session, job, lock=True)
    row.opened_at = row.opened_block = row.opened_hash = row.opened_transaction = None
    move(session, row, "accepted", at, "the chain reorganised: the job is not funded")


def mark_closing(session: Session, job: bytes, *, at: int, closes_at: int) -> None:
    """Requester or coordinator asked for the end: no new round opens, what has receipts goes on to its tally."""
    row = load_job(session, job, lock=True)
    if row.state == "running":
        move(session, row, "closing", at, f"an end was asked for; it comes {closes_at - at} s later")


def mark_closed(session: Session, job: bytes, *, at: int) -> None:
    """The chain returned what was left of the escrow."""
    row = load_job(session, job, lock=True)
    if row.state != "closed":
        move(session, row, "closed", at, "closed on chain")


def mark_rejected(session: Session, job: bytes, *, at: int, reason: str) -> None:
    """A round was rejected on chain: the job halts."""
    row = load_job(session, job, lock=True)
    if row.state not in ("rejected", "closed"):
        move(session, row, "rejected", at, reason)


def note_sealed(session: Session, row: JobRow, *, at: int, model: bytes, reward: int, last: bool) -> None:
    """A round was sealed; after the last one the job is finished."""
    row.rounds_sealed += 1
    row.spent += reward
    row.model = model
    session.add(row)
    if last and row.state in ("running", "closing"):
        move(session, row, "finished", at, f"all {row.rounds_sealed} rounds are sealed")


def note_final(session: Session, job: bytes) -> None:
    """One more round is final."""
    row = load_job(session, job, lock=True)
    row.rounds_final += 1
    session.add(row)


def move(session: Session, row: JobRow, to: str, at: int, detail: str) -> None:
    """Move a job within the caller's transaction and write its log. Raises IllegalJobMove."""
    if to not in MOVES[row.state]:
        raise IllegalJobMove(row.job, row.state, to)
    row.state, row.detail = to, detail
    session.add(row)
    store.add_log(session, row.job, at, detail)
    announce(session, Topic.JOBS, Topic.ASSIGNMENTS, Topic.RESULTS)
