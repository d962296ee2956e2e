"""Axioms of the scores, on whole rounds: what screening, aggregation, step and scoring together pay for an update.

Each law holds for the plain mean and, where it is one of theirs, for the robust rules.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.scoring.game import Game, compute_shapley, correlate
from learning.quantise import Update, compute_norm_squared, quantise
from learning.round import run_round
from ledger.entry import SCORE_BITS, Verdict
from ledger.spec import Staleness
from ledger.weights import compute_weight
from tests.property.digits_rounds import NODES, RULES, get_inputs, get_job, run, score_all, score_exactly, train
from tests.unit.learning.digits_job import make_job, reveal
from tests.unit.ledger.test_age import make_stale_spec

every_rule = pytest.mark.parametrize("rule", RULES)
weighing_rules = pytest.mark.parametrize("rule", ["mean", "norm-clipped-mean", "multi-krum"])
linear_rules = pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in ("median", "trimmed-mean")])
few = settings(max_examples=12)
seeds = st.integers(0, 5)


@every_rule
@few
@given(seed=seeds, places=st.sets(st.integers(0, NODES), min_size=1, max_size=3), weight=st.integers(1, 2000))
def test_zero_update_scores_exactly_zero(rule: str, seed: int, places: set[int], weight: int) -> None:
    """Null player, wherever it stands and whatever it weighs."""
    updates, weights = list(train(2, seed)), [weight] * NODES
    for place in sorted(places):
        updates.insert(place, np.zeros_like(updates[0]))
        weights.insert(place, 3 * weight)
    outcome = run(2, rule, updates, weights, seed)
    zeros = [one for one, update in zip(outcome.judged, updates, strict=True) if not update.any()]
    assert {one.score for one in zeros} == {0}
    assert any(score_all(outcome))


@every_rule
@few
@given(seed=seeds, order=st.permutations(range(NODES)))
def test_score_goes_with_the_update_not_with_its_place(rule: str, seed: int, order: list[int]) -> None:
    """Symmetry: whoever sends an update, and whenever, the same update in the same cohort scores the same."""
    updates = train(2, seed)
    before = score_all(run(2, rule, updates, sample=seed))
    after = score_all(run(2, rule, [updates[one] for one in order], sample=seed))
    assert after == [before[one] for one in order]


@pytest.mark.parametrize("rule", ["mean", "norm-clipped-mean", "trimmed-mean", "median"])
@few
@given(seed=st.integers(0, 1000))
def test_updates_that_do_the_same_score_the_same(rule: str, seed: int) -> None:
    """Symmetry of two players: of two units that are alike, one update moves the first as the other moves the second.

    Equal updates of one round are a repetition and refused; these differ, and do the same to the loss.
    """
    inputs, layout = get_job().begin(), get_job().task.layout
    base = inputs.base.copy()
    _copy_unit(layout.unflatten(base))
    generator = np.random.default_rng(seed)
    move = get_job().task.train(base, get_job().nodes[0], seed).move + generator.normal(0, 1e-3, base.size)
    mirrored = move.copy()
    _swap_units(layout.unflatten(mirrored))
    updates = [quantise(move, inputs.rules.fraction_bits, inputs.state.clip)]
    updates.append(quantise(mirrored, inputs.rules.fraction_bits, inputs.state.clip))
    assert updates[0].tolist() != updates[1].tolist()
    rules = replace(inputs.rules, aggregation_rule=rule, aggregation_tolerance=RULES[rule])
    outcome = run_round(replace(inputs, base=base, rules=rules, contributions=reveal(updates)))
    first, second = score_all(outcome)
    assert first > 0
    assert abs(first - second) <= 1e-6 * first


def _copy_unit(parts: dict[str, np.ndarray]) -> None:
    parts["dense1"][:, 1], parts["bias1"][1], parts["dense2"][1] = (
        parts["dense1"][:, 0],
        parts["bias1"][0],
        parts["dense2"][0],
    )


def _swap_units(parts: dict[str, np.ndarray]) -> None:
    parts["dense1"][:] = parts["dense1"][:, ::-1].copy()
    parts["bias1"][:] = parts["bias1"][::-1].copy()
    parts["dense2"][:] = parts["dense2"][::-1].copy()


@every_rule
@few
@given(seed=seeds, weights=st.lists(st.integers(1, 1024), min_size=NODES, max_size=NODES))
def test_scores_sum_to_the_score_of_the_sum(rule: str, seed: int, weights: list[int]) -> None:
    """Additivity: Σ score_k is the score of Σ c_k, to less than a unit each; nothing is paid that nobody sent.

    Centred clipping adds a part of the momentum to the sum, which is public and nobody's: it scores next to nothing.
    """
    outcome = run(2, rule, train(2, seed), weights, seed)
    assert outcome.gradient is not None
    assert outcome.aggregate is not None
    whole = score_exactly(outcome, outcome.aggregate)
    slack = len(weights) + (abs(whole) // 100 if rule == "centred-clipping" else 0)
    assert abs(sum(score_all(outcome)) - whole) <= slack


@linear_rules
@few
@given(
    seed=seeds,
    mixture=arrays.arrays(np.float64, 7, elements=st.floats(-1, 1)),
)
def test_public_directions_earn_nothing(rule: str, seed: int, mixture: np.ndarray) -> None:
    """Any mixture of earlier moves, published gradients and the momentum: what is left is the rounding of an update.

    Not so under `median` and `trimmed-mean`: they take an update apart coordinate by coordinate, and what they take of
    a public direction is none any more. `docs/verified-work.md` has what replays are paid there.
    """
    state = get_inputs(4).state
    assert len(state.moves) == len(state.gradients) == 3
    directions = [*state.moves, *(one.values.astype(np.float64) for one in state.gradients), state.momentum]
    replayed = sum(
        (part * direction / np.linalg.norm(direction) for part, direction in zip(mixture, directions, strict=True)),
        start=np.zeros(state.momentum.size),
    )
    assume(np.linalg.norm(replayed) > 0.01)
    update = quantise(1e3 * replayed / np.linalg.norm(replayed), get_job().rules.fraction_bits, state.clip)
    outcome = run(4, rule, [*train(4, seed), update], sample=seed)
    assert outcome.void is None
    honest = [one.score for one in outcome.judged[:-1] if one.verdict is Verdict.ACCEPTED]
    assert abs(outcome.judged[-1].score) <= 0.02 * max(map(abs, honest))


@weighing_rules
@few
@given(
    seed=seeds,
    ages=st.lists(st.integers(0, 3), min_size=NODES, max_size=NODES),
    discount=st.sampled_from(["0.5", "0.9", "0.123", "1"]),
)
def test_stale_update_is_scored_by_what_it_did_at_its_discounted_weight(
    rule: str, seed: int, ages: list[int], discount: str
) -> None:
    """Score = trunc(w · effect): of an update trained two rounds ago, the effect that it has on today's model."""
    spec = replace(make_stale_spec(), staleness=Staleness(3, discount))
    clip = get_inputs(4).state.clip
    updates = [train(4 if age == 0 else max(1, 4 - age), seed)[node] for node, age in enumerate(ages)]
    updates = [quantise(update / 4096.0, 12, clip) for update in updates]
    weights = [compute_weight(spec, age=age) for age in ages]
    outcome = run(4, rule, updates, weights, seed)
    assume(outcome.void is None)
    for one, update, weight in zip(outcome.judged, updates, weights, strict=True):
        if one.verdict is not Verdict.ACCEPTED or (rule == "norm-clipped-mean" and _is_clipped(updates, update)):
            continue
        assert one.weight == weight
        assert one.score == int(weight * score_exactly(outcome, update.astype(np.int64)))


def _is_clipped(updates: Sequence[Update], update: Update) -> bool:
    norms = sorted(compute_norm_squared(other) for other in updates)
    return compute_norm_squared(update) >= norms[(len(norms) - 1) // 2]


@pytest.mark.parametrize("players", [3, 6])
@pytest.mark.parametrize("concentration", [0.1, 1.0])
def test_scores_are_the_exact_shapley_values_of_the_step(players: int, concentration: float) -> None:
    """The truth by enumeration of all coalitions: the same shares, and together the whole fall in loss."""
    job = make_job(nodes=players, concentration=concentration, hidden=8)
    inputs = job.begin()
    updates = job.train(inputs.base, inputs.state.clip, 1)
    outcome = run_round(replace(inputs, contributions=reveal(updates)))
    assert outcome.loss_before is not None
    assert outcome.loss_after is not None
    fall = outcome.loss_before - outcome.loss_after
    objective = job.task.objective(job.validation, outcome.positions)
    rate = job.rules.rate / 2**outcome.halvings
    game = Game(objective, inputs.base, updates, [[one] for one in range(players)], rate, job.rules.fraction_bits)
    exact = compute_shapley(game.enumerate_values())
    scores = np.array(score_all(outcome)) / 2.0**SCORE_BITS
    assert correlate(scores, exact) >= 0.999
    assert abs(scores.sum() - fall) <= 1e-4 * fall
    assert abs(exact.sum() - fall) <= 1e-4 * fall
