"""Trimmed mean and median: in each coordinate the lowest and highest values go, the rest is averaged.

Source: Yin, Chen, Kannan, Bartlett, "Byzantine-Robust Distributed Learning" (arXiv 1803.01498). Every update counts
once, whatever its weight. A kept value belongs to the nodes that hold it: those with the same value share it equally,
in units of 1/256, what is left over going one unit each in the order of the updates' contents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.robust.combination import Combination, Contributed
from learning.robust.held import HeldUpdates
from learning.robust.selection import select_ranks

SHARES: Final = 256
"""Parts of a unit in which S and contributions are counted: a power of two, so that the mean's bits do not change."""

_Values = NDArray[np.int16]


def combine_median(updates: HeldUpdates) -> Combination:
    """The coordinate median; of an even number of updates the mean of the two in the middle."""
    return combine_trimmed(updates, (len(updates) - 1) // 2)


def combine_trimmed(updates: HeldUpdates, trim: int) -> Combination:
    """The mean of each coordinate without its `trim` lowest and `trim` highest values.

    Raises:
        ValueError: nothing would be left.
    """
    kept = len(updates) - 2 * trim
    if trim < 0 or kept < 1:
        raise ValueError(f"expected to trim fewer than half of {len(updates)} updates, got {trim} on each side")
    low = np.empty(updates.size, np.int16)
    high = np.empty(updates.size, np.int16)
    total = np.empty(updates.size, np.int64)
    for piece, block in updates.read_blocks():
        low[piece], high[piece], total[piece] = _sum_kept(block, trim)
    total *= SHARES
    return Combination(total, SHARES * kept, lambda: _Kept(updates, trim, low, high).share())


def _sum_kept(block: _Values, trim: int) -> tuple[_Values, _Values, NDArray[np.int64]]:
    """Returns the lowest and the highest kept value `[b]` of every column of `block [m, b]` and the sum of all kept."""
    count = len(block)
    kept = count - 2 * trim
    originals = block.copy() if kept > 2 else block
    low, high = select_ranks(block, (trim, count - 1 - trim))
    ends = low.astype(np.int64) + high
    if kept <= 2:
        return low, high, ends if kept == 2 else low.astype(np.int64)
    # Values below and above the ends count as the ends: then exactly 2 · trim ends are too many.
    total = np.zeros(low.size, np.int64)
    for row in originals:
        np.maximum(row, low, out=row)
        np.minimum(row, high, out=row)
        total += row
    return low, high, total - trim * ends


class _Kept:
    """Who holds what was kept: `low` and `high [n]` are its ends, which several updates may share."""

    def __init__(self, updates: HeldUpdates, trim: int, low: _Values, high: _Values) -> None:
        self._updates = updates
        self._low, self._high = low, high
        below, at_low, at_high, above = self._count()
        kept = len(updates) - 2 * trim
        one = low == high
        # Copies of each end among the kept values; where the ends are one value, all kept ones are copies of it.
        lows = np.where(one, kept, below + at_low - trim)
        highs = np.where(one, 0, above + at_high - trim)
        self._low_share, self._low_rest = np.divmod(SHARES * lows * low, np.maximum(at_low, 1))
        self._high_share, self._high_rest = np.divmod(SHARES * highs * high, np.maximum(at_high, 1))

    def share(self) -> Iterator[Contributed]:
        """Yields each update's contribution `[n] int32`, in units of 1/SHARES."""
        for place in self._updates.order:
            update = self._updates.read(place)
            values = np.where((update > self._low) & (update < self._high), update.astype(np.int32) * SHARES, 0)
            _give(values, update == self._low, self._low_share, self._low_rest)
            _give(values, (update == self._high) & (self._low != self._high), self._high_share, self._high_rest)
            yield Contributed(place, values.astype(np.int32), 1)

    def _count(self) -> NDArray[np.int64]:
        counts = np.zeros((4, self._updates.size), np.int64)
        for piece, block in self._updates.read_blocks():
            low, high = self._low[piece], self._high[piece]
            for row in block:
                counts[0, piece] += row < low
                counts[1, piece] += row == low
                counts[2, piece] += row == high
                counts[3, piece] += row > high
        return counts


def _give(
    values: NDArray[np.int32], holds: NDArray[np.bool_], share: NDArray[np.int64], rest: NDArray[np.int64]
) -> None:
    """Adds the share where the update holds the end, and one unit more while any is left over."""
    more = holds & (rest > 0)
    values += np.where(holds, share, 0).astype(np.int32) + more
    rest -= more
