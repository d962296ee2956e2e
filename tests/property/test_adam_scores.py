"""Axioms of the scores where Adam stretches the step: zero, symmetry, splitting, efficiency, public directions."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.effect import compute_effect, score_updates
from learning.optimiser import Moments, list_published
from learning.parameters import Vector64
from learning.quantise import Update
from learning.robust.combination import Contributed
from learning.rules import LearningRules
from learning.score import ScoreRule
from learning.state import RoundState
from ledger.entry import SCORE_BITS
from ledger.spec import Adam

SIZE = 9
RULES = LearningRules(clip_norm="10", server_rate="0.05", server_momentum="0.5", adam=Adam("0.75", "0.125"))
updates = arrays.arrays(np.int16, SIZE, elements=st.integers(-3000, 3000))
targets = arrays.arrays(np.float64, SIZE, elements=st.floats(-3, 3))
curves = arrays.arrays(np.float64, SIZE, elements=st.floats(0.01, 3))
seconds = arrays.arrays(np.float64, SIZE, elements=st.floats(0, 4))


@dataclass(frozen=True)
class Bowl:
    """L(x) = ½ Σ curve · (x − target)²: six points integrate its gradient exactly."""

    curve: Vector64
    target: Vector64

    def loss(self, vector: Vector64) -> float:
        return float(np.sum(self.curve * (vector - self.target) ** 2)) / 2

    def gradient(self, vector: Vector64) -> Vector64:
        return self.curve * (vector - self.target)


@dataclass(frozen=True)
class Played:
    """Scores in units of 2^-40 nats, the fall in loss in nats, and the moments and state after the round."""

    scores: list[int]
    fall: float
    moments: Moments
    state: RoundState


def play(bowl: Bowl, chosen: list[Update], state: RoundState, weights: list[int] | None = None) -> Played:
    """One round of these updates from the origin."""
    weights = weights or [1] * len(chosen)
    base = np.zeros(SIZE, np.float32)
    aggregate = sum((w * u.astype(np.int64) for w, u in zip(weights, chosen, strict=True)), np.zeros(SIZE, np.int64))
    moments = Moments(state.momentum, state.second).advance(aggregate, sum(weights), RULES)
    step = moments.step(base, RULES)
    model = step.compute_model(0)
    effect = compute_effect(bowl, step, model, state)
    rule = ScoreRule(step.rate, sum(weights), RULES.fraction_bits)
    contributed = [Contributed(place, one, weights[place]) for place, one in enumerate(chosen)]
    scores = score_updates(contributed, effect, rule, None)
    state = replace(state, momentum=moments.momentum, second=moments.second, moves=(model.astype(np.float64),))
    state = replace(state, gradients=list_published(scores.gradient, moments, RULES))
    fall = bowl.loss(base.astype(np.float64)) - bowl.loss(model.astype(np.float64))
    return Played([scores.values[place] for place in range(len(chosen))], fall, moments, state)


def begin(second: Vector64) -> RoundState:
    return replace(RoundState.initial(SIZE, RULES, 0), second=second)


bowls = st.builds(Bowl, curves, targets)
cohorts = st.lists(updates, min_size=1, max_size=5)


@given(bowls, cohorts, seconds)
def test_zero_update_scores_exactly_zero(bowl: Bowl, chosen: list[Update], second: Vector64) -> None:
    """Null player."""
    assert play(bowl, [*chosen, np.zeros(SIZE, np.int16)], begin(second)).scores[-1] == 0


@given(bowls, cohorts, seconds)
def test_equal_updates_score_equally_wherever_they_stand(bowl: Bowl, chosen: list[Update], second: Vector64) -> None:
    """Symmetry."""
    straight = play(bowl, [*chosen, chosen[0]], begin(second)).scores
    turned = play(bowl, [chosen[0], *reversed(chosen)], begin(second)).scores
    assert straight[0] == straight[-1]
    assert straight == turned[::-1]


@given(bowls, cohorts, seconds)
def test_scores_sum_to_the_fall_that_the_mean_caused(bowl: Bowl, chosen: list[Update], second: Vector64) -> None:
    """Efficiency: with no momentum from before, Σ scores is the fall, but for the model's rounding to float32."""
    played = play(bowl, chosen, begin(second))
    assert abs(sum(played.scores) / 2**SCORE_BITS - played.fall) <= 1e-5 * (1 + abs(played.fall))


@given(bowls, cohorts, updates, seconds, st.data())
def test_splitting_an_update_gains_nothing(
    bowl: Bowl, chosen: list[Update], update: Update, second: Vector64, data: st.DataObject
) -> None:
    """The same step, one update in two parts: they score together what it scored, to a unit each."""
    part = data.draw(arrays.arrays(np.int16, SIZE, elements=st.integers(-100, 100)))
    double = (2 * update).astype(np.int16)
    whole = play(bowl, [*chosen, double], begin(second), [1] * len(chosen) + [2])
    parts = play(bowl, [*chosen, (double + part).astype(np.int16), (double - part).astype(np.int16)], begin(second))
    assert abs(sum(parts.scores[-2:]) - whole.scores[-1]) <= 3


@given(bowls, bowls, cohorts, seconds, st.data())
def test_public_directions_score_next_to_nothing(
    before: Bowl, bowl: Bowl, chosen: list[Update], second: Vector64, data: st.DataObject
) -> None:
    """Any mixture of move, momentum, and gradient, stretched or plain, beside what an update of its length could."""
    state = play(before, chosen, begin(second)).state
    public = [*state.moves, state.momentum, *(one.values.astype(np.float64) for one in state.gradients)]
    mixture = np.zeros(SIZE)
    for one in public:
        length = float(np.linalg.norm(one))
        if length > 0:
            mixture += data.draw(st.floats(-1, 1)) * one / length
    assume(np.linalg.norm(mixture) > 0.01)
    replay = np.rint(mixture * 20_000 / np.linalg.norm(mixture)).astype(np.int16)
    moments = Moments(state.momentum, state.second).advance(replay.astype(np.int64), 1, RULES)
    step = moments.step(np.zeros(SIZE, np.float32), RULES)
    effect = compute_effect(bowl, step, step.compute_model(0), state)
    full = np.multiply(bowl.gradient(np.zeros(SIZE)), step.stretch if step.stretch is not None else 1.0)
    # Rounding a replay to whole units leaves half a unit in each element.
    loose = 20_000 * 1e-6 + np.sqrt(SIZE) / 2
    longest = max(float(np.linalg.norm(effect)), float(np.linalg.norm(full)))
    assert abs(float(effect @ replay)) <= loose * longest


@given(updates)
def test_long_run_of_one_mean_makes_steps_of_one_size(update: Update) -> None:
    """V tends to the square of what stays the same: the quotient then has size 1 wherever anything moves."""
    rules = replace(RULES, server_momentum="0", adam=Adam("0.5", "0.000001"))
    moments = Moments(np.zeros(SIZE), np.zeros(SIZE))
    for _ in range(60):
        moments = moments.advance(update.astype(np.int64), 1, rules)
    sizes = np.abs(moments.step(np.zeros(SIZE, np.float32), rules).direction)
    assert np.all((sizes[update != 0] > 0.99) & (sizes[update != 0] <= 1))
    assert not sizes[update == 0].any()
