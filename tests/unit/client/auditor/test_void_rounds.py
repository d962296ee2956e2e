"""Audits of a job in which a step overshot: the next round begins without momentum, whoever looks, from wherever."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from client.auditor import Scope, audit
from client.auditor.checks import ALL_CHECKS
from learning.payload import write_update
from learning.quantise import Update
from learning.round import Void
from ledger.commitment import Opening
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.judge import Judged
from tests.simulated.learned import DigitsJudge, make_learned_job
from tests.simulated.sources import make_sources
from tests.unit.client.auditor.learned_jobs import failed


def send_uphill(update: Update) -> bytes:
    return write_update(-update)


class KeepingJudge(DigitsJudge):
    """Goes on with the momentum that overshot."""

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        kept = self.state.momentum
        judged = super().judge(job, openings, beacon)
        if self.outcomes[-1].void is not None:
            self.state = replace(self.state, momentum=kept)
        return judged


@cache
def play(*, keeping: bool) -> SimulatedJob:
    """Everyone goes uphill in round 2."""
    job = make_learned_job(rounds=3, twists={(2, node): send_uphill for node in range(4)})
    assert isinstance(job.judge, DigitsJudge)
    if keeping:
        job.judge = KeepingJudge(job.judge.digits, job.judge.twists)
    for _ in range(3):
        job.play()
    assert isinstance(job.judge, DigitsJudge)
    assert [outcome.void for outcome in job.judge.outcomes] == [None, Void.LOSS_DID_NOT_FALL, None]
    return job


def test_honest_job_passes_every_check() -> None:
    job = play(keeping=False)
    report = audit(job.id, make_sources(job))
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


def test_audit_that_begins_after_the_void_round_takes_over_no_momentum() -> None:
    job = play(keeping=False)
    report = audit(job.id, make_sources(job), Scope(first=3, last=3))
    assert find(report.results) == set()
    assert {"next-model", "scores"} <= find(report.results, Outcome.PASS)


def test_coordinator_that_keeps_the_momentum_is_contradicted_in_the_next_round() -> None:
    job = play(keeping=True)
    report = audit(job.id, make_sources(job))
    assert failed(report, 2) == set()
    assert "next-model" in failed(report, 3)
