"""Rounds of the digits task with Adam on the server: they learn, share the fall, resume, and replays earn nothing."""

from dataclasses import replace

import numpy as np
import pytest

from learning.evidence import read_moments, write_evidence
from learning.moments import begin_second_moment, compute_divisor, compute_second_moment
from learning.optimiser import Moments
from learning.parameters import Vector64
from learning.quantise import quantise
from learning.round import RoundInputs, RoundOutcome, Void, run_round
from learning.state import RoundState
from learning.tensors import MalformedArrays
from ledger.entry import SCORE_BITS
from ledger.spec import Adam
from tests.unit.learning.digits_job import DigitsJob, beacon, make_job, reveal

ADAM = Adam("0.9", "0.01")


@pytest.fixture(scope="module")
def job() -> DigitsJob:
    plain = make_job(server_momentum="0.5")
    return replace(plain, rules=replace(plain.rules, adam=ADAM, server_rate="0.02"))


@pytest.fixture(scope="module")
def first(job: DigitsJob) -> RoundInputs:
    begin = job.begin()
    updates = job.train(begin.base, begin.state.clip, 1)
    return replace(begin, contributions=reveal([*updates, np.zeros_like(updates[0]), updates[0] // 2]))


@pytest.fixture(scope="module")
def outcome(first: RoundInputs) -> RoundOutcome:
    return run_round(first)


def follow(job: DigitsJob, outcome: RoundOutcome, inputs: RoundInputs, number: int) -> RoundInputs:
    updates = job.train(outcome.model, outcome.state.clip, number)
    return replace(
        inputs, base=outcome.model, state=outcome.state, beacon=beacon(number), contributions=reveal(updates)
    )


def test_second_moment_and_divisor_are_these_operations_in_this_order() -> None:
    second, mean = np.array([0.3, 1e-7]), np.array([0.1, -0.7])
    moved = compute_second_moment(second, mean, ADAM)
    assert moved.tolist() == [v * 0.9 + (m * m) * 0.1 for v, m in zip(second.tolist(), mean.tolist(), strict=True)]
    assert compute_divisor(moved, ADAM).tolist() == [v**0.5 + 0.01 for v in moved.tolist()]
    assert begin_second_moment(3, ADAM).tolist() == [0.01 * 0.01] * 3


def test_next_model_is_base_plus_the_rate_times_the_quotient(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    assert outcome.aggregate is not None
    mean = outcome.aggregate.astype(np.float64) / (outcome.divisor * 4096.0)
    second = begin_second_moment(mean.size, ADAM) * 0.9 + (mean * mean) * 0.1
    direction = mean / (np.sqrt(second) + 0.01)
    rate = float(job.rules.rate / 2**outcome.halvings)
    assert np.array_equal(outcome.model, first.base + (direction * rate).astype(np.float32))
    assert np.array_equal(outcome.state.second, second)
    assert np.array_equal(outcome.state.momentum, mean)


def test_first_round_shares_the_fall_and_zero_earns_zero(outcome: RoundOutcome) -> None:
    """Before the first round there is no momentum and nothing public: the shares are the whole fall."""
    assert outcome.loss_before is not None
    assert outcome.loss_after is not None
    fall = outcome.loss_before - outcome.loss_after
    assert fall > 0.1
    assert sum(one.score for one in outcome.judged) / 2**SCORE_BITS == pytest.approx(fall, abs=1e-4)
    assert outcome.judged[5].score == 0
    assert 0 < outcome.judged[6].score < outcome.judged[0].score


def test_later_round_shares_what_its_own_mean_did(job: DigitsJob, first: RoundInputs, outcome: RoundOutcome) -> None:
    """Without momentum, and without public directions, again the whole fall."""
    memoryless = replace(first, rules=replace(job.rules, server_momentum="0"))
    begun = run_round(memoryless)
    second = follow(job, begun, memoryless, 2)
    bare = replace(begun.state, moves=(), gradients=(), momentum=np.zeros_like(begun.state.momentum))
    later = run_round(replace(second, state=bare))
    assert later.loss_before is not None
    assert later.loss_after is not None
    fall = later.loss_before - later.loss_after
    assert sum(one.score for one in later.judged) / 2**SCORE_BITS == pytest.approx(fall, abs=1e-4)


def test_overshooting_rate_is_halved_and_an_absurd_one_is_void(job: DigitsJob, first: RoundInputs) -> None:
    boosted = run_round(replace(first, rules=replace(job.rules, server_rate="0.6")))
    assert boosted.void is None
    assert 1 <= boosted.halvings <= 4
    absurd = run_round(replace(first, rules=replace(job.rules, server_rate="9" * 18)))
    assert absurd.void is Void.LOSS_DID_NOT_FALL
    assert np.array_equal(absurd.state.second, first.state.second)


def test_job_continued_from_saved_state_gives_the_same_rounds(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    second = follow(job, outcome, first, 2)
    restored = RoundState.from_bytes(outcome.state.to_bytes(), first.base.size)
    straight, resumed = run_round(second), run_round(replace(second, state=restored))
    assert straight.judged == resumed.judged
    assert straight.model_bytes == resumed.model_bytes
    assert straight.state.to_bytes() == resumed.state.to_bytes()


def test_moments_are_read_back_from_the_evidence(job: DigitsJob, outcome: RoundOutcome) -> None:
    content = write_evidence(outcome)["momentum.safetensors"]
    moments = read_moments(content, outcome.model.size, job.rules)
    assert np.array_equal(moments.momentum, outcome.state.momentum)
    assert np.array_equal(moments.second, outcome.state.second)
    with pytest.raises(MalformedArrays, match="momentum"):
        read_moments(content, outcome.model.size, replace(job.rules, adam=None))


def test_auditor_repeats_the_scores_from_the_published_gradient(first: RoundInputs, outcome: RoundOutcome) -> None:
    audited = run_round(first, outcome.gradient)
    assert audited.check is not None
    assert audited.check.agrees
    assert audited.judged == outcome.judged
    assert write_evidence(audited) == write_evidence(outcome)


def test_replays_earn_next_to_nothing_stretched_or_not(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    """Moves and the momenta they came from, published gradients and the plain ones behind them, of every round."""
    inputs, outcomes = first, [outcome]
    for number in range(2, 6):
        inputs = follow(job, outcomes[-1], inputs, number)
        outcomes.append(run_round(inputs))
    assert all(one.void is None for one in outcomes)
    last = outcomes[-1]
    inputs = follow(job, last, inputs, 6)
    replays: list[Vector64] = [*last.state.moves]
    for one in outcomes:
        assert one.gradient is not None
        values = one.gradient.values.astype(np.float64)
        divisor = compute_divisor(one.state.second, ADAM)
        replays += [-values, -values * divisor, one.state.momentum, sum(replays, np.zeros(values.size))]
    clip = last.state.clip
    sent = [quantise(one / np.linalg.norm(one) * clip / 4096, 12, clip) for one in replays]
    honest = job.train(last.model, clip, 6)
    judged = run_round(replace(inputs, contributions=reveal([*honest, *sent]))).judged
    replayed = [abs(one.score) for one in judged[len(honest) :]]
    assert max(replayed) < 0.02 * max(abs(one.score) for one in judged)


def test_moments_without_adam_are_the_momentum_alone() -> None:
    rules = replace(make_job(server_momentum="0.5").rules)
    moved = Moments(np.array([1.0]), np.zeros(0)).advance(np.array([4096]), 1, rules)
    assert (moved.momentum.tolist(), moved.second.size) == ([1.5], 0)
    step = moved.step(np.zeros(1, np.float32), rules)
    assert step.stretch is None
    assert step.direction is moved.momentum
