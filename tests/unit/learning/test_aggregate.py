from fractions import Fraction

import numpy as np
import pytest

from learning.aggregate import Accumulator, InexactArithmetic, ServerStep, compute_momentum, verify_arithmetic
from learning.quantise import LARGEST


def test_sum_is_exact_across_partial_sums_and_large_weights() -> None:
    generator = np.random.default_rng(0)
    updates = generator.integers(-LARGEST, LARGEST, (60, 70_000), endpoint=True).astype(np.int16)
    weights = [1, 1000, 65_538, 2**40, 30_000, 40_000] * 10
    sums = Accumulator(70_000)
    for update, weight in zip(updates, weights, strict=True):
        sums.add(update, weight)
    columns = [0, 1, 32_767, 32_768, 69_999]
    expected = [sum(int(u) * w for u, w in zip(updates[:, c], weights, strict=True)) for c in columns]
    assert sums.sum()[columns].tolist() == expected
    assert sums.weight == sum(weights)


def test_sum_of_the_largest_elements_does_not_wrap() -> None:
    sums = Accumulator(2)
    for _ in range(70_000):
        sums.add(np.array([LARGEST, -LARGEST], np.int16), 1)
    assert sums.sum().tolist() == [70_000 * LARGEST, -70_000 * LARGEST]


def test_sum_may_be_asked_for_in_between() -> None:
    sums = Accumulator(1)
    sums.add(np.array([2], np.int16), 3)
    first = sums.sum()
    sums.add(np.array([5], np.int16), 1)
    assert (first.tolist(), sums.sum().tolist()) == ([6], [11])


def test_weights_beyond_int64_are_refused() -> None:
    sums = Accumulator(1)
    sums.add(np.array([1], np.int16), 2**47)
    with pytest.raises(OverflowError, match="expected weights of at most"):
        sums.add(np.array([1], np.int16), 2**48)


def test_momentum_is_the_old_one_damped_plus_the_mean() -> None:
    momentum = compute_momentum(np.array([1.0, -2.0]), np.array([4096, 8192]), 2, 12, Fraction("0.5"))
    assert momentum.tolist() == [0.5 + 0.5, -1.0 + 1.0]


def test_step_halves_the_rate_and_rounds_once_to_float32() -> None:
    base = np.array([1.0, 1.0], np.float32)
    step = ServerStep(base, np.array([0.1, 2.0**-24]), Fraction(3))
    assert step.compute_model(0).tolist() == [float(np.float32(1) + np.float32(0.1 * 3.0)), 1.0 + 2.0**-22]
    assert step.compute_model(2)[0] == np.float32(1) + np.float32(0.1 * 0.75)
    assert step.compute_model(0).dtype == np.float32


def test_arithmetic_of_this_machine_is_exact() -> None:
    verify_arithmetic()


def test_fused_arithmetic_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "multiply", lambda left, right: left * right * (1 + 2.0**-52))
    with pytest.raises(InexactArithmetic, match="expected 0x"):
        verify_arithmetic()
