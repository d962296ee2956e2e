"""Audits of jobs under the robust rules: honest ones pass every check, another rule's sum fails."""

from functools import cache

import numpy as np
import pytest

from client.auditor import audit
from client.auditor.checks import ALL_CHECKS
from learning.payload import read_update
from learning.tensors import write_arrays
from ledger import evidence
from ledger.entry import Verdict
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job, send_zero
from tests.simulated.sources import make_sources
from tests.unit.client.auditor.learned_jobs import change, failed
from tests.unit.learning.digits_job import digits_task

SIZE = digits_task().layout.size
ROBUST = [
    ("norm-clipped-mean", "0"),
    ("centred-clipping", "0"),
    ("median", "0"),
    ("trimmed-mean", "0.25"),
    ("multi-krum", "0.3"),
    ("trust-weighted", "0"),
]


@cache
def play_robust(aggregation: tuple[str, str]) -> SimulatedJob:
    job = make_learned_job(nodes=5, rounds=2, twists={(1, 2): send_zero}, aggregation=aggregation)
    job.play(hidden=[3])
    job.play()
    return job


@pytest.mark.parametrize("aggregation", ROBUST, ids=[rule for rule, _ in ROBUST])
def test_honest_job_of_a_robust_rule_passes_every_check(aggregation: tuple[str, str]) -> None:
    job = play_robust(aggregation)
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 0
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


@pytest.mark.parametrize("aggregation", ROBUST, ids=[rule for rule, _ in ROBUST])
def test_sum_of_another_rule_fails_aggregate(aggregation: tuple[str, str]) -> None:
    """A coordinator that took the plain mean where the spec names a robust rule."""
    job = play_robust(aggregation)
    payloads = [read_update(payload, SIZE) for payload in job.rounds[1].payloads.values()]
    plain = np.sum([update.astype(np.int64) for update in payloads], axis=0)
    files = {evidence.AGGREGATE: write_arrays({"aggregate": plain})}
    assert failed(audit(job.id, change(job, 2, files)), 2) == {"aggregate"}


def test_krum_leaves_an_entry_with_its_verdict() -> None:
    verdicts = [entry.body.verdict for entry in play_robust(("multi-krum", "0.3")).rounds[1].tally.entries]
    assert sorted(verdicts) == [Verdict.ACCEPTED] * 4 + [Verdict.EXCLUDED]
