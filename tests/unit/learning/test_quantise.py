import math

import numpy as np
import pytest

from learning.quantise import LARGEST, UnusableMove, compute_next_clip, compute_norm_squared, dequantise, quantise


def test_small_move_is_rounded_to_even_units() -> None:
    move = np.array([0.5, 1.5, -2.5, 3.2]) / 16
    assert quantise(move, 4, 1000).tolist() == [0, 2, -2, 3]


def test_long_move_is_scaled_to_leave_room_for_rounding() -> None:
    move = np.random.default_rng(1).normal(size=400)
    update = quantise(move, 12, 2000)
    assert 2000 - math.sqrt(400) < math.sqrt(compute_norm_squared(update)) <= 2000
    direction = update @ move / np.linalg.norm(update.astype(float)) / np.linalg.norm(move)
    assert direction > 0.9999


def test_single_elements_are_clamped_to_int16() -> None:
    assert quantise(np.array([9.0, -9.0]), 12, 10**6).tolist() == [LARGEST, -LARGEST]


def test_huge_finite_elements_are_scaled_without_overflow() -> None:
    assert quantise(np.array([1e308, -1e308, 0.0]), 12, 101).tolist() == [71, -71, 0]


@pytest.mark.parametrize("clip", [0, 1, 5])
def test_bound_below_the_rounding_error_leaves_nothing(clip: int) -> None:
    assert not quantise(np.ones(100), 12, clip).any()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_move_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(UnusableMove, match="got 1 elements"):
        quantise(np.array([1.0, bad], np.float32), 12, 100)


def test_norm_is_exact_where_floats_are_not() -> None:
    update = np.full(3_000_000, LARGEST, np.int16)
    update[0] = 1
    assert compute_norm_squared(update) == 2_999_999 * LARGEST**2 + 1


def test_dequantise_is_exact() -> None:
    assert dequantise(np.array([1, -3], np.int16), 12).tolist() == [1 / 4096, -3 / 4096]


@pytest.mark.parametrize(
    ("norms_squared", "expected"),
    [
        ([], 77),
        ([0, 0], 77),
        ([100**2], 125),
        ([100**2 + 50, 200**2, 0], 125),
        ([9, 400**2, 500**2], 500),
        ([1, 1], 11),
    ],
)
def test_next_clip_is_five_quarters_of_the_lower_median_norm(norms_squared: list[int], expected: int) -> None:
    assert compute_next_clip(77, norms_squared, 100) == expected
