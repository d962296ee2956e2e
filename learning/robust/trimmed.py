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

_PIECE: Final = 1 << 14
_UINT8: Final = 255
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
        self._low_share, self._low_rest = (np.empty(updates.size, np.int32) for _ in range(2))
        self._high_share, self._high_rest = (np.empty(updates.size, np.int32) for _ in range(2))
        for piece, block in updates.read_blocks():
            self._split(piece, block, trim)

    def share(self) -> Iterator[Contributed]:
        """Yields each update's contribution `[n] int32`, in units of 1/SHARES."""
        for place in self._updates.order:
            update = self._updates.read(place)
            values = np.empty(update.size, np.int32)
            for start in range(0, update.size, _PIECE):
                piece = slice(start, start + _PIECE)
                values[piece] = self._take(piece, update[piece])
            yield Contributed(place, values, 1)

    def _split(self, piece: slice, block: _Values, trim: int) -> None:
        """Divides what was kept at the ends of a block's columns among those that hold it."""
        low, high, kept = self._low[piece], self._high[piece], len(block) - 2 * trim
        at_low, at_high = _count(np.equal, block, low), _count(np.equal, block, high)
        # Copies of each end among the kept values; where both ends are one value, all kept ones are copies of it.
        one = low == high
        lows = np.where(one, kept, _count(np.less, block, low) + at_low - trim)
        highs = np.where(one, 0, _count(np.greater, block, high) + at_high - trim)
        self._low_share[piece], self._low_rest[piece] = np.divmod(SHARES * lows * low, at_low)
        self._high_share[piece], self._high_rest[piece] = np.divmod(SHARES * highs * high, at_high)

    def _take(self, piece: slice, values: _Values) -> NDArray[np.int32]:
        low, high = self._low[piece], self._high[piece]
        taken = values.astype(np.int32)
        taken *= SHARES
        taken *= (values > low) & (values < high)
        for end, share, rest in ((low, self._low_share, self._low_rest), (high, self._high_share, self._high_rest)):
            holds = values == end
            more = holds & (rest[piece] > 0)
            taken += share[piece] * holds
            taken += more
            rest[piece] -= more
        return taken


def _count(compare: np.ufunc, block: _Values, ends: _Values) -> NDArray[np.int64]:
    """Returns in how many rows of `block [m, b]` the comparison with `ends [b]` holds."""
    total = np.zeros(ends.size, np.int64)
    for start in range(0, len(block), _UINT8):
        part = np.zeros(ends.size, np.uint8)
        for row in block[start : start + _UINT8]:
            part += compare(row, ends).view(np.uint8)
        total += part
    return total
