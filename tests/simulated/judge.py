"""The learning of a simulated job, as the ledger sees it: who was accepted, with what score, and the next model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ledger import evidence
from ledger.commitment import Opening
from ledger.entry import SCORE_BITS, Verdict

if TYPE_CHECKING:
    from tests.simulated.job import SimulatedJob


@dataclass(frozen=True)
class Judged:
    """What came of a round: (verdict, weight, score) per seq, the next model, and the files that learning adds."""

    verdicts: Sequence[tuple[Verdict, int, int]]
    next_model: bytes
    outcome: Mapping[str, object]
    arrays: Mapping[str, bytes] = field(default_factory=dict)
    beacon: bytes | None = None


class Judge(Protocol):
    """Stands for the learning of a job."""

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        """The payload that a node commits to in the next round."""

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        """What comes of the round; payloads are in `job.blobs`."""


class RandomJudge:
    """Random payloads; every opened contribution is accepted with a random score, now and then a negative one."""

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        return node.to_bytes(4) + job.random.randbytes(60)

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        del beacon  # nothing is sampled
        verdicts = [
            self._judge_one(job, opening, weight) for opening, weight in zip(openings, job.weights, strict=True)
        ]
        if sum(opening is not None for opening in openings) < job.spec.cohort.minimum:
            return Judged([(Verdict.VOID, 0, 0)] * len(openings), job.model, {"void": "too-few"})
        if not any(verdict is Verdict.ACCEPTED for verdict, _, _ in verdicts):
            return Judged(verdicts, job.model, {"void": "nothing-accepted"})
        return Judged(
            verdicts, job.random.randbytes(32), {"void": None}, {evidence.AGGREGATE: job.random.randbytes(80)}
        )

    def _judge_one(self, job: SimulatedJob, opening: Opening | None, weight: int) -> tuple[Verdict, int, int]:
        if opening is None:
            return (Verdict.UNREVEALED, 0, 0)
        if job.spec.scoring_rule == "by-weight":
            return (Verdict.ACCEPTED, weight, weight << SCORE_BITS)
        return (Verdict.ACCEPTED, weight, job.random.randrange(-(1 << 36), 1 << 38))
