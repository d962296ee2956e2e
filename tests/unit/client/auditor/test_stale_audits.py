"""Audits of jobs that really learned from stale updates too: recomputed at their weights, and what nobody can see."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from client.auditor import audit
from client.auditor.checks import ALL_CHECKS
from learning.payload import read_update
from learning.score import ScoreRule, compute_product
from ledger import evidence
from ledger.entry import Verdict
from ledger.hexadecimal import to_hex
from ledger.spec import Staleness
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import DigitsJudge, make_learned_job
from tests.simulated.sources import make_sources
from tests.unit.client.auditor.learned_jobs import failed

HALF = Staleness(2, "0.5")


def play(job: SimulatedJob, ages: Mapping[int, int], said: Mapping[int, Mapping[str, str]]) -> SimulatedJob:
    """Three rounds; in the last, nodes train from models as old as `ages` says, and say what `said` says."""
    job.play()
    job.play()
    job.play(ages=ages, said=said)
    return job


@pytest.mark.parametrize("rule", ["mean", "norm-clipped-mean"])
def test_stale_updates_are_recomputed_at_their_weights(rule: str) -> None:
    job = play(make_learned_job(staleness=HALF, aggregation=(rule, "0")), {1: 1, 2: 2}, {})
    entries = job.rounds[-1].tally.entries
    assert [entry.body.weight for entry in entries] == [1024, 512, 256, 1024]
    assert all(entry.body.score != 0 for entry in entries)
    report = audit(job.id, make_sources(job))
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


def test_coordinator_that_weighs_by_another_discount_is_contradicted_by_weights_sum_and_scores() -> None:
    job = make_learned_job(staleness=HALF)
    job.weighed_by = replace(job.spec, staleness=Staleness(2, "0.9"))
    report = audit(job.id, make_sources(play(job, {1: 1}, {})))
    assert {"verdict-weight", "screening", "aggregate", "next-model", "scores"} <= failed(report, 3)
    assert failed(report, 2) == set()


def test_report_without_an_age_leaves_the_learning_unknown_and_fails_age() -> None:
    job = play(make_learned_job(staleness=HALF), {}, {1: {"age": "many"}})
    report = audit(job.id, make_sources(job))
    assert failed(report, 3) == {"age"}
    assert report.exit_code == 1
    assert "aggregate" in find(report.results, Outcome.UNKNOWN)


def test_node_that_calls_old_work_fresh_is_not_seen_and_gains_only_the_discount() -> None:
    """Its update is scored by what it does to today's model; the lie doubles the weight that this is scored at."""
    job = make_learned_job(staleness=HALF)
    job.weighed_by = replace(job.spec, staleness=Staleness(2, "1"))  # as everyone weighs what says that it is fresh
    job.play()
    job.play()
    played = job.play(ages={1: 1}, said={1: {"age": "0", "trainedFrom": to_hex(job.model)}})
    assert find(audit(job.id, make_sources(job)).results) == set()
    assert isinstance(job.judge, DigitsJudge)
    outcome, rules = job.judge.outcomes[-1], job.judge.digits.rules
    one, gradient = outcome.judged[1], outcome.gradient
    assert gradient is not None
    assert (one.verdict, one.weight) == (Verdict.ACCEPTED, 1024)
    opening = evidence.decode_openings(played.bundle.files[evidence.OPENINGS])[1]
    assert opening is not None
    effect = compute_product(
        gradient.values.astype(np.int64), read_update(job.blobs[opening.payload_sha256], gradient.values.size)
    )
    rule = ScoreRule(rules.rate / 2**outcome.halvings, outcome.divisor, rules.fraction_bits)
    assert one.score == rule.compute_score(1024 * effect, gradient.scale)
    assert abs(2 * rule.compute_score(512 * effect, gradient.scale) - one.score) <= 2
