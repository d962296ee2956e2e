"""What a round's step did to the loss, and which part of that each update did (DESIGN.md §4.4, §4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from learning.aggregate import ServerStep
from learning.gradient import (
    PublicGradient,
    integrate_gradient,
    order_directions,
    quantise_gradient,
    remove_directions,
    requantise_gradient,
)
from learning.parameters import Vector32, Vector64
from learning.robust.combination import Contributed
from learning.score import GradientCheck, ScoreRule, compare_gradients, compute_product
from learning.state import RoundState
from learning.tasks.task import Objective

MOST_HALVINGS: Final = 4


@dataclass(frozen=True, slots=True)
class Descent:
    """The model a step came to after `halvings` of the rate, and the losses on the sample before and after it."""

    model: Vector32
    halvings: int
    loss_before: float
    loss_after: float

    @property
    def fell(self) -> bool:
        """Whether the loss fell; a loss that is not a number has not."""
        return self.loss_after < self.loss_before


def descend(objective: Objective, step: ServerStep) -> Descent:
    """Halves the rate, up to four times, until the loss falls; returns the last try when it never does."""
    before = objective.loss(step.base.astype(np.float64))
    for halvings in range(MOST_HALVINGS):
        descent = _try(objective, step, halvings, before)
        if descent.fell:
            return descent
    return _try(objective, step, MOST_HALVINGS, before)


def _try(objective: Objective, step: ServerStep, halvings: int, before: float) -> Descent:
    model = step.compute_model(halvings)
    after = objective.loss(model.astype(np.float64)) if np.isfinite(model).all() else np.inf
    return Descent(model, halvings, before, after)


def compute_effect(objective: Objective, step: ServerStep, model: Vector32, state: RoundState) -> Vector64:
    """Returns ∫∇L along the way from the base to `model`, without the public directions of the state before the round.

    Where the step stretched the mean, so is ∫∇L: ⟨∇, P⊙c⟩ = ⟨P⊙∇, c⟩ is what an update c did. Directions are removed
    after that, among updates, since it is updates that somebody could replay.
    """
    start = step.base.astype(np.float64)
    gradient = integrate_gradient(objective, start, model.astype(np.float64) - start)
    if step.stretch is not None:
        gradient = np.multiply(gradient, step.stretch)
    return remove_directions(gradient, order_directions(state.moves, state.gradients, state.momentum))


@dataclass(frozen=True, slots=True)
class Scores:
    """The score of each contribution by its place, from `gradient`; `check` compares a published one with one's own."""

    values: Mapping[int, int]
    gradient: PublicGradient
    check: GradientCheck | None


def score_updates(
    contributions: Iterable[Contributed], effect: Vector64, rule: ScoreRule, published: PublicGradient | None
) -> Scores:
    """Scores contributions, one at a time, from `effect [n]` or exactly from a `published` gradient."""
    gradient = quantise_gradient(effect) if published is None else published
    values = gradient.values.astype(np.int64)
    mine = values if published is None else requantise_gradient(effect, gradient.scale)
    scores, own = {}, []
    for place, taken, multiplier in contributions:
        scores[place] = rule.compute_score(multiplier * compute_product(values, taken), gradient.scale)
        if published is not None:
            own.append(rule.compute_score(multiplier * compute_product(mine, taken), gradient.scale))
    check = None if published is None else compare_gradients(gradient, mine, list(scores.values()), own)
    return Scores(scores, gradient, check)
