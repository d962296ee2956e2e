"""The reference of a round: where the requester's validation set points before the step, in integers and in public.

It depends on the processor's last digits, so that everything that follows from it takes the published integers; an
auditor holds its own beside them.

Its sample is drawn by the same beacon, after the reveal, so that nobody foresees it; and from other positions than
those that pay, as long as the set has others: what chose the step would otherwise be measured by what chose it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from learning.gradient import PublicGradient, quantise_gradient, requantise_gradient
from learning.parameters import Vector32
from learning.robust.combination import Combination
from learning.robust.trusted import Guide
from learning.score import GradientCheck, compare_gradients
from learning.tasks.task import Objective


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """r_int = rint(−∇L(base) · 2^s) as published, and for an auditor the same of its own computing."""

    direction: PublicGradient
    guide: Guide = field(repr=False)

    def compare(self, combined: Combination) -> GradientCheck | None:
        """How far the published one, and the trust that follows from it, is from one's own; None if it is one's own."""
        if self.guide.own is None:
            return None
        return compare_gradients(self.direction, self.guide.own, combined.trust, combined.own_trust)


def find_reference(objective: Objective, base: Vector32, published: PublicGradient | None) -> Reference:
    """The reference at `base [n]` on the objective's positions; with a `published` one, that one beside one's own."""
    downhill = -objective.gradient(base.astype(np.float64))
    if published is None:
        own = quantise_gradient(downhill)
        return Reference(own, Guide(own.values))
    return Reference(published, Guide(published.values, requantise_gradient(downhill, published.scale)))
