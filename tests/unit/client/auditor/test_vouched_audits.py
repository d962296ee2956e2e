"""Audits of jobs that weigh by vouched samples: honest ones pass every check, a sum that ignores vouchers fails."""

from functools import cache
from random import Random

import numpy as np

from client.auditor import audit
from client.auditor.checks import ALL_CHECKS
from learning.payload import read_update
from learning.tensors import write_arrays
from ledger import evidence
from ledger.spec import Vouchers
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job
from tests.simulated.sources import make_sources
from tests.simulated.terms import draw_setting
from tests.unit.client.auditor.learned_jobs import change, failed
from tests.unit.learning.digits_job import digits_task


@cache
def play_vouched() -> SimulatedJob:
    setting = draw_setting(Random(3))
    job = make_learned_job(nodes=4, rounds=2, setting=setting, vouchers=Vouchers(setting.platform.address, 60))
    job.play(hidden=[1])
    job.play()
    return job


def test_honest_job_passes_every_check() -> None:
    job = play_vouched()
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 0
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)
    assert [entry.body.weight for entry in job.rounds[1].tally.entries] == [60, 101, 102, 60]


def test_sum_that_counts_all_alike_fails_aggregate() -> None:
    job, size = play_vouched(), digits_task().layout.size
    payloads = [read_update(payload, size) for payload in job.rounds[1].payloads.values()]
    plain = np.sum([update.astype(np.int64) for update in payloads], axis=0)
    files = {evidence.AGGREGATE: write_arrays({"aggregate": plain})}
    assert failed(audit(job.id, change(job, 2, files)), 2) == {"aggregate"}
