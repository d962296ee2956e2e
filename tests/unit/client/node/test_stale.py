"""Moves that a closed round left over: offered at their age under the new clip, or dropped."""

import asyncio
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest

from client.errors import CoordinatorRefused
from client.node.jobs.book import Job, JobBook
from client.node.work.stale import StaleMoves
from client.node.work.training import Trained, TrainingFailed
from learning.payload import read_update
from learning.quantise import compute_norm_squared
from ledger.hexadecimal import to_hex
from ledger.spec import NOTHING_STALE, Staleness
from ledger.wire import CommitAssignment
from tests.simulated.terms import draw_setting, make_spec, make_terms

SIZE = 50
HALF = Staleness(2, "0.5")
A, B, C, D = (bytes([letter]) * 32 for letter in b"ABCD")


@dataclass
class History(JobBook):
    """A coordinator's answers: the base model of each round, the first at 1; None is refused."""

    bases: list[bytes | None]

    async def fetch_base_model(self, job_id: bytes, number: int) -> bytes:  # noqa: ARG002 -- it knows one job
        base = self.bases[number - 1]
        if base is None:
            raise CoordinatorRefused("", 404, "UnknownRound", "there is none", {})
        return base


def make_job(staleness: Staleness = HALF) -> Job:
    spec = replace(make_spec(Random(1)), staleness=staleness)
    terms = make_terms(spec, draw_setting(Random(1)), 9)
    return Job(terms.job_id(), spec.title, terms, spec)


def assign(job: Job, number: int, base: bytes, clip: int = 1_000) -> CommitAssignment:
    return CommitAssignment(
        job=job.job,
        round=number,
        parent=bytes(32),
        base_model=base,
        seed_digest=bytes(32),
        opened_at=1,
        commit_deadline=2,
        reveal_seconds=1,
        clip=clip,
    )


def make_trained(scale: float = 1.0) -> Trained:
    move = np.random.default_rng(1).normal(0, scale, SIZE).astype(np.float32)
    return Trained(b"as it was", 7, 1.0, 1.0, {"loss": "1.5"}, move)


def offer(bases: list[bytes | None], trained_in: int, now: int, staleness: Staleness) -> Trained | None:
    """What is offered in round `now` of a move that was trained in another one; the history is that of all rounds."""
    job = make_job(staleness)
    moves = StaleMoves(History(bases))
    moves.keep(job, assign(job, trained_in, bases[trained_in - 1] or b""), make_trained())
    return asyncio.run(moves.take(job, assign(job, now, bases[now - 1] or b"", clip=300)))


@pytest.mark.parametrize(
    ("bases", "trained_in", "now", "age"),
    [
        ([A, B], 1, 2, 1),
        ([A, B, C], 1, 3, 2),
        ([A, B, C], 2, 2, 0),
        ([A, A], 1, 2, 0),
        ([A, A, A, A], 1, 4, 0),
        ([A, A, B], 1, 3, 1),
        ([A, A, B, B], 1, 4, 2),
        ([A, A, A, B], 1, 4, 1),
        ([D, A, A, A, A, B, C], 2, 7, 2),
    ],
)
def test_move_is_offered_at_the_age_of_its_model(bases: list[bytes], trained_in: int, now: int, age: int) -> None:
    offered = offer([*bases], trained_in, now, HALF)
    assert offered is not None
    assert offered.report == {"loss": "1.5", "age": str(age), "trainedFrom": to_hex(bases[trained_in - 1])}
    assert compute_norm_squared(read_update(offered.payload, SIZE)) <= 300**2
    assert offered.samples == 7


@pytest.mark.parametrize(
    ("bases", "trained_in"),
    [([A, B, C, D], 1), ([A, A, B, B, C, D], 1), ([A, B, None, D], 2)],
    ids=["too old", "too old though void rounds kept it", "history withheld"],
)
def test_move_whose_age_does_not_fit_is_dropped(bases: list[bytes | None], trained_in: int) -> None:
    assert offer(bases, trained_in, len(bases), HALF) is None


def test_job_that_takes_none_keeps_nothing_and_reports_nothing() -> None:
    job = make_job(NOTHING_STALE)
    moves = StaleMoves(History([A, A]))
    kept = moves.keep(job, assign(job, 1, A), make_trained())
    assert "age" not in kept.report
    assert asyncio.run(moves.take(job, assign(job, 2, A))) is None


def test_fresh_training_reports_its_own_round() -> None:
    job = make_job()
    kept = StaleMoves(History([])).keep(job, assign(job, 3, C), make_trained())
    assert (kept.report["age"], kept.report["trainedFrom"]) == ("0", to_hex(C))


def test_move_of_another_job_is_not_offered() -> None:
    job = make_job()
    moves = StaleMoves(History([A, B]))
    moves.keep(job, assign(job, 1, A), make_trained())
    other = make_job(Staleness(3, "0.5"))
    assert asyncio.run(moves.take(other, assign(other, 2, B))) is None
    assert asyncio.run(moves.take(job, assign(job, 2, B))) is not None


def test_trainer_that_gives_no_move_trains_anew() -> None:
    job = make_job()
    moves = StaleMoves(History([A, B]))
    moves.keep(job, assign(job, 1, A), replace(make_trained(), move=None))
    assert asyncio.run(moves.take(job, assign(job, 2, B))) is None


def test_move_that_is_no_number_is_said_to_be_none() -> None:
    job = make_job()
    moves = StaleMoves(History([A, B]))
    moves.keep(job, assign(job, 1, A), replace(make_trained(), move=np.full(SIZE, np.nan, np.float32)))
    with pytest.raises(TrainingFailed):
        asyncio.run(moves.take(job, assign(job, 2, B)))
