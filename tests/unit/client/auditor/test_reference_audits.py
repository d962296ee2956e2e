"""Audits of trust-weighted jobs: the published reference is the auditor's own, and all else follows from it exactly."""

from functools import cache

import numpy as np
import pytest

from client.auditor import Scope, Sources, audit
from client.auditor.checks import ALL_CHECKS, RECOMPUTED_CHECKS
from learning.evidence import OutcomeAccount
from learning.gradient import PublicGradient
from learning.payload import write_update
from learning.quantise import Update
from learning.round import RoundInputs, RoundOutcome, Void, run_round
from learning.tensors import ArrayType, read_arrays, write_arrays
from ledger import evidence
from ledger.entry import Verdict
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job
from tests.simulated.sources import SimulatedChain, make_evidence, make_facts, make_sources
from tests.unit.client.auditor.learned_jobs import change, failed, play
from tests.unit.learning.digits_job import digits_task

SIZE = digits_task().layout.size
TRUSTED = ("trust-weighted", "0")


def send_opposite(update: Update) -> bytes:
    return write_update(-update)


@cache
def play_trusted() -> SimulatedJob:
    """Three rounds of five nodes: one flipped update, then nothing but flipped ones, then an ordinary round."""
    twists = {(1, 0): send_opposite} | {(2, node): send_opposite for node in range(5)}
    job = make_learned_job(nodes=5, rounds=3, twists=twists, aggregation=TRUSTED)
    for _ in range(3):
        job.play()
    return job


def read_reference_file(job: SimulatedJob, number: int) -> dict[str, np.ndarray]:
    content = job.rounds[number - 1].bundle.files[evidence.REFERENCE]
    expected = {"reference": ArrayType("I32", (SIZE,)), "scale": ArrayType("I64", (1,))}
    return {name: array.copy() for name, array in read_arrays(content, expected, "reference", len(content)).items()}


def test_honest_job_passes_every_check_and_gives_flipped_updates_nothing() -> None:
    job = play_trusted()
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 0
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)
    bodies = [entry.body for entry in job.rounds[0].tally.entries]
    assert (bodies[0].verdict, bodies[0].weight, bodies[0].score) == (Verdict.EXCLUDED, 0, 0)
    assert all(body.verdict == Verdict.ACCEPTED and body.score for body in bodies[1:])


def test_round_that_trusts_nobody_is_void_and_publishes_its_reference() -> None:
    played = play_trusted().rounds[1]
    account = OutcomeAccount.from_bytes(played.bundle.files[evidence.OUTCOME])
    assert (account.void, account.sample_digest) == (Void.NOTHING_ACCEPTED, None)
    assert {entry.body.verdict for entry in played.tally.entries} == {Verdict.EXCLUDED}
    assert evidence.REFERENCE in played.bundle.files
    assert evidence.AGGREGATE not in played.bundle.files
    assert played.header.statement.beacon == bytes(32)


def test_state_is_taken_over_from_rounds_that_are_not_recomputed() -> None:
    job = play_trusted()
    assert audit(job.id, make_sources(job), Scope(first=3, last=3)).exit_code == 0


@pytest.mark.parametrize("number", [1, 2])
def test_reference_that_was_not_handed_out_is_unknown_not_false(number: int) -> None:
    job, source = play_trusted(), make_evidence(play_trusted())
    bundle = source.rounds[number]
    files = {name: content for name, content in bundle.files.items() if name != evidence.REFERENCE}
    source.rounds[number] = type(bundle)(bundle.round, files, bundle.anchored)
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert not report.find(Outcome.FAIL)
    unknown = {(result.round, result.check) for result in report.find(Outcome.UNKNOWN)}
    assert (number, "reference") in unknown
    assert (3, "scores") in unknown, "later rounds cannot be judged without this public direction"


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_round_signed_without_a_good_reference_fails_it_and_leaves_the_rest_unknown(content: bytes | None) -> None:
    """A lying coordinator that keeps the reference to itself, or publishes something else in its place."""
    job = play_trusted()
    played = job.rounds[0]
    files = {name: known for name, known in played.bundle.files.items() if name != evidence.REFERENCE}
    if content is not None:
        files[evidence.REFERENCE] = content
    source, facts = make_evidence(job), make_facts(job)
    source.rounds[1] = job.seal(played.header.statement, files)
    report = audit(job.id, Sources(source, SimulatedChain(facts)))
    assert "reference" in failed(report, 1)
    assert not failed(report, 1) & (set(RECOMPUTED_CHECKS) - {"reference"})
    unknown = {result.check for result in report.find(Outcome.UNKNOWN) if result.round == 1}
    assert {"aggregate", "scores", "next-model"} <= unknown


def test_scale_of_the_reference_is_compared_too() -> None:
    job = play_trusted()
    arrays = read_reference_file(job, 1)
    arrays["scale"] += 1
    assert failed(audit(job.id, change(job, 1, {evidence.REFERENCE: write_arrays(arrays)})), 1) == {"reference"}


def test_sum_by_another_reference_than_the_published_one_fails() -> None:
    """What is published decides: verdicts and sum that were made by other integers do not follow from it."""
    job = play_trusted()
    arrays = read_reference_file(job, 1)
    far = {**arrays, "reference": -arrays["reference"]}
    failures = failed(audit(job.id, change(job, 1, {evidence.REFERENCE: write_arrays(far)})), 1)
    assert {"reference", "screening", "aggregate", "next-model"} <= failures


def test_reference_that_a_lying_coordinator_bends_fails_reference_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that follows from the bent reference is computed honestly: only the auditor's own tells."""

    def bend(inputs: RoundInputs) -> RoundOutcome:
        honest = run_round(inputs).reference
        assert honest is not None
        values = honest.values.copy()
        values[np.argmin(np.abs(values))] += 2**21
        return run_round(inputs, None, PublicGradient(values, honest.scale))

    monkeypatch.setattr("tests.simulated.learned.run_round", bend)
    job = make_learned_job(nodes=4, rounds=1, aggregation=TRUSTED)
    job.play()
    report = audit(job.id, make_sources(job))
    assert failed(report, 1) == {"reference"}
    assert report.exit_code == 1


def test_reference_in_a_job_of_another_rule_fails_reference() -> None:
    files = {evidence.REFERENCE: play_trusted().rounds[0].bundle.files[evidence.REFERENCE]}
    assert failed(audit(play().id, change(play(), 1, files)), 1) == {"reference"}
