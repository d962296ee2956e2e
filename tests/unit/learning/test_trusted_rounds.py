"""Rounds under trust weighting: the reference is drawn beside the sample, published, and worth nothing afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from learning.evidence import read_reference, write_evidence
from learning.gradient import MalformedGradient
from learning.quantise import quantise
from learning.round import RoundInputs, RoundOutcome, Void, run_round
from learning.state import RoundState
from learning.tensors import MalformedArrays, write_arrays
from ledger.entry import Verdict
from ledger.weights import TRUST_BITS
from tests.unit.learning.digits_job import VALIDATION, DigitsJob, beacon, make_job, reveal


@pytest.fixture(scope="module")
def job() -> DigitsJob:
    plain = make_job()
    return replace(plain, rules=replace(plain.rules, aggregation_rule="trust-weighted", sample_positions=100))


@pytest.fixture(scope="module")
def first(job: DigitsJob) -> RoundInputs:
    begin = job.begin()
    return replace(begin, contributions=reveal(job.train(begin.base, begin.state.clip, 1)))


@pytest.fixture(scope="module")
def outcome(first: RoundInputs) -> RoundOutcome:
    return run_round(first)


def test_reference_points_where_the_loss_of_the_validation_set_falls(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    everything = job.task.objective(job.validation, np.arange(VALIDATION))
    slope = everything.gradient(first.base.astype(np.float64))
    assert outcome.reference is not None
    reference = outcome.reference.values.astype(np.float64)
    assert -reference @ slope / np.linalg.norm(reference) / np.linalg.norm(slope) > 0.9


def test_reference_depends_on_the_beacon_and_on_no_contribution(first: RoundInputs, outcome: RoundOutcome) -> None:
    assert outcome.reference is not None
    fewer = run_round(replace(first, contributions=first.contributions[:2]))
    other = run_round(replace(first, beacon=beacon(9)))
    assert fewer.reference is not None
    assert other.reference is not None
    assert np.array_equal(fewer.reference.values, outcome.reference.values)
    assert not np.array_equal(other.reference.values, outcome.reference.values)


def test_flipped_update_is_excluded_with_a_reason_and_has_no_say_in_the_next_clip(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    updates = job.train(first.base, first.state.clip, 1)
    zero = np.zeros_like(updates[0])
    attacked = run_round(replace(first, contributions=reveal([*updates, -updates[0], zero])))
    flipped, idle = attacked.judged[-2:]
    assert [(one.verdict, one.weight, one.score) for one in (flipped, idle)] == [(Verdict.EXCLUDED, 0, 0)] * 2
    assert "points against" in flipped.detail
    assert "moves nowhere" in idle.detail
    assert attacked.model_bytes == outcome.model_bytes
    assert attacked.state.clip == outcome.state.clip


def test_tiny_and_large_updates_of_one_direction_move_the_model_alike(job: DigitsJob, first: RoundInputs) -> None:
    update = job.train(first.base, first.state.clip, 1)[0].astype(np.float64) / 4096
    sent = [quantise(update * size, 12, first.state.clip) for size in (0.25, 1.0, 0.5)]
    outcome = run_round(replace(first, contributions=reveal(sent)))
    scores = [one.score for one in outcome.judged]
    assert max(scores) < 1.01 * min(scores)


def test_trust_of_the_auditors_own_reference_is_compared(first: RoundInputs, outcome: RoundOutcome) -> None:
    audited = run_round(first, outcome.gradient, outcome.reference)
    assert audited.reference_check is not None
    assert audited.reference_check.agrees
    assert audited.reference_check.count == len(first.contributions)
    assert 0.1 < audited.reference_check.score_sum / audited.reference_check.count / 2**TRUST_BITS < 1


def test_replayed_references_earn_next_to_nothing(job: DigitsJob, first: RoundInputs, outcome: RoundOutcome) -> None:
    """They point the right way, so that they are trusted; and they were public, so that they are not paid for."""
    outcomes, inputs = [outcome], first
    for number in range(2, 5):
        updates = job.train(outcomes[-1].model, outcomes[-1].state.clip, number)
        inputs = replace(
            inputs,
            base=outcomes[-1].model,
            state=outcomes[-1].state,
            beacon=beacon(number),
            contributions=reveal(updates),
        )
        outcomes.append(run_round(inputs))
    last = outcomes[-1]
    clip = last.state.clip
    replays = [
        quantise(one.reference.values.astype(np.float64), 12, clip) for one in outcomes if one.reference is not None
    ]
    honest = job.train(last.model, clip, 5)
    mixed = reveal([*honest, *replays])
    judged = run_round(replace(inputs, base=last.model, state=last.state, beacon=beacon(5), contributions=mixed)).judged
    assert any(one.verdict is Verdict.ACCEPTED for one in judged[len(honest) :])
    assert max(abs(one.score) for one in judged[len(honest) :]) < 0.02 * max(abs(one.score) for one in judged)


def test_round_whose_loss_did_not_fall_published_its_reference_all_the_same(first: RoundInputs, job: DigitsJob) -> None:
    absurd = run_round(replace(first, rules=replace(job.rules, server_rate="9" * 18)))
    assert absurd.void is Void.LOSS_DID_NOT_FALL
    assert absurd.reference is not None
    assert [one.values.tolist() for one in absurd.state.gradients] == [absurd.reference.values.tolist()]
    assert sorted(write_evidence(absurd)) == [
        "aggregate.safetensors",
        "outcome.json",
        "reference.safetensors",
        "screening.json",
    ]


def test_reference_and_state_are_read_back(first: RoundInputs, outcome: RoundOutcome) -> None:
    size, files = first.base.size, write_evidence(outcome)
    assert outcome.reference is not None
    assert outcome.gradient is not None
    again = read_reference(files, size)
    assert again is not None
    assert (again.values.tolist(), again.scale) == (outcome.reference.values.tolist(), outcome.reference.scale)
    assert read_reference({}, size) is None
    state = RoundState.from_bytes(outcome.state.to_bytes(), size)
    kept = [one.values.tolist() for one in state.gradients]
    assert kept == [outcome.gradient.values.tolist(), outcome.reference.values.tolist()]


def test_malformed_reference_is_refused(first: RoundInputs) -> None:
    size = first.base.size
    small = {"reference": np.ones(size, np.int32), "scale": np.array([3])}
    with pytest.raises(MalformedGradient, match="largest element"):
        read_reference({"reference.safetensors": write_arrays(small)}, size)
    for arrays in ({"reference": small["reference"]}, {**small, "scale": np.array([3, 4])}):
        with pytest.raises(MalformedArrays, match="reference"):
            read_reference({"reference.safetensors": write_arrays(arrays)}, size)
