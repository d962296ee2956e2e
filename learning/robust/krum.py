"""Multi-Krum: the updates whose nearest neighbours are nearest are averaged, the others excluded.

Source: Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries" (NeurIPS 2017, arXiv 1703.02757).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import Accumulator
from learning.robust.combination import Combination, Contributed
from learning.robust.held import HeldUpdates


def combine_krum(updates: HeldUpdates, dishonest: int) -> Combination:
    """The weighted mean of the m − f updates with the smallest sums of squared distances to their m − f − 2 nearest.

    Args:
        updates: all of a round's, m of them.
        dishonest: f, how many may be; counted as (m − 3) / 2 at most, where the rule still means something.
    """
    count = len(updates)
    dishonest = max(0, min(dishonest, (count - 3) // 2))
    scores = _score(_measure_distances(updates), max(1, count - dishonest - 2))
    # Equals are ranked by content: who came first must not matter.
    ranked = sorted(updates.order, key=scores.__getitem__)
    chosen, rest = sorted(ranked[: count - dishonest]), ranked[count - dishonest :]
    sums = Accumulator(updates.size)
    for place in chosen:
        sums.add(updates.read(place), updates.weights[place])
    most = max(scores[place] for place in chosen)
    excluded = {
        place: f"its distances to the nearest sum to {scores[place]}, those of the updates kept to at most {most}"
        for place in rest
    }

    def contribute() -> Iterator[Contributed]:
        for place in updates.order:
            if place not in excluded:
                yield Contributed(place, updates.read(place), updates.weights[place])

    return Combination(sums.sum(), sums.weight, contribute, excluded)


def _measure_distances(updates: HeldUpdates) -> NDArray[np.int64]:
    """Returns ‖u_i − u_j‖² `[m, m]`, exactly."""
    products = np.zeros((len(updates), len(updates)), np.int64)
    for _, block in updates.read_blocks():
        # Products are at most 2^30 and a block is shorter than 2^22: every sum is an integer that float64 holds,
        # whatever the order in which it is taken.
        numbers = block.astype(np.float64)
        products += (numbers @ numbers.T).astype(np.int64)
    squares = np.diagonal(products)
    return squares[:, None] + squares[None, :] - 2 * products


def _score(distances: NDArray[np.int64], neighbours: int) -> list[int]:
    """Returns each update's sum of distances to its nearest others."""
    scores = []
    for place, row in enumerate(distances):
        others = np.sort(np.delete(row, place))
        scores.append(sum(others[:neighbours].tolist()))
    return scores
