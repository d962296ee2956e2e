"""What screening measures of updates, in exact integers: the same verdicts on every machine and in every order."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from learning.quantise import Update
from ledger.screening import DIGITS, write_millionths

# Pieces that the cache holds, too short for a BLAS to start threads for, and short enough for exact sums: 2^13 products
# of at most 2^30 stay below 2^53.
_BLOCK: Final = 1 << 13
_HALF_BITS: Final = 15


def compute_dot(one: Update, other: Update) -> int:
    """Returns Σ u·v, exactly."""
    total = 0
    for start in range(0, one.size, _BLOCK):
        piece = slice(start, start + _BLOCK)
        total += int(np.dot(one[piece].astype(np.float64), other[piece].astype(np.float64)))
    return total


def compute_fourth_powers(update: Update) -> int:
    """Returns Σu⁴, exactly."""
    total = 0
    for start in range(0, update.size, _BLOCK):
        squares = np.square(update[start : start + _BLOCK], dtype=np.int32)
        # In two halves of 15 bits: products of whole squares would be beyond what float64 counts in ones.
        high = (squares >> _HALF_BITS).astype(np.float64)
        low = (squares & ((1 << _HALF_BITS) - 1)).astype(np.float64)
        total += (int(np.dot(high, high)) << 2 * _HALF_BITS) + (int(np.dot(high, low)) << _HALF_BITS + 1)
        total += int(np.dot(low, low))
    return total


def is_beyond(dot: int, norm_squared: int, other_squared: int, cosine: Fraction) -> bool:
    """Whether the cosine of two non-zero vectors is greater than `cosine` (at least 0), decided in integers."""
    bound = cosine.numerator**2 * norm_squared * other_squared
    return dot > 0 and dot * dot * cosine.denominator**2 > bound


def write_cosine(dot: int, norm_squared: int, other_squared: int) -> str:
    """A cosine from 0 as a decimal, rounded down to six digits."""
    return write_millionths(math.isqrt(dot * dot * 10 ** (2 * DIGITS) // (norm_squared * other_squared)))
