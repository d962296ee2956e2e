"""The beacon's sample: positions drawn without replacement until the set is used up, then anew (DESIGN.md §4.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from learning.tasks.task import Positions


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """The sample and the pool that is left for the rounds after, both sorted `int64`."""

    sample: Positions
    pool: Positions


def draw_sample(pool: Positions, positions: int, count: int, beacon: bytes) -> Draw:
    """Draws `count` of the validation set's `positions` by the order of SHA-256(beacon ‖ uint64 position).

    A pool that does not last is drawn whole, and the rest comes from a fresh one without what this sample already
    holds. A set of at most `count` positions is the sample, every time.
    """
    if positions <= count:
        everything = np.arange(positions, dtype=np.int64)
        return Draw(everything, everything)
    if pool.size >= count:
        chosen = _choose(pool.tolist(), count, beacon)
        return Draw(_sort(chosen), np.setdiff1d(pool, chosen))
    fresh = np.setdiff1d(np.arange(positions, dtype=np.int64), pool)
    chosen = _choose(fresh.tolist(), count - pool.size, beacon)
    left = np.setdiff1d(np.arange(positions, dtype=np.int64), chosen)
    return Draw(_sort([*pool.tolist(), *chosen]), left)


def draw_reference(sample: Positions, positions: int, count: int, beacon: bytes) -> Positions:
    """Draws `count` of the validation set's `positions` for the reference, those outside the round's `sample` first.

    So what chooses a round's step is not what pays for it, as long as the set lasts. The order is that of
    SHA-256(SHA-256(beacon ‖ "reference") ‖ uint64 position); nothing is used up.
    """
    own = hashlib.sha256(beacon + b"reference").digest()
    outside = np.setdiff1d(np.arange(positions, dtype=np.int64), sample).tolist()
    chosen = _choose(outside, count, own)
    return _sort([*chosen, *_choose(sample.tolist(), min(count, positions) - len(chosen), own)])


def _choose(pool: Iterable[int], count: int, beacon: bytes) -> list[int]:
    return sorted(pool, key=lambda position: hashlib.sha256(beacon + position.to_bytes(8, "big")).digest())[:count]


def _sort(positions: list[int]) -> Positions:
    return np.array(sorted(positions), np.int64)
