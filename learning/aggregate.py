"""The exact weighted sum of a round's updates and the server's step: the same bits everywhere (DESIGN.md §4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Vector32, Vector64
from learning.quantise import LARGEST, Update

_PARTIAL_LIMIT: Final = (2**31 - 1) // LARGEST
_WEIGHT_LIMIT: Final = (2**63 - 1) // LARGEST
"""Intake takes no weights that could come to more (`ledger.weights.MOST_WEIGHT`)."""
_BLOCK: Final = 1 << 17


class Accumulator:
    """S = Σ w_k · u_k `[n] int64`, and W = Σ w_k, one update at a time.

    Updates are first added in int32, in pieces the cache holds, as long as that cannot overflow: half the memory
    traffic.
    """

    def __init__(self, size: int) -> None:
        self.weight = 0
        self._total: NDArray[np.int64] = np.zeros(size, np.int64)
        self._partial: NDArray[np.int32] = np.zeros(size, np.int32)
        self._partial_weight = 0

    def add(self, update: Update, weight: int) -> None:
        """Adds `weight` times the update `[n]`.

        Raises:
            OverflowError: the weights of the round together could leave int64.
        """
        if self.weight + weight > _WEIGHT_LIMIT:
            raise OverflowError(f"expected weights of at most {_WEIGHT_LIMIT} in all, got {self.weight + weight}")
        self.weight += weight
        if weight > _PARTIAL_LIMIT:
            self._total += update * np.int64(weight)
            return
        if self._partial_weight + weight > _PARTIAL_LIMIT:
            self._flush()
        self._partial_weight += weight
        for start in range(0, update.size, _BLOCK):
            piece = slice(start, start + _BLOCK)
            self._partial[piece] += update[piece] if weight == 1 else update[piece].astype(np.int32) * np.int32(weight)

    def sum(self) -> NDArray[np.int64]:
        """S so far, as a copy."""
        self._flush()
        return self._total.copy()

    def _flush(self) -> None:
        self._total += self._partial
        self._partial.fill(0)
        self._partial_weight = 0


@dataclass(frozen=True, slots=True)
class ServerStep:
    """Where the server goes from `base [n]`: along `direction [n] float64`.

    That is the momentum after this round's mean came in, or Adam's quotient; then `stretch [n]` is what it stretches a
    mean by in each parameter.
    """

    base: Vector32
    direction: Vector64
    rate: Fraction
    stretch: Vector64 | None = None

    def compute_model(self, halvings: int) -> Vector32:
        """The next model at the rate η / 2^halvings: base + float32(η · direction), one IEEE operation at a time."""
        step = np.multiply(self.direction, float(self.rate / 2**halvings))
        with np.errstate(over="ignore"):  # an absurd rate gives infinities, and their loss does not fall
            return np.add(self.base, step.astype(np.float32))


def compute_momentum(
    previous: Vector64, aggregate: NDArray[np.int64], weight: int, fraction_bits: int, momentum: Fraction
) -> Vector64:
    """Returns M = β · M + S / (W · 2^f), `[n] float64`, one IEEE operation at a time."""
    return np.add(np.multiply(previous, float(momentum)), compute_mean(aggregate, weight, fraction_bits))


def compute_mean(aggregate: NDArray[np.int64], weight: int, fraction_bits: int) -> Vector64:
    """Returns S / (W · 2^f), `[n] float64`."""
    return np.divide(aggregate.astype(np.float64), float(weight) * float(2**fraction_bits))


class InexactArithmetic(RuntimeError):
    """This machine's floating point, as numpy was built or set here, would give another model than everyone else's."""

    def __init__(self, operation: str, expected: float, got: float) -> None:
        self.operation, self.expected, self.got = operation, expected, got
        super().__init__(f"{operation}: expected {expected.hex()}, got {got.hex()}; use a standard build of numpy")


def verify_arithmetic() -> None:
    """Checks that array operations round as IEEE 754 says, keep subnormals and are not fused.

    Raises:
        InexactArithmetic: one of them does not.
    """
    # 8 elements, so that vector units are used; the fused product-sum of the last case would be 2^-60, not 0.
    tiny = np.full(8, 2.0**-130, np.float32)
    small = np.full(8, 2.0**-1030)
    near_one = np.full(8, 1.0 + 2.0**-30)
    squared = np.full(8, -(1.0 + 2.0**-29))
    halfway = np.full(8, 1.0 + 2.0**-24)
    # Within a few millionths of a unit of where rounding changes: what is only nearly right is wrong here.
    hard_square = np.full(8, float.fromhex("0x1.a970ea2a45f44p+1"))
    hard_dividend = np.full(8, float.fromhex("0x1.93a22806e5594p+0"))
    hard_divisor = np.full(8, float.fromhex("0x1.68e1fcac24d1fp+0"))
    cases = (
        ("float32 subnormal sum", np.add(tiny, tiny), 2.0**-129),
        ("float64 subnormal product", np.multiply(small, 0.5), 2.0**-1031),
        ("float64 to float32 subnormal", (small * 2.0**890).astype(np.float32), 2.0**-140),
        ("round half to even", halfway.astype(np.float32), 1.0),
        ("square root", np.sqrt(hard_square), float.fromhex("0x1.d2b7d8877cfe9p+0")),
        ("square root of a subnormal", np.sqrt(np.full(8, 2.0**-1074)), 2.0**-537),
        ("quotient", np.divide(hard_dividend, hard_divisor), float.fromhex("0x1.1e537bc48d267p+0")),
        ("unfused product and sum", np.add(np.multiply(near_one, near_one), squared), 0.0),
    )
    for operation, results, expected in cases:
        for got in results.tolist():
            if got != expected:
                raise InexactArithmetic(operation, expected, got)
