"""Clipping around a centre: no update pulls further than the middle one does.

With the centre 0 it is the norm-clipped mean; with the mean of earlier rounds, centred clipping with momentum
(Karimireddy, He, Jaggi, "Learning from History for Byzantine Robust Optimization", arXiv 2012.10333). The radius is
the lower median of the distances that are not 0, so no number has to be guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from learning.aggregate import Accumulator
from learning.parameters import Vector64
from learning.quantise import LARGEST, Update
from learning.robust.combination import Combination, Contributed
from learning.robust.held import HeldUpdates

_FACTOR_BITS: Final = 15
_BLOCK: Final = 1 << 16
_DOT_BLOCK: Final = 1 << 13
"""As in `quantise.compute_norm_squared`: too few elements for a BLAS to wake its threads."""


def compute_centre(momentum: Vector64, decay: Fraction, fraction_bits: int) -> Update:
    """Returns the mean move of earlier rounds, rint((1 − β) · M · 2^f) `[n]`, kept in int16; 0 before the first."""
    units = np.multiply(np.multiply(momentum, float(1 - decay)), float(2**fraction_bits))
    return np.clip(np.rint(units), -LARGEST, LARGEST).astype(np.int16)


def combine_clipped(updates: HeldUpdates, centre: Update) -> Combination:
    """The weighted mean of centre + φ_k · (u_k − centre), with φ_k = min(1, radius / ‖u_k − centre‖) in 1/2^15.

    φ_k · u_k, rounded, is the node's; what is missing of the centre is nobody's: it was public before the round.
    """
    distances = [_measure_distance(updates.read(place), centre) for place in range(len(updates))]
    radius = find_radius(distances)
    factors = [_compute_factor(distance, radius) for distance in distances]
    sums, public = Accumulator(updates.size), Accumulator(updates.size)
    for place, factor in enumerate(factors):
        weight = updates.weights[place]
        sums.add(scale(updates.read(place), factor), weight)
        if factor < 1 << _FACTOR_BITS:
            public.add(centre - scale(centre, factor), weight)

    def contribute() -> Iterator[Contributed]:
        for place in updates.order:
            yield Contributed(place, scale(updates.read(place), factors[place]), updates.weights[place])

    nobodys = public.sum()
    return Combination(sums.sum() + nobodys, sums.weight, contribute, public=nobodys)


def find_radius(distances: Sequence[int]) -> int:
    """Returns the lower median of the distances that are not 0; 0 where all are."""
    away = sorted(distance for distance in distances if distance > 0)
    return away[(len(away) - 1) // 2] if away else 0


def scale(update: Update, factor: int) -> Update:
    """Returns update · factor / 2^15 `[n]`, halves away from zero; `factor` is from 0 to 2^15."""
    if factor == 1 << _FACTOR_BITS:
        return update
    scaled = np.empty_like(update)
    for start in range(0, update.size, _BLOCK):
        piece = slice(start, start + _BLOCK)
        product = update[piece].astype(np.int32)
        product *= np.int32(factor)
        half = product >> np.int32(31)  # −1 below 0
        half += np.int32(1 << (_FACTOR_BITS - 1))
        product += half
        product >>= np.int32(_FACTOR_BITS)
        scaled[piece] = product
    return scaled


def _compute_factor(distance: int, radius: int) -> int:
    return 1 << _FACTOR_BITS if distance <= radius else (radius << _FACTOR_BITS) // distance


def _measure_distance(update: Update, centre: Update) -> int:
    """Returns ‖update − centre‖, rounded up."""
    total = 0
    for start in range(0, update.size, _DOT_BLOCK):
        piece = slice(start, start + _DOT_BLOCK)
        # At most 2^13 · 2^32: every partial sum is an integer that float64 holds.
        away = np.subtract(update[piece], centre[piece], dtype=np.float64)
        total += int(np.dot(away, away))
    return math.isqrt(total - 1) + 1 if total else 0
