"""A node's move as integers: scaled under the norm bound, rounded to units of 2^-f, kept in int16 (DESIGN.md §4.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Vector64

Update: TypeAlias = NDArray[np.int16]

LARGEST: Final = 32_767
"""The largest size of an element; −32768 is malformed, so that every update has a negative."""

# Pieces that the cache holds, and too short for a BLAS to start threads for.
_BLOCK: Final = 1 << 13


class UnusableMove(ValueError):
    """Local training diverged: the move has elements that are not finite."""

    def __init__(self, elements: int) -> None:
        self.elements = elements
        super().__init__(
            f"expected a finite move, got {elements} elements that are NaN or infinite; "
            "train again from the base model with a lower learning rate"
        )


def quantise(move: NDArray[Any], fraction_bits: int, clip: int) -> Update:
    """Returns the update `[n] int16` of a move `[n]`; its norm in units of 2^-f is at most `clip`.

    Rounding can lengthen a vector by half a unit in each element, so the move is first scaled to leave √n / 2 units.

    Raises:
        UnusableMove: an element is NaN or infinite.
    """
    finite = np.isfinite(move)
    if not finite.all():
        raise UnusableMove(int(move.size - np.count_nonzero(finite)))
    bound = clip - math.sqrt(move.size) / 2
    update = _round(_scale(move, float(2**fraction_bits), bound))
    # The norm that was scaled is a floating-point one: the bound that counts is exact.
    while compute_norm_squared(update) > clip * clip:
        bound *= 0.999
        update = _round(_scale(move, float(2**fraction_bits), bound))
    return update


def dequantise(update: Update, fraction_bits: int) -> Vector64:
    """Returns the move `[n] float64` that an update stands for, exactly."""
    return update.astype(np.float64) / float(2**fraction_bits)


def compute_norm_squared(update: Update) -> int:
    """Returns Σu², exactly."""
    total = 0
    for start in range(0, update.size, _BLOCK):
        # At most 2^13 · 2^30: every partial sum is an integer that float64 holds, in whatever order it is taken.
        block = update[start : start + _BLOCK].astype(np.float64)
        total += int(np.dot(block, block))
    return total


def compute_next_clip(clip: int, norms_squared: Sequence[int], size: int) -> int:
    """Returns the next round's norm bound: 5/4 of the lower median of the accepted norms, in integers.

    Zero updates have no say, and the bound never falls to where rounding alone would use it up (√n units): either would
    let a few idle nodes end the job. Without a norm it stays.
    """
    norms = sorted(math.isqrt(square) for square in norms_squared if square > 0)
    if not norms:
        return clip
    return max(5 * norms[(len(norms) - 1) // 2] // 4, math.isqrt(size) + 1)


def _scale(move: NDArray[Any], units: float, bound: float) -> Vector64:
    """Returns `move` in units, or the multiple of it whose norm is `bound`."""
    largest = max(float(np.max(move, initial=0.0)), -float(np.min(move, initial=0.0)))
    if largest == 0.0 or bound <= 0.0:
        return np.zeros(move.shape, np.float64)
    # Relative to the largest element: squares of huge finite elements would overflow.
    relative: Vector64 = np.divide(move, largest, dtype=np.float64)
    blocks = (relative[start : start + _BLOCK] for start in range(0, relative.size, _BLOCK))
    norm = math.sqrt(math.fsum(float(np.sum(block * block)) for block in blocks))
    relative *= min(largest * units, bound / norm)
    return relative


def _round(units: Vector64) -> Update:
    """Rounds `units` in its own memory."""
    np.rint(units, out=units)
    return np.clip(units, -LARGEST, LARGEST, out=units).astype(np.int16)
