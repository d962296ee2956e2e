"""What a group sends that knows how honest updates are spread, from its own data.

Shapes: k updates of n elements. No node sees another's update of the round (commit, then reveal), so a group trains on
the data of all its members; one that is alone looks at the public updates of the round before.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.adversaries.lazy import work_honestly
from learning.adversaries.sight import Sight
from learning.parameters import Vector64
from learning.quantise import Update

DEVIATIONS: Final = 1.43
"""z of arXiv 1902.06156, Algorithm 3, for 24 dishonest nodes of 50: Φ⁻¹(24 / 26)."""

_LEAST_PART: Final = 0.8
"""Members send between this part and all of the group's vector in each element: equal updates are refused."""


def send_a_little(sight: Sight) -> Update:
    """The mean of honest updates less up to z standard deviations in every element (arXiv 1902.06156)."""
    population = estimate_honest(sight)
    shift = DEVIATIONS * population.std(0) * _vary(sight)
    return sight.quantise(population.mean(0) - shift)


def send_inner_product(sight: Sight) -> Update:
    """Against the mean of honest updates, at full norm, so that the inner product is negative (arXiv 1903.03936)."""
    return sight.scale(-estimate_honest(sight).mean(0) * _vary(sight))


def estimate_honest(sight: Sight) -> NDArray[np.float64]:
    """What honest nodes send, `[k, n]` moves: trained on the group's data, or the round before's, or one's own."""
    if len(sight.accomplices) > 1:
        seed = sight.find_common_seed()
        return np.array([sight.task.train(sight.models[-1], own, seed).move for own in sight.accomplices], np.float64)
    newest = [sight.dequantise(update) for update in (sight.updates[-1] if sight.updates else ()) if update.any()]
    return np.array(newest or [sight.dequantise(work_honestly(sight))])


def _vary(sight: Sight) -> Vector64:
    return sight.generator().uniform(_LEAST_PART, 1.0, sight.models[-1].size)
