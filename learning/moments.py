"""Adam's second moment on the server, and what it does to a step: the same bits everywhere.

Source: Reddi et al., "Adaptive Federated Optimization" (arXiv 2003.00295), algorithm 2, FedAdam. Its η is ours divided
by 1 − β: our momentum is a sum of decayed means, as it is without Adam. Each formula is a sequence of IEEE operations
on float64, element by element, in the order written; square root and quotient round correctly, as 754 asks.
"""

from __future__ import annotations

import numpy as np

from learning.parameters import Vector64
from ledger.spec import Adam, parse_decimal


def begin_second_moment(size: int, adam: Adam) -> Vector64:
    """V before round 1: ε · ε in every parameter."""
    epsilon = float(parse_decimal("adam.epsilon", adam.epsilon))
    return np.full(size, epsilon * epsilon)


def compute_second_moment(previous: Vector64, mean: Vector64, adam: Adam) -> Vector64:
    """Returns V = β₂ · V + (1 − β₂) · (mean · mean), `[n]`; 1 − β₂ is exact before it is rounded."""
    decay = parse_decimal("adam.secondMomentum", adam.second_momentum)
    kept = np.multiply(previous, float(decay))
    return np.add(kept, np.multiply(np.multiply(mean, mean), float(1 - decay)))


def compute_divisor(second: Vector64, adam: Adam) -> Vector64:
    """Returns √V + ε, `[n]`: what a step is divided by."""
    return np.add(np.sqrt(second), float(parse_decimal("adam.epsilon", adam.epsilon)))
