"""Order statistics of many short columns at once, by a network of minima and maxima: no branch, every column alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Exchange(NamedTuple):
    """Brings two rows into order; only the sides that a later step or a wanted rank reads are computed."""

    low: int
    high: int
    keeps_low: bool
    keeps_high: bool


def select_ranks(block: NDArray[np.int16], ranks: tuple[int, ...]) -> list[NDArray[np.int16]]:
    """Returns, for each rank (0: the smallest), the values `[b]` of that rank in every column of `block [m, b]`.

    The block is overwritten.
    """
    rows = list(block)
    spare = np.empty_like(rows[0])
    for low, high, keeps_low, keeps_high in plan_exchanges(len(rows), ranks):
        one, other = rows[low], rows[high]
        if keeps_low and keeps_high:
            np.minimum(one, other, out=spare)
            np.maximum(one, other, out=other)
            rows[low], spare = spare, one
        elif keeps_low:
            np.minimum(one, other, out=one)
        else:
            np.maximum(one, other, out=other)
    return [rows[rank] for rank in ranks]


@lru_cache(maxsize=16)
def plan_exchanges(count: int, ranks: tuple[int, ...]) -> tuple[Exchange, ...]:
    """The exchanges of a sorting network of `count` rows that these ranks depend on, in order."""
    needed = set(ranks)
    plan = []
    for low, high in reversed(list(_merge_exchange(count))):
        if low in needed or high in needed:
            plan.append(Exchange(low, high, low in needed, high in needed))
            needed |= {low, high}
    return tuple(reversed(plan))


def _merge_exchange(count: int) -> Iterator[tuple[int, int]]:
    """Batcher's merge exchange for any number of rows (Knuth, TAOCP vol. 3, §5.2.2, algorithm M)."""
    top = 1 << max(0, (count - 1).bit_length() - 1)
    step = top if count > 1 else 0
    while step:
        stride, rest, distance = top, 0, step
        while True:
            yield from ((at, at + distance) for at in range(count - distance) if at & step == rest)
            if stride == step:
                break
            distance, stride, rest = stride - step, stride >> 1, step
        step >>= 1
