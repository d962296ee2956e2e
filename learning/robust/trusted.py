"""Trust weighting: an update counts by how far it points where the requester's validation set does.

Source: Cao, Fang, Liu, Gong, "FLTrust: Byzantine-robust Federated Learning via Trust Bootstrapping" (arXiv 2012.13995):
trust is the cosine with the reference, 0 where that is negative, and every update is brought to one norm. That norm is
the lower median of the updates that are trusted, so that no server has to train; tiny ones are not brought up to it.
All of it is exact in integers: given the reference there is nothing left to differ in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import Accumulator
from learning.parameters import Vector64
from learning.quantise import LARGEST, Update
from learning.robust.clipped import find_radius, scale
from learning.robust.combination import Combination, Contributed, Integers
from learning.robust.held import HeldUpdates
from learning.screening.rules import LEAST_JUDGED
from ledger.weights import TRUST_BITS

_FACTOR_BITS: Final = 15
_REFERENCE_BITS: Final = 24
_BLOCK: Final = 1 << 16
_DOT_BLOCK: Final = 1 << 13
"""As in `quantise.compute_norm_squared`: too few elements for a BLAS to wake its threads."""


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """Where the validation set points, in integers: `reference [n]` decides, an auditor's `own [n]` is compared."""

    reference: Integers = field(repr=False)
    own: NDArray[np.int64] | None = field(default=None, repr=False)


class _Measure(NamedTuple):
    """Of one update: Σu², and its product with the reference."""

    norm_squared: int
    product: int


def combine_trusted(updates: HeldUpdates, guide: Guide) -> Combination:
    """The mean of the updates, brought to one norm, by trust times weight; who is not trusted at all is excluded.

    Where nobody is trusted everybody is excluded, and S and the divisor are 0.
    """
    measures, trust = _measure_trust(updates, guide.reference)
    own = () if guide.own is None else _measure_trust(updates, guide.own)[1]
    trusted = [place for place, amount in enumerate(trust) if amount]
    norms = {place: measures[place].norm_squared for place in trusted}
    common = find_radius([norm for norm in norms.values() if norm >= LEAST_JUDGED] or list(norms.values()))
    factors = {place: _find_factor(norm, common) for place, norm in norms.items()}
    sums = Accumulator(updates.size)
    for place in trusted:
        sums.add(rescale(updates.read(place), factors[place]), trust[place] * updates.weights[place])
    excluded = {place: _describe(measures[place]) for place in range(len(updates)) if place not in factors}

    def contribute() -> Iterator[Contributed]:
        for place in updates.order:
            if place in factors:
                multiplier = trust[place] * updates.weights[place]
                yield Contributed(place, rescale(updates.read(place), factors[place]), multiplier)

    return Combination(sums.sum(), sums.weight, contribute, excluded, None, tuple(trust), tuple(own))


def _find_factor(norm_squared: int, common: int) -> int:
    """What brings an update to the norm √common, in units of 2^-15.

    Those that are too small to be judged as copies stay as small as they are: many times the same would else be as
    many full updates.
    """
    factor = math.isqrt((common << 2 * _FACTOR_BITS) // norm_squared)
    return factor if norm_squared >= LEAST_JUDGED else min(factor, 1 << _FACTOR_BITS)


def rescale(update: Update, factor: int) -> Update:
    """Returns update · factor / 2^15 `[n]`, halves away from zero, kept in ±32767; ‖update‖ · factor is below 2^62."""
    if factor <= 1 << _FACTOR_BITS:
        return scale(update, factor)
    # Below 2^16 products and what rounds them fit int32.
    width: type[np.int32 | np.int64] = np.int32 if factor < 1 << 16 else np.int64
    rescaled = np.empty_like(update)
    for start in range(0, update.size, _BLOCK):
        piece = slice(start, start + _BLOCK)
        product: NDArray[Any] = update[piece].astype(width)
        product *= width(factor)
        half = product >> width(np.iinfo(width).bits - 1)  # −1 below 0
        half += width(1 << (_FACTOR_BITS - 1))
        product += half
        product >>= width(_FACTOR_BITS)
        np.clip(product, -LARGEST, LARGEST, out=product)
        rescaled[piece] = product
    return rescaled


def _measure_trust(updates: HeldUpdates, reference: Integers) -> tuple[list[_Measure], list[int]]:
    """Returns each update's measure, and floor(2^12 · cosine with the reference), 0 where that is negative."""
    bound = 1 << _REFERENCE_BITS
    direction = np.clip(reference, -bound, bound).astype(np.float64)
    length = _measure_squared(direction)
    measures = [_measure(updates.read(place), direction) for place in range(len(updates))]
    trust = []
    for norm_squared, product in measures:
        above = product * product << 2 * TRUST_BITS
        trust.append(math.isqrt(above // (norm_squared * length)) if product > 0 else 0)
    return measures, trust


def _measure(update: Update, direction: Vector64) -> _Measure:
    norm_squared = product = 0
    for start in range(0, update.size, _DOT_BLOCK):
        piece = slice(start, start + _DOT_BLOCK)
        # At most 2^13 · 2^30 and 2^13 · 2^39: every partial sum is an integer that float64 holds, whatever its order.
        block = update[piece].astype(np.float64)
        norm_squared += int(np.dot(block, block))
        product += int(np.dot(block, direction[piece]))
    return _Measure(norm_squared, product)


def _measure_squared(direction: Vector64) -> int:
    """Returns Σr², exactly: in int64, since the square of an element takes 48 bits."""
    total = 0
    for start in range(0, direction.size, _DOT_BLOCK):
        block = direction[start : start + _DOT_BLOCK].astype(np.int64)
        total += int(np.dot(block, block))
    return total


def _describe(measure: _Measure) -> str:
    if measure.norm_squared == 0:
        return "it moves nowhere, so it points nowhere"
    way = "across" if measure.product >= 0 else "against"
    return f"it points {way} the way that the validation set does"
