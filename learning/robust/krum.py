"""Multi-Krum: the updates whose nearest neighbours are nearest are averaged, the others excluded.

Source: Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries" (NeurIPS 2017, arXiv 1703.02757).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import Accumulator
from learning.robust.combination import Combination, Contributed
from learning.robust.held import HeldUpdates

_ROWS: Final = 16
_COLUMNS: Final = 1 << 10
"""Products of such tiles stay on one thread: on a busy machine a BLAS spends a hundred times longer waiting for its
threads than working."""


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
        products += _multiply(block)
    squares = np.diagonal(products)
    return squares[:, None] + squares[None, :] - 2 * products


def _multiply(block: NDArray[np.int16]) -> NDArray[np.int64]:
    """Returns ⟨u_i, u_j⟩ over the columns of `block [m, b]`, `[m, m]`, exactly."""
    products = np.zeros((len(block), len(block)))
    for start in range(0, block.shape[1], _COLUMNS):
        # Each is at most 2^30, and a block is shorter than 2^22: every sum is an integer that float64 holds, whatever
        # the order in which it is taken.
        numbers = block[:, start : start + _COLUMNS].astype(np.float64)
        for row in range(0, len(block), _ROWS):
            rows = slice(row, row + _ROWS)
            for column in range(row, len(block), _ROWS):
                columns = slice(column, column + _ROWS)
                products[rows, columns] += numbers[rows] @ numbers[columns].T
    upper = np.triu(products)
    return (upper + np.triu(products, 1).T).astype(np.int64)


def _score(distances: NDArray[np.int64], neighbours: int) -> list[int]:
    """Returns each update's sum of distances to its nearest others."""
    scores = []
    for place, row in enumerate(distances):
        others = np.sort(np.delete(row, place))
        scores.append(sum(others[:neighbours].tolist()))
    return scores
