"""The rule that a job names, applied."""

from __future__ import annotations

import math

import numpy as np

from learning.parameters import Vector64
from learning.robust.clipped import combine_clipped, compute_centre
from learning.robust.combination import Combination
from learning.robust.held import HeldUpdates
from learning.robust.krum import combine_krum
from learning.robust.trimmed import combine_median, combine_trimmed
from learning.robust.trusted import Guide, combine_trusted
from learning.rules import (
    CENTRED_CLIPPING,
    MEDIAN,
    MULTI_KRUM,
    NORM_CLIPPED,
    TRIMMED_MEAN,
    TRUST_WEIGHTED,
    LearningRules,
)


def combine_held(rules: LearningRules, updates: HeldUpdates, momentum: Vector64, guide: Guide | None) -> Combination:
    """Combines a round's accepted updates, at least one; `momentum [n] float64` is M before the round.

    `guide` is there for the rule that needs a reference.

    Of m updates, floor(m · tolerance) may be dishonest: so many are trimmed on each side, or excluded by multi-Krum.
    """
    dishonest = math.floor(len(updates) * rules.tolerance)
    if rules.aggregation_rule == NORM_CLIPPED:
        return combine_clipped(updates, np.zeros(updates.size, np.int16))
    if rules.aggregation_rule == CENTRED_CLIPPING:
        return combine_clipped(updates, compute_centre(momentum, rules.momentum, rules.fraction_bits))
    if rules.aggregation_rule == MEDIAN:
        return combine_median(updates)
    if rules.aggregation_rule == TRIMMED_MEAN:
        return combine_trimmed(updates, dishonest)
    if rules.aggregation_rule == MULTI_KRUM:
        return combine_krum(updates, dishonest)
    if rules.aggregation_rule == TRUST_WEIGHTED and guide is not None:
        return combine_trusted(updates, guide)
    raise ValueError(f"expected a rule that holds its updates, got {rules.aggregation_rule!r}")
