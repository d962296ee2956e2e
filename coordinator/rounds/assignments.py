"""Assignments: what each node is to do now.

The board is what all polls share: it is computed once for all of them when the bell rang. A poll that is about to be
answered from a board that may be older than the node's own last request looks once more at that node alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import WORKING, Agreement, load_agreement
from coordinator.jobs.store import find_job
from coordinator.nodes.presence import Presence
from coordinator.nodes.store import find_nodes
from coordinator.refusals import RequestRefused
from coordinator.rounds import cohort, store
from coordinator.rounds.phases import build_closing
from coordinator.rounds.service import load_header
from coordinator.rounds.tables import RoundRow
from coordinator.storage.bell import Topic
from coordinator.storage.group_commit import GroupCommit
from ledger import wire
from ledger.statements import Signed

_PLACEHOLDER = bytes(32)


@dataclass(frozen=True, slots=True)
class Posting:
    """An open round on the board: its assignment (JSON) and whom it is for.

    `waiting` maps the nodes that may act to their contribution (empty bytes while committing); with `room`, nodes
    outside the cohort that have not `taken` part may join.
    """

    job: bytes
    round: int
    kind: str
    body: bytes
    waiting: Mapping[bytes, bytes]
    taken: frozenset[bytes]
    room: bool

    def offers(self, node: bytes) -> bool:
        """Whether the node may act on this posting."""
        return node in self.waiting or (self.room and node not in self.taken)

    def render(self, node: bytes) -> bytes:
        """The assignment for this node."""
        mark = f'"0x{_PLACEHOLDER.hex()}"'.encode()
        return (
            self.body.replace(mark, f'"0x{self.waiting[node].hex()}"'.encode(), 1)
            if self.kind == "reveal"
            else self.body
        )


class AssignmentDesk:
    """Answers long polls; one for the application."""

    def __init__(self, context: Context, presence: Presence) -> None:
        self._context = context
        self._presence = presence
        self._board: tuple[int, float, asyncio.Task[list[Posting]]] | None = None
        self._admissions = GroupCommit(context.database, self._admit)

    async def find(self, node: bytes, wait_seconds: float) -> bytes | None:
        """The node's assignment (JSON), as soon as there is one, or None when the wait is over."""
        arrived = time.monotonic()
        until = arrived + wait_seconds
        with self._context.bell.listen(Topic.ASSIGNMENTS) as listener:
            await self._presence.note(node)
            while True:
                assignment = await self._look(node, arrived)
                left = 0.0 if self._context.bell.ended else until - time.monotonic()
                if assignment is not None or left <= 0 or not await listener.wait(left):
                    return assignment

    async def _look(self, node: bytes, arrived: float) -> bytes | None:
        generation = self._context.bell.count(Topic.ASSIGNMENTS)
        if self._board is None or self._board[0] != generation or _has_failed(self._board[2]):
            loading = asyncio.create_task(self._context.database.run_read(_build_board))
            self._board = (generation, time.monotonic(), loading)
        _, began, board = self._board
        for posting in await asyncio.shield(board):
            if posting.offers(node) and await self._confirm(posting, node, is_new=began >= arrived):
                return posting.render(node)
        return None

    async def _confirm(self, posting: Posting, node: bytes, *, is_new: bool) -> bool:
        """Whether the node has not done it yet; a node outside the cohort joins it here.

        A board that was loaded after the node asked knows all that the node did before.
        """
        if node not in posting.waiting:
            return await self._admissions.submit((posting, node))
        return is_new or await self._context.database.run_read(_is_due, posting, node)

    def _admit(self, session: Session, asked: Sequence[tuple[Posting, bytes]]) -> list[bool | Exception]:
        return [_join(session, self._context, posting, node) for posting, node in asked]


def _has_failed(loading: asyncio.Task[list[Posting]]) -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)


def _build_board(session: Session) -> list[Posting]:
    rows = store.list_rounds_in(session, ("revealing", "committing"))
    postings = []
    for row in sorted(rows, key=lambda row: (row.state != "revealing", row.commit_deadline)):
        job = find_job(session, row.job)
        if job is not None and job.state in WORKING:
            revealing = row.state == "revealing"
            posting = _post_reveal(session, row) if revealing else _post_commit(session, row, load_agreement(job))
            postings.append(posting)
    return postings


def _post_commit(session: Session, row: RoundRow, agreement: Agreement) -> Posting:
    before = store.find_round(session, row.job, row.round - 1)
    assignment = wire.CommitAssignment(
        job=row.job,
        round=row.round,
        parent=row.parent,
        base_model=row.base_model,
        seed_digest=row.seed_digest,
        opened_at=row.opened_at,
        commit_deadline=row.commit_deadline,
        reveal_seconds=agreement.spec.reveal_seconds,
        clip=row.clip,
        previous=None if before is None else load_header(before),
    )
    members = store.list_cohort(session, row.job, row.round)
    done = store.list_contributors(session, row.job, row.round)
    return Posting(
        job=row.job,
        round=row.round,
        kind="commit",
        body=assignment.model_dump_json(by_alias=True).encode(),
        waiting=dict.fromkeys(members - done, b""),
        taken=frozenset(done),
        room=row.cohort < agreement.spec.cohort.maximum,
    )


def _post_reveal(session: Session, row: RoundRow) -> Posting:
    assert row.reveal_deadline is not None  # noqa: S101  set with the closing
    assert row.closing_signature is not None  # noqa: S101
    contributions = store.list_contributions(session, row.job, row.round)
    assignment = wire.RevealAssignment(
        job=row.job,
        round=row.round,
        contribution=_PLACEHOLDER,
        reveal_deadline=row.reveal_deadline,
        closing=Signed(build_closing(row), row.closing_signature),
        contributions=[contribution.contribution for contribution in contributions],
    )
    return Posting(
        job=row.job,
        round=row.round,
        kind="reveal",
        body=assignment.model_dump_json(by_alias=True).encode(),
        waiting={known.node: known.contribution for known in contributions if known.state == "received"},
        taken=frozenset(),
        room=False,
    )


def _is_due(session: Session, posting: Posting, node: bytes) -> bool:
    state = store.find_state(session, posting.job, posting.round, node)
    return state == ("received" if posting.kind == "reveal" else None)


def _join(session: Session, context: Context, posting: Posting, node: bytes) -> bool | Exception:
    """Admit a late arrival; False when the round has moved on or the node may not join."""
    row = store.find_round(session, posting.job, posting.round, lock=True)
    job = find_job(session, posting.job)
    if row is None or job is None or row.state != "committing" or not _is_due(session, posting, node):
        return False
    agreement = load_agreement(job)
    if store.find_members(session, posting.job, posting.round, [node]):
        return True
    try:
        cohort.verify_admissible(session, posting.job, agreement, node, find_nodes(session, [node]))
    except RequestRefused:
        return False
    if row.cohort >= agreement.spec.cohort.maximum:
        return False
    cohort.admit(session, row, [node], context.now)
    return True
