"""Axioms of the scores, on integers: what earns, what cannot, and what splitting does."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.gradient import quantise_gradient, remove_directions
from learning.quantise import LARGEST, Update
from learning.score import ScoreRule, compute_product

SIZE = 12
gradients = arrays.arrays(np.float64, SIZE, elements=st.floats(-1e3, 1e3))
updates = arrays.arrays(np.int16, SIZE, elements=st.integers(-LARGEST, LARGEST))
rules = st.builds(
    ScoreRule,
    st.fractions(Fraction(1, 1000), 10),
    st.integers(1, 10**6),
    st.integers(1, 14),
)


def score(rule: ScoreRule, gradient: np.ndarray, update: Update, weight: int = 1) -> int:
    public = quantise_gradient(gradient)
    return rule.compute_score(weight * compute_product(public.values.astype(np.int64), update), public.scale)


@given(rules, gradients)
def test_zero_update_scores_exactly_zero(rule: ScoreRule, gradient: np.ndarray) -> None:
    """Null player: ⟨g, 0⟩ = 0."""
    assert score(rule, gradient, np.zeros(SIZE, np.int16)) == 0


@given(rules, gradients, updates, st.permutations(range(SIZE)))
def test_score_depends_on_nothing_but_the_effect(
    rule: ScoreRule, gradient: np.ndarray, update: Update, order: list[int]
) -> None:
    """Symmetry: what moves the loss alike scores alike, whichever parameters it moves."""
    assert score(rule, gradient, update) == score(rule, gradient[order], update[order])


@given(rules, gradients, updates)
def test_opposite_update_scores_the_opposite(rule: ScoreRule, gradient: np.ndarray, update: Update) -> None:
    """Trunc rounds both ways alike."""
    assert score(rule, gradient, -update) == -score(rule, gradient, update)


@given(rules, gradients, updates, st.data())
def test_splitting_an_update_gains_nothing(
    rule: ScoreRule, gradient: np.ndarray, update: Update, data: st.DataObject
) -> None:
    """Linearity: the parts' scores sum to the whole's, to less than a unit each, at the same total weight."""
    part = data.draw(arrays.arrays(np.int16, SIZE, elements=st.integers(-100, 100)))
    first = np.clip(update // 2 + part, -LARGEST, LARGEST).astype(np.int16)
    rest = update - first
    if np.abs(rest.astype(int)).max() > LARGEST:
        return
    parts = score(rule, gradient, first) + score(rule, gradient, rest)
    assert abs(parts - score(rule, gradient, update)) <= 2


@given(rules, gradients, updates, st.integers(1, 50))
def test_weight_counts_as_that_many_copies(rule: ScoreRule, gradient: np.ndarray, update: Update, weight: int) -> None:
    """A weight of w scores what w equal updates would score, to less than a unit each."""
    copies = weight * score(rule, gradient, update)
    assert abs(score(rule, gradient, update, weight) - copies) <= weight


@given(rules, gradients, st.lists(updates, min_size=1, max_size=6))
def test_scores_sum_to_the_effect_of_the_whole_step(
    rule: ScoreRule, gradient: np.ndarray, chosen: list[Update]
) -> None:
    """Efficiency: Σ scores = −⟨g, Σ u⟩ · η / W, to less than a unit each."""
    public = quantise_gradient(gradient)
    total = sum(compute_product(public.values.astype(np.int64), update) for update in chosen)
    exact = (
        -Fraction(total) * rule.rate * 2**40 / (rule.total_weight * Fraction(2) ** (rule.fraction_bits + public.scale))
    )
    assert abs(sum(score(rule, gradient, update) for update in chosen) - exact) <= len(chosen)


@given(gradients, st.lists(gradients, min_size=1, max_size=7), st.data())
def test_replayed_public_directions_have_no_effect(
    gradient: np.ndarray, directions: list[np.ndarray], data: st.DataObject
) -> None:
    """What is left of a gradient is orthogonal to every mixture of public directions, up to rounding.

    Vectors whose squares underflow have no length in float64; no loss has such gradients.
    """
    assume(all(not vector.any() or np.linalg.norm(vector) > 1e-100 for vector in (gradient, *directions)))
    rest = remove_directions(gradient, directions)
    mixture = np.zeros(SIZE)
    for direction in directions:
        length = np.linalg.norm(direction)
        if length > 0:
            mixture += data.draw(st.floats(-1, 1)) * direction / length
    assert abs(rest @ mixture) <= 1e-6 * max(1e-300, float(np.linalg.norm(gradient)))
