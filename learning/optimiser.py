"""The server's optimiser: from a round's sum to its step, and what of that is public afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import ServerStep, compute_mean, compute_momentum
from learning.gradient import PublicGradient, quantise_gradient
from learning.moments import compute_divisor, compute_second_moment
from learning.parameters import Vector32, Vector64
from learning.rules import LearningRules


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The server's memory after a round: `momentum [n] float64`, and with Adam `second [n]` (else empty)."""

    momentum: Vector64 = field(repr=False)
    second: Vector64 = field(repr=False)

    def advance(self, aggregate: NDArray[np.int64], divisor: int, rules: LearningRules) -> Moments:
        """The moments after this round's mean S / (W · 2^f) came in: momentum first, then the second moment."""
        momentum = compute_momentum(self.momentum, aggregate, divisor, rules.fraction_bits, rules.momentum)
        if rules.adam is None:
            return Moments(momentum, self.second)
        mean = compute_mean(aggregate, divisor, rules.fraction_bits)
        return Moments(momentum, compute_second_moment(self.second, mean, rules.adam))

    def step(self, base: Vector32, rules: LearningRules) -> ServerStep:
        """Where these moments lead from `base [n]`: along M, or with Adam along M / (√V + ε)."""
        if rules.adam is None:
            return ServerStep(base, self.momentum, rules.rate)
        divisor = compute_divisor(self.second, rules.adam)
        direction, stretch = np.divide(self.momentum, divisor), np.divide(1.0, divisor)
        return ServerStep(base, direction, rules.rate, stretch)


def list_published(gradient: PublicGradient, moments: Moments, rules: LearningRules) -> tuple[PublicGradient, ...]:
    """The vectors that a round publishes beside its move, which earn nothing from then on: its public gradient.

    With Adam also that gradient without the stretching, g_int · (√V + ε), and the momentum: what a move shows is M
    stretched, and whoever sends what it was before would be stretched in turn.
    """
    if rules.adam is None:
        return (gradient,)
    plain = np.multiply(gradient.values.astype(np.float64), compute_divisor(moments.second, rules.adam))
    return gradient, quantise_gradient(plain), quantise_gradient(moments.momentum)
