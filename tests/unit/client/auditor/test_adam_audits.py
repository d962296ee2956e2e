"""Audits of jobs with Adam on the server: recomputed to the bit, and taken over from what is published."""

from functools import cache

import pytest

from client.auditor import Scope, audit
from client.auditor.checks import ALL_CHECKS
from learning.tensors import ArrayType, read_arrays, write_arrays
from ledger import evidence
from ledger.spec import Adam
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job
from tests.simulated.sources import make_sources
from tests.unit.client.auditor.learned_jobs import change, failed
from tests.unit.learning.digits_job import digits_task

SIZE = digits_task().layout.size


@cache
def play_adam(rule: str = "mean") -> SimulatedJob:
    job = make_learned_job(nodes=3, rounds=4, aggregation=(rule, "0"), adam=Adam("0.9", "0.01"))
    for hidden in ([], [], [0, 1, 2], []):
        job.play(hidden=hidden)
    return job


@pytest.mark.parametrize("rule", ["mean", "trust-weighted", "centred-clipping"])
def test_honest_job_passes_every_check(rule: str) -> None:
    report = audit(play_adam(rule).id, make_sources(play_adam(rule)))
    assert report.exit_code == 0
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


@pytest.mark.parametrize("rule", ["mean", "trust-weighted"])
def test_state_is_taken_over_from_rounds_that_are_not_recomputed(rule: str) -> None:
    assert audit(play_adam(rule).id, make_sources(play_adam(rule)), Scope(first=4, last=4)).exit_code == 0


@pytest.mark.parametrize("name", ["momentum", "second"])
def test_one_other_number_in_a_moment_fails_next_model(name: str) -> None:
    job = play_adam()
    content = job.rounds[1].bundle.files[evidence.MOMENTUM]
    expected = {known: ArrayType("F64", (SIZE,)) for known in ("momentum", "second")}
    arrays = {known: array.copy() for known, array in read_arrays(content, expected, "m", len(content)).items()}
    arrays[name][5] += 2.0**-40
    report = audit(job.id, change(job, 2, {evidence.MOMENTUM: write_arrays(arrays)}))
    assert failed(report, 2) == {"next-model"}


def test_moments_without_the_second_one_fail_next_model() -> None:
    job = play_adam()
    content = job.rounds[1].bundle.files[evidence.MOMENTUM]
    expected = {known: ArrayType("F64", (SIZE,)) for known in ("momentum", "second")}
    momentum = read_arrays(content, expected, "m", len(content))["momentum"]
    report = audit(job.id, change(job, 2, {evidence.MOMENTUM: write_arrays({"momentum": momentum})}))
    assert failed(report, 2) == {"next-model"}
