"""The reference of a round: where the requester's validation set points before the step, in integers and in public.

It depends on the processor's last digits, so that everything that follows from it takes the published integers; an
auditor holds its own beside them.

Its sample is drawn by the same beacon, after the reveal, so that nobody foresees it; and from other positions than
those that pay, as long as the set has others: what chose the step would otherwise be measured by what chose it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from learning.gradient import PublicGradient, quantise_gradient, requantise_gradient
from learning.robust.combination import Combination
from learning.robust.trusted import Guide
from learning.rules import TRUST_WEIGHTED
from learning.sampling import draw_reference, draw_sample
from learning.score import GradientCheck, compare_gradients

if TYPE_CHECKING:
    from learning.round import RoundInputs


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


def find_reference(inputs: RoundInputs, published: PublicGradient | None) -> Reference | None:
    """The reference of a round whose rule asks for one; with a `published` one, that one beside one's own."""
    rules, validation = inputs.rules, inputs.validation
    if rules.aggregation_rule != TRUST_WEIGHTED or validation is None:
        return None
    count, wanted = inputs.task.count_positions(validation), rules.sample_positions
    sample = draw_sample(inputs.state.pool, count, wanted, inputs.beacon).sample
    positions = draw_reference(sample, count, wanted, inputs.beacon)
    downhill = -inputs.task.objective(validation, positions).gradient(inputs.base.astype(np.float64))
    if published is None:
        own = quantise_gradient(downhill)
        return Reference(own, Guide(own.values))
    return Reference(published, Guide(published.values, requantise_gradient(downhill, published.scale)))
