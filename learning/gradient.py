"""The public gradient of a round: ∫∇L along its way without what anyone could replay, in integers (DESIGN.md §4.5)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Vector64
from learning.tasks.task import Objective
from ledger.errors import Malformed

# Gauss–Legendre on [0, 1], 6 points: abscissa and weight (Abramowitz & Stegun, table 25.4, mapped from [−1, 1]).
_QUADRATURE: Final = (
    (0.033765242898423986094, 0.085662246189585172520),
    (0.169395306766867743169, 0.180380786524069303785),
    (0.380690406958401545684, 0.233956967286345523695),
    (0.619309593041598454316, 0.233956967286345523695),
    (0.830604693233132256831, 0.180380786524069303785),
    (0.966234757101576013906, 0.085662246189585172520),
)
_BITS: Final = 24
# No double has a largest s beyond: the smallest is 2^-1074, the largest below 2^1024.
_MOST_SCALE: Final = 1_100
# A direction that earlier ones explain up to rounding adds nothing but noise.
_NEGLIGIBLE: Final = 1e-8
_TIMES: Final = 2


class MalformedGradient(Malformed):
    """Integers that are no public gradient."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicGradient:
    """g_int `[n] int32` and s: the gradient is g_int / 2^s, in nats per unit of a parameter."""

    values: NDArray[np.int32]
    scale: int

    def __post_init__(self) -> None:
        if abs(self.scale) > _MOST_SCALE:
            raise MalformedGradient("gradient scale", f"from −{_MOST_SCALE} to {_MOST_SCALE}", self.scale)
        largest = _find_largest(self.values)
        if largest == 0 and self.scale != 0:
            raise MalformedGradient("gradient scale", "0 for a zero gradient", self.scale)
        if largest != 0 and not 2 ** (_BITS - 1) <= largest < 2**_BITS:
            raise MalformedGradient("gradient", f"a largest element from 2^{_BITS - 1} to below 2^{_BITS}", largest)


def integrate_gradient(objective: Objective, base: Vector64, move: Vector64) -> Vector64:
    """Returns ∫₀¹ ∇L(base + t · move) dt, `[n] float64`, by six-point quadrature."""
    total = np.zeros_like(base)
    for abscissa, weight in _QUADRATURE:
        total += weight * objective.gradient(base + abscissa * move)
    return total


def remove_directions(gradient: Vector64, directions: Iterable[Vector64]) -> Vector64:
    """Returns what of `gradient [n]` is orthogonal to every direction `[n]`; their order is part of the protocol."""
    basis: list[Vector64] = []
    for direction in directions:
        scaled = _normalise(direction)
        if scaled is None:
            continue
        rest = _project_out(scaled, basis)
        if math.sqrt(_dot(rest, rest)) > _NEGLIGIBLE:
            basis.append(rest / math.sqrt(_dot(rest, rest)))
    return _project_out(gradient, basis)


def quantise_gradient(gradient: Vector64) -> PublicGradient:
    """Returns rint(g · 2^s) with the largest s that keeps every element below 2^24 in size."""
    largest = float(np.max(np.abs(gradient), initial=0.0))
    if largest == 0.0:
        return PublicGradient(np.zeros(gradient.shape, np.int32), 0)
    scale = _BITS - math.frexp(largest)[1]
    if abs(round(math.ldexp(largest, scale))) == 2**_BITS:
        scale -= 1
    return PublicGradient(_round(gradient, scale).astype(np.int32), scale)


def requantise_gradient(gradient: Vector64, scale: int) -> NDArray[np.int64]:
    """Returns rint(g · 2^scale) with another party's scale, kept within ±2^26: beyond, it disagrees anyway."""
    return np.clip(_round(gradient, scale), -(2.0**26), 2.0**26).astype(np.int64)


def order_directions(
    moves: Sequence[Vector64], gradients: Sequence[PublicGradient], momentum: Vector64
) -> list[Vector64]:
    """Returns the public directions in the protocol's order: moves, then gradients, newest first; momentum last."""
    return [*moves, *(gradient.values.astype(np.float64) for gradient in gradients), momentum]


def _round(gradient: Vector64, scale: int) -> Vector64:
    with np.errstate(over="ignore", under="ignore"):
        return np.rint(np.ldexp(gradient, scale))


def _find_largest(values: NDArray[np.int32]) -> int:
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def _normalise(vector: Vector64) -> Vector64 | None:
    largest = float(np.max(np.abs(vector), initial=0.0))
    if largest == 0.0:
        return None
    relative = vector / largest
    return relative / math.sqrt(_dot(relative, relative))


def _project_out(vector: Vector64, basis: Sequence[Vector64]) -> Vector64:
    rest = vector.copy()
    for _ in range(_TIMES):
        for unit in basis:
            rest -= _dot(rest, unit) * unit
    return rest


def _dot(left: Vector64, right: Vector64) -> float:
    # Not a BLAS product: its order of summation depends on the number of threads.
    return float(np.sum(left * right))
