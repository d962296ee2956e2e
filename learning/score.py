"""What an update did: its share of the fall in loss, in whole units of 2^-40 nats (DESIGN.md §4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.gradient import PublicGradient
from learning.robust.combination import Integers
from ledger.entry import SCORE_BITS

_BLOCK: Final = 1 << 20
_WIDE_BLOCK: Final = 1 << 12


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """What turns products with a gradient into scores: η after halving, W and the fraction bits f."""

    rate: Fraction
    total_weight: int
    fraction_bits: int

    def compute_score(self, product: int, gradient_scale: int) -> int:
        """Returns trunc(−product · η · 2^40 / (W · 2^(f + s))), for product = ⟨g_int, c_k⟩ and s = `gradient_scale`."""
        above = -product * self.rate.numerator << SCORE_BITS
        below = self.rate.denominator * self.total_weight
        shift = self.fraction_bits + gradient_scale
        if shift >= 0:
            below <<= shift
        else:
            above <<= -shift
        return above // below if above >= 0 else -(-above // below)


def compute_product(gradient: NDArray[np.int64], values: Integers) -> int:
    """Returns ⟨g_int, c⟩ exactly; elements of `gradient [n]` are at most 2^26 in size, those of `values [n]` 2^24."""
    total = 0
    block = _BLOCK if values.dtype == np.int16 else _WIDE_BLOCK
    for start in range(0, values.size, block):
        piece = slice(start, start + block)
        # Below 2^20 · 2^26 · 2^15 or 2^12 · 2^26 · 2^24.
        total += int(np.dot(gradient[piece], values[piece].astype(np.int64)))
    return total


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """How far an auditor's own gradient, rounded with the published scale, is from the published one.

    Other processors differ by about 1e-6 of the largest element; `agrees` allows ten times that.
    """

    largest_difference: int
    largest_element: int
    score_difference: int
    score_sum: int
    count: int

    @property
    def agrees(self) -> bool:
        """Each element within max(2, 1e-5 · largest), the scores together within 1e-3 of their sizes plus one each."""
        elements = 100_000 * self.largest_difference <= max(200_000, self.largest_element)
        scores = 1_000 * self.score_difference <= self.score_sum + 1_000 * self.count
        return elements and scores


def compare_gradients(
    published: PublicGradient, own: NDArray[np.int64], scores: Sequence[int], own_scores: Sequence[int]
) -> GradientCheck:
    """Compares a published gradient and the scores that follow from it with an auditor's own."""
    values = published.values.astype(np.int64)
    return GradientCheck(
        largest_difference=int(np.max(np.abs(values - own), initial=0)),
        largest_element=int(np.max(np.abs(values), initial=0)),
        score_difference=sum(abs(score - mine) for score, mine in zip(scores, own_scores, strict=True)),
        score_sum=sum(map(abs, scores)),
        count=len(scores),
    )
