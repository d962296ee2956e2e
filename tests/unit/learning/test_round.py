from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from learning.parameters import Vector64
from learning.quantise import quantise
from learning.round import RoundInputs, RoundOutcome, Void, run_round
from learning.state import RoundState
from learning.tensors import read_model
from ledger.entry import SCORE_BITS, Verdict
from tests.unit.learning.digits_job import DigitsJob, beacon, make_job, reveal


@pytest.fixture(scope="module")
def job() -> DigitsJob:
    return make_job()


@pytest.fixture(scope="module")
def first(job: DigitsJob) -> RoundInputs:
    begin = job.begin()
    updates = job.train(begin.base, begin.state.clip, 1)
    zero = np.zeros_like(updates[0])
    return replace(begin, contributions=reveal([*updates, zero, zero]))


@pytest.fixture(scope="module")
def outcome(first: RoundInputs) -> RoundOutcome:
    return run_round(first)


def follow(job: DigitsJob, inputs: RoundInputs, outcome: RoundOutcome, round: int) -> RoundInputs:
    updates = job.train(outcome.model, outcome.state.clip, round)
    return replace(inputs, base=outcome.model, state=outcome.state, beacon=beacon(round), contributions=reveal(updates))


def test_honest_round_lowers_the_loss_and_scores_share_the_fall(outcome: RoundOutcome) -> None:
    assert outcome.void is None
    assert outcome.loss_before is not None
    assert outcome.loss_after is not None
    fall = outcome.loss_before - outcome.loss_after
    assert fall > 0.1
    assert sum(one.score for one in outcome.judged) / 2**SCORE_BITS == pytest.approx(fall, abs=1e-4)
    assert all(one.score > 0 for one in outcome.judged[:5])


def test_zero_updates_are_accepted_and_score_exactly_zero(outcome: RoundOutcome) -> None:
    assert [(one.verdict, one.weight, one.score) for one in outcome.judged[5:]] == [(Verdict.ACCEPTED, 1, 0)] * 2


def test_model_bytes_hold_the_next_model(job: DigitsJob, outcome: RoundOutcome) -> None:
    assert np.array_equal(read_model(job.task.layout, outcome.model_bytes), outcome.model)


def test_next_model_is_base_plus_the_mean_of_the_updates(first: RoundInputs, outcome: RoundOutcome) -> None:
    assert outcome.aggregate is not None
    mean = outcome.aggregate.astype(np.float64) / (outcome.total_weight * 4096.0)
    assert np.array_equal(outcome.model, first.base + mean.astype(np.float32))


def test_repeated_run_gives_the_same_bytes(first: RoundInputs, outcome: RoundOutcome) -> None:
    again = run_round(first)
    assert again.model_bytes == outcome.model_bytes
    assert again.judged == outcome.judged
    assert again.state.to_bytes() == outcome.state.to_bytes()


def test_order_of_contributions_changes_no_model(first: RoundInputs, outcome: RoundOutcome) -> None:
    reordered = run_round(replace(first, contributions=list(reversed(first.contributions))))
    assert reordered.model_bytes == outcome.model_bytes
    assert sorted(one.score for one in reordered.judged) == sorted(one.score for one in outcome.judged)


def test_weights_count_in_sum_and_score(job: DigitsJob, first: RoundInputs) -> None:
    updates = job.train(first.base, first.state.clip, 1)
    weighted = run_round(replace(first, contributions=reveal(updates, [3, 1, 1, 1, 1])))
    assert weighted.total_weight == 7
    assert weighted.aggregate is not None
    assert weighted.aggregate[0] == 3 * int(updates[0][0]) + sum(int(update[0]) for update in updates[1:])
    assert weighted.judged[0].weight == 3


def test_every_kind_of_verdict_is_given(job: DigitsJob, first: RoundInputs, outcome: RoundOutcome) -> None:
    second = follow(job, first, outcome, 2)
    honest = job.train(outcome.model, outcome.state.clip, 2)
    recycled = job.train(first.base, first.state.clip, 1)[0]
    size, clip = first.base.size, outcome.state.clip
    large = np.zeros(size, np.int16)
    large[0], large[1] = min(clip, 32_767), 1 + clip // 4
    recycled_fits = int(np.sum(recycled.astype(np.int64) ** 2)) <= clip * clip
    revealed = reveal(
        [honest[0], Verdict.UNREVEALED, b"junk", large, honest[0], Verdict.NOT_OPENED, recycled, honest[1]]
    )
    judged = run_round(replace(second, contributions=revealed)).judged
    assert [one.verdict for one in judged] == [
        Verdict.ACCEPTED,
        Verdict.UNREVEALED,
        Verdict.MALFORMED,
        Verdict.NORM,
        Verdict.DUPLICATE,
        Verdict.NOT_OPENED,
        Verdict.RECYCLED if recycled_fits else Verdict.NORM,
        Verdict.ACCEPTED,
    ]
    assert all((one.weight, one.score) == (0, 0) for one in judged if one.verdict is not Verdict.ACCEPTED)


def test_update_of_an_earlier_round_is_recycled(job: DigitsJob, first: RoundInputs) -> None:
    updates = [update // 4 for update in job.train(first.base, first.state.clip, 1)]
    outcome = run_round(replace(first, contributions=reveal(updates)))
    wide = replace(outcome.state, clip=first.state.clip)
    inputs = replace(first, base=outcome.model, state=wide, beacon=beacon(2), contributions=reveal(updates[:1]))
    again = run_round(inputs)
    assert (again.void, again.judged[0].verdict) == (Void.NOTHING_ACCEPTED, Verdict.RECYCLED)


def test_too_few_opened_makes_every_entry_void(job: DigitsJob, first: RoundInputs) -> None:
    rules = replace(job.rules, cohort_minimum=3)
    updates = job.train(first.base, first.state.clip, 1)
    inputs = replace(first, rules=rules, contributions=reveal([*updates[:2], Verdict.UNREVEALED]))
    outcome = run_round(inputs)
    assert outcome.void is Void.TOO_FEW
    assert {one.verdict for one in outcome.judged} == {Verdict.VOID}
    assert outcome.beacon == bytes(32)
    assert_stands(inputs, outcome)


def test_updates_opened_in_a_void_round_cannot_be_sent_again(job: DigitsJob, first: RoundInputs) -> None:
    updates = job.train(first.base, first.state.clip, 1)
    rules = replace(job.rules, cohort_minimum=3)
    void = run_round(replace(first, rules=rules, contributions=reveal(updates[:2])))
    again = run_round(replace(first, state=void.state, contributions=reveal(updates)))
    assert [one.verdict for one in again.judged] == [Verdict.RECYCLED] * 2 + [Verdict.ACCEPTED] * 3


def test_nothing_accepted_is_void_and_keeps_the_verdicts(first: RoundInputs) -> None:
    inputs = replace(first, contributions=reveal([b"junk", Verdict.UNREVEALED]))
    outcome = run_round(inputs)
    assert outcome.void is Void.NOTHING_ACCEPTED
    assert [one.verdict for one in outcome.judged] == [Verdict.MALFORMED, Verdict.UNREVEALED]
    assert_stands(inputs, outcome)


def test_round_without_contributions_is_void(first: RoundInputs) -> None:
    assert run_round(replace(first, contributions=[])).void is Void.TOO_FEW


def test_overshooting_step_is_halved_until_the_loss_falls(job: DigitsJob, first: RoundInputs) -> None:
    boosted = run_round(replace(first, rules=replace(job.rules, server_rate="60")))
    assert boosted.void is None
    assert 1 <= boosted.halvings <= 4
    assert boosted.loss_before is not None
    assert boosted.loss_after is not None
    assert boosted.loss_after < boosted.loss_before


def test_loss_that_never_falls_is_void_with_weights_and_without_scores(job: DigitsJob, first: RoundInputs) -> None:
    uphill = [-update for update in job.train(first.base, first.state.clip, 1)]
    inputs = replace(first, contributions=reveal(uphill))
    outcome = run_round(inputs)
    assert (outcome.void, outcome.halvings) == (Void.LOSS_DID_NOT_FALL, 4)
    assert {(one.verdict, one.weight, one.score) for one in outcome.judged} == {(Verdict.ACCEPTED, 1, 0)}
    assert outcome.beacon == inputs.beacon
    assert outcome.state.pool.size == inputs.state.pool.size - job.rules.sample_positions
    assert_stands(inputs, outcome)


def test_absurd_rate_is_void_not_a_crash(job: DigitsJob, first: RoundInputs) -> None:
    assert run_round(replace(first, rules=replace(job.rules, server_rate="9" * 18))).void is Void.LOSS_DID_NOT_FALL


def assert_stands(inputs: RoundInputs, outcome: RoundOutcome) -> None:
    """A void round leaves model, clip and directions, and the momentum unless the loss did not fall; it pays nobody."""
    assert np.array_equal(outcome.model, inputs.base)
    assert read_model(inputs.task.layout, outcome.model_bytes).tolist() == inputs.base.tolist()
    fell = outcome.void is not Void.LOSS_DID_NOT_FALL
    assert np.array_equal(outcome.state.momentum, inputs.state.momentum * fell)
    assert (outcome.state.clip, outcome.state.moves) == (inputs.state.clip, inputs.state.moves)
    assert not any(one.score for one in outcome.judged)
    assert outcome.gradient is None


def test_by_weight_needs_no_validation_and_no_beacon(job: DigitsJob, first: RoundInputs) -> None:
    rules = replace(job.rules, scoring_rule="by-weight")
    updates = job.train(first.base, first.state.clip, 1)
    revealed = reveal([*updates[:2], b"junk"], [2, 5, 3])
    outcome = run_round(replace(first, rules=rules, validation=None, contributions=revealed))
    assert outcome.void is None
    assert [one.score for one in outcome.judged] == [2 << 40, 5 << 40, 0]
    assert (outcome.beacon, outcome.gradient, outcome.positions.size) == (bytes(32), None, 0)
    assert not np.array_equal(outcome.model, first.base)


def test_job_continued_from_saved_state_gives_the_same_rounds(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    second = follow(job, first, outcome, 2)
    restored = RoundState.from_bytes(outcome.state.to_bytes(), first.base.size)
    straight, resumed = run_round(second), run_round(replace(second, state=restored))
    assert straight.judged == resumed.judged
    assert straight.model_bytes == resumed.model_bytes
    assert straight.state.to_bytes() == resumed.state.to_bytes()


@pytest.mark.parametrize("kept", [3, 32])
def test_moves_and_gradients_are_remembered_newest_first(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("learning.state.KEPT", kept)
    job = make_job(nodes=3, server_momentum="0.5")
    inputs = replace(job.begin(), contributions=())
    inputs = replace(inputs, contributions=reveal(job.train(inputs.base, inputs.state.clip, 1)))
    models = [inputs.base]
    for round in range(2, 6):
        outcome = run_round(inputs)
        models.append(outcome.model)
        inputs = follow(job, inputs, outcome, round)
    assert len(inputs.state.gradients) == min(kept, 4)
    expected = [newer.astype(float) - older.astype(float) for older, newer in pairwise(models)]
    assert np.array_equal(inputs.state.moves, expected[::-1][:kept])


def test_replayed_public_directions_earn_next_to_nothing(
    job: DigitsJob, first: RoundInputs, outcome: RoundOutcome
) -> None:
    second = follow(job, first, outcome, 2)
    assert outcome.gradient is not None
    clip = outcome.state.clip
    replays = [
        quantise(outcome.state.moves[0], 12, clip),
        quantise(outcome.state.momentum, 12, clip // 2),
        quantise(-outcome.gradient.values.astype(np.float64), 12, clip),
    ]
    honest = job.train(outcome.model, clip, 2)
    judged = run_round(replace(second, contributions=reveal([*honest, *replays]))).judged
    replayed = [abs(one.score) for one in judged[len(honest) :]]
    assert {one.verdict for one in judged} == {Verdict.ACCEPTED}
    assert max(replayed) < 0.02 * max(abs(one.score) for one in judged)


def test_directions_of_long_ago_earn_no_more_than_new_ones() -> None:
    job = make_job(nodes=3, server_momentum="0.5")
    inputs, moves, gradients = job.begin(), list[Vector64](), list[Vector64]()
    for round in range(2, 8):
        outcome = run_round(replace(inputs, contributions=reveal(job.train(inputs.base, inputs.state.clip, round - 1))))
        assert outcome.gradient is not None
        moves.append(outcome.model.astype(np.float64) - inputs.base)
        gradients.append(outcome.gradient.values.astype(np.float64))
        inputs = follow(job, inputs, outcome, round)
    replays = [moves[0], moves[0] + moves[1] + moves[2], -gradients[0], -gradients[1]]
    clip = inputs.state.clip
    honest = job.train(inputs.base, clip, 7)
    updates = [*honest, *(quantise(1e3 * replay, 12, clip) for replay in replays)]
    judged = run_round(replace(inputs, contributions=reveal(updates))).judged
    assert max(abs(one.score) for one in judged[3:]) < 0.02 * max(abs(one.score) for one in judged)
