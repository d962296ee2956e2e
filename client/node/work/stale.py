"""A move that was trained in a round that closed without it: kept in memory, and offered in a later round with its age.

Only in jobs that take stale contributions. It is never written down: after a crash a node simply trains anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from client.errors import CoordinatorRefused
from client.node.jobs.book import Job, JobBook
from client.node.records.journal import Kept
from client.node.work.exchange import Exchange
from client.node.work.training import Trained, TrainingFailed
from ledger.age import find_age, state_age
from ledger.hexadecimal import to_hex
from ledger.wire import CommitAssignment

if TYPE_CHECKING:
    from learning.parameters import Vector32

TOO_LATE: Final = frozenset({"RoundClosed", "CohortFull"})
"""Refusals that say nothing about the contribution itself: a later round may take what it holds."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A training, the assignment it was for, and the move `[n] float32` from that round's base model."""

    work: CommitAssignment
    trained: Trained
    move: Vector32


class StaleMoves:
    """The last move of one node that no round has taken yet."""

    def __init__(self, book: JobBook) -> None:
        self._book = book
        self._held: _Held | None = None

    def keep(self, job: Job, work: CommitAssignment, trained: Trained) -> Trained:
        """Keeps a move until a round takes it, where a later one might; returns the training with its age reported."""
        if job.spec.staleness.max_age and trained.move is not None:
            self._held = _Held(work, trained, trained.move)
        return replace(trained, report={**trained.report, **state_age(job.spec, 0, work.base_model)})

    def settle(self, kept: Kept, exchange: Exchange) -> None:
        """Forgets the move once a round has taken it, or has refused it for more than being late."""
        if self._held is not None and self._held.work.job == kept.job and exchange.refusal not in TOO_LATE:
            self._held = None

    async def take(self, job: Job, work: CommitAssignment) -> Trained | None:
        """The kept move under this round's clip, its age reported; None where there is none, or it cannot be offered.

        A move that is too old is dropped, and one whose age the coordinator does not let us find out.

        Raises:
            VerificationError: a header of a round between is not the coordinator's.
            TrainingFailed: the move has elements that are no numbers.
        """
        held = self._held
        if held is None or held.work.job != work.job:
            return None
        try:
            age = await self._find_age(job, held.work, work)
        except CoordinatorRefused:
            age = None
        if age is None:
            self._held = None
            structlog.get_logger().info("move_dropped", job=to_hex(work.job), trained_in=held.work.round)
            return None
        report = {**held.trained.report, **state_age(job.spec, age, held.work.base_model)}
        return replace(held.trained, payload=_quantise(held.move, job, work.clip), report=report)

    async def _find_age(self, job: Job, trained: CommitAssignment, work: CommitAssignment) -> int | None:
        """How many rounds back the model trained from was last a round's base; None: more than the job takes."""
        bases: list[bytes | None] = [work.base_model]
        # A void round kept its model, so the rounds between are asked for theirs: the newest with this one counts.
        oldest = max(trained.round, work.round - job.spec.staleness.max_age)
        for number in range(work.round - 1, oldest - 1, -1):
            if bases[-1] == trained.base_model:
                break
            bases.append(
                trained.base_model if number == trained.round else await self._book.fetch_base_model(work.job, number)
            )
        return find_age(trained.base_model, bases)


def _quantise(move: Vector32, job: Job, clip: int) -> bytes:
    from learning.payload import write_update  # noqa: PLC0415
    from learning.quantise import UnusableMove, quantise  # noqa: PLC0415 -- numpy, where it is needed

    try:
        return write_update(quantise(move, job.spec.fraction_bits, clip))
    except UnusableMove as error:
        raise TrainingFailed(str(error)) from None
