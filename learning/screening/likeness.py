"""Which updates may be alike: a quick look at all pairs that never misses one, before integers decide.

A pair's cosine is at most what its first columns give and the rest could give (Cauchy and Schwarz): most pairs are out
after a few columns. Source of the error bound: Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1: a
sum of b products in float32, in any order, is off by at most γ_b · Σ|a·b|, γ_b = b · 2^-24 / (1 − b · 2^-24).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.quantise import Update

_COLUMNS: Final = 1 << 12
_TILE: Final = 16
_DEPTH: Final = 1 << 10
"""Products of 16 by 16 by 1024 stay on one thread: on a busy machine a BLAS waits for its threads a hundred times
longer than it works, and alone it gains nothing by larger ones."""
_MARGIN: Final = 1e-3
"""More than γ of 2^12 columns (0.00025) and all float64 roundings together."""


def find_alike(
    ones: Sequence[Update], others: Sequence[Update], norms: Sequence[int], other_norms: Sequence[int], cosine: Fraction
) -> list[tuple[int, int]]:
    """Places (one, other) of all pairs whose cosine is greater than `cosine`, and of a few just below it.

    Args:
        ones: updates `[n]`, none of them zero.
        others: those to compare with.
        norms: Σu² of `ones`.
        other_norms: Σu² of `others`.
        cosine: from 0 to 1.
    """
    if not ones or not others:
        return []
    rest, other_rest = np.array(norms, np.float64), np.array(other_norms, np.float64)
    least = (float(cosine) - _MARGIN) * np.sqrt(rest)[:, None] * np.sqrt(other_rest)[None, :]
    dots = np.zeros(least.shape)
    rows, columns = np.arange(len(ones)), np.arange(len(others))
    for start in range(0, ones[0].size, _COLUMNS):
        piece = slice(start, start + _COLUMNS)
        left, right = _cut(ones, rows, piece), _cut(others, columns, piece)
        here = np.ix_(rows, columns)
        dots[here] += _multiply(left, right)
        rest[rows] = np.maximum(0.0, rest[rows] - _square(left))
        other_rest[columns] = np.maximum(0.0, other_rest[columns] - _square(right))
        possible = dots[here] + np.sqrt(rest[rows])[:, None] * np.sqrt(other_rest[columns])[None, :] > least[here]
        rows, columns = rows[possible.any(axis=1)], columns[possible.any(axis=0)]
        if not rows.size:
            return []
    alive = np.ix_(rows, columns)
    found = np.argwhere(dots[alive] > least[alive])
    return [(int(rows[row]), int(columns[column])) for row, column in found]


def _cut(updates: Sequence[Update], chosen: NDArray[np.int64], piece: slice) -> NDArray[np.float32]:
    """Returns the chosen updates' columns `[m, b]`: int16 fits float32 exactly."""
    return np.array([updates[place][piece] for place in chosen], np.float32)


def _square(block: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns Σu² of each row, exactly."""
    squares: NDArray[np.float64] = np.einsum("mb,mb->m", block, block, dtype=np.float64)
    return squares


def _multiply(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns ⟨u, v⟩ of all pairs `[m, k]`."""
    products = np.zeros((len(left), len(right)))
    for start in range(0, left.shape[1], _DEPTH):
        deep, wide = left[:, start : start + _DEPTH], right[:, start : start + _DEPTH]
        for row in range(0, len(left), _TILE):
            rows = slice(row, row + _TILE)
            for column in range(0, len(right), _TILE):
                columns = slice(column, column + _TILE)
                products[rows, columns] += deep[rows] @ wide[columns].T
    return products
