"""Audits of jobs with stale contributions: honest ones pass, and every lie about an age or a weight fails its check."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from ledger.entry import Verdict
from ledger.hexadecimal import to_hex
from ledger.spec import Cohort, Staleness
from ledger.verify.results import Outcome
from tests.simulated.audit import audit_rounds, find
from tests.simulated.job import SimulatedJob
from tests.simulated.terms import make_spec

HALF = Staleness(2, "0.5")


def make_stale_job(scoring_rule: str = "aumann-shapley", staleness: Staleness = HALF) -> SimulatedJob:
    return SimulatedJob(nodes=4, rounds=4, spec=replace(make_spec(Random(1), scoring_rule), staleness=staleness))


def play_to(job: SimulatedJob, ages: Mapping[int, int], said: Mapping[int, Mapping[str, str]]) -> None:
    """Three rounds of which the last has these ages and reports."""
    job.play()
    job.play()
    job.play(ages=ages, said=said)


@pytest.mark.parametrize("scoring_rule", ["aumann-shapley", "by-weight"])
def test_honest_stale_contributions_pass_with_discounted_weights(scoring_rule: str) -> None:
    job = make_stale_job(scoring_rule)
    play_to(job, {1: 1, 2: 2}, {})
    weights = [entry.body.weight for entry in job.rounds[-1].tally.entries]
    assert weights == [1024, 512, 256, 1024]
    assert find(audit_rounds(job), Outcome.PASS) == {result.check for result in audit_rounds(job)}


def test_model_that_void_rounds_kept_has_not_aged() -> None:
    job = make_stale_job()
    job.play()
    job.play(hidden=[0, 1, 2, 3])
    assert job.rounds[-1].tally.entries[0].body.verdict == Verdict.VOID
    job.play(ages={1: 1})
    assert job.bases[1] == job.bases[2]
    assert find(audit_rounds(job)) == {"age"}


@pytest.mark.parametrize("age", ["0", "2", "3", "nonsense"])
def test_age_other_than_that_of_the_model_fails(age: str) -> None:
    """Smaller than true, larger than true, larger than the job takes; node and coordinator agree on the lie."""
    job = make_stale_job()
    play_to(job, {1: 1}, {1: {"age": age}})
    assert "age" in find(audit_rounds(job))


def test_model_that_is_none_of_the_job_fails() -> None:
    job = make_stale_job()
    play_to(job, {1: 1}, {1: {"trainedFrom": to_hex(bytes(31) + b"\1")}})
    assert find(audit_rounds(job)) == {"age"}


def test_model_older_than_the_job_takes_fails() -> None:
    job = make_stale_job(staleness=Staleness(1, "0.5"))
    play_to(job, {}, {1: {"age": "1", "trainedFrom": to_hex(job.spec.initial_model)}})
    assert {"age"} <= find(audit_rounds(job))


def test_stale_contribution_in_a_job_that_takes_none_fails() -> None:
    job = make_stale_job(staleness=Staleness())
    job.play()
    job.play(said={1: {"age": "1", "trainedFrom": to_hex(job.spec.initial_model)}})
    assert find(audit_rounds(job)) == {"age"}


@pytest.mark.parametrize("scoring_rule", ["aumann-shapley", "by-weight"])
def test_coordinator_that_weighs_by_another_discount_fails(scoring_rule: str) -> None:
    job = make_stale_job(scoring_rule)
    job.weighed_by = replace(job.spec, staleness=Staleness(2, "0.9"))
    play_to(job, {1: 1}, {})
    assert find(audit_rounds(job)) == {"verdict-weight"}


def test_coordinator_that_waives_the_discount_fails() -> None:
    job = make_stale_job()
    job.weighed_by = replace(job.spec, staleness=Staleness(2, "1"))
    play_to(job, {1: 2}, {})
    assert find(audit_rounds(job)) == {"verdict-weight"}


def test_coordinator_that_lets_more_in_than_close_a_round_fails() -> None:
    """The fourth was raced in after the round was complete."""
    spec = replace(make_spec(Random(1)), cohort=Cohort(2, 100, 3))
    job = SimulatedJob(nodes=4, rounds=2, spec=spec)
    job.play(absent=[3])
    assert find(audit_rounds(job)) == set()
    job.play()
    assert find(audit_rounds(job)) == {"receipt-sequence"}
