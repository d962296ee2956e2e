import math
from dataclasses import dataclass

import numpy as np
import pytest

from learning.gradient import (
    MalformedGradient,
    PublicGradient,
    integrate_gradient,
    order_directions,
    quantise_gradient,
    remove_directions,
    requantise_gradient,
)
from learning.parameters import Vector64


@dataclass
class Power:
    """L(x) = Σ x^12, whose gradient is of degree 11: six points integrate it exactly."""

    def loss(self, vector: Vector64) -> float:
        return float(np.sum(vector**12))

    def gradient(self, vector: Vector64) -> Vector64:
        return 12 * vector**11


def test_integral_times_move_is_the_change_of_the_loss() -> None:
    base, move = np.array([0.3, -1.0]), np.array([0.5, 0.75])
    gradient = integrate_gradient(Power(), base, move)
    assert gradient @ move == pytest.approx(Power().loss(base + move) - Power().loss(base), rel=1e-13)


def test_removed_directions_are_orthogonal_even_when_they_nearly_coincide() -> None:
    generator = np.random.default_rng(5)
    first, gradient = generator.normal(size=500), generator.normal(size=500)
    directions = [first, first * 3 + 1e-5 * generator.normal(size=500), np.zeros(500), -first, 1e-200 * first]
    rest = remove_directions(gradient, directions)
    for direction in directions[:2]:
        assert abs(rest @ direction) < 1e-13 * np.linalg.norm(direction) * np.linalg.norm(gradient)
    assert np.linalg.norm(rest) > 0.9 * np.linalg.norm(gradient)


def test_no_direction_leaves_the_gradient() -> None:
    gradient = np.array([1.0, -2.0])
    assert remove_directions(gradient, [np.zeros(2)]).tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("elements", "scale", "integers"),
    [
        ([0.0, 0.0], 0, [0, 0]),
        ([1.0, -0.25], 23, [2**23, -(2**21)]),
        ([1.0 - 2.0**-53, 0.0], 23, [2**23, 0]),
        ([2.0**30, 1.0], -7, [2**23, 0]),
        ([-(2.0**-1040), 0.0], 1063, [-(2**23), 0]),
    ],
)
def test_scale_is_the_largest_that_fits(elements: list[float], scale: int, integers: list[int]) -> None:
    gradient = quantise_gradient(np.array(elements))
    assert (gradient.scale, gradient.values.tolist()) == (scale, integers)


def test_requantised_gradient_stays_within_bounds_for_any_scale() -> None:
    assert requantise_gradient(np.array([1.0, -1e300]), 2000).tolist() == [2**26, -(2**26)]
    assert requantise_gradient(np.array([0.3]), 4).tolist() == [5]


@pytest.mark.parametrize(
    ("values", "scale"), [([0, 0], 1), ([2**23 - 1, 0], 9), ([-(2**24), 0], 9), ([-(2**31), 5], 9)]
)
def test_integers_that_no_gradient_gives_are_refused(values: list[int], scale: int) -> None:
    with pytest.raises(MalformedGradient, match="expected"):
        PublicGradient(np.array(values, np.int32), scale)


def test_directions_come_in_the_protocols_order() -> None:
    gradient = PublicGradient(np.array([2**23, 0], np.int32), 3)
    moves = [np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    ordered = order_directions(moves, [gradient], np.array([5.0, 5.0]))
    assert [direction.tolist() for direction in ordered] == [[1, 0], [0, 1], [2.0**23, 0], [5, 5]]
    assert math.isclose(ordered[2][0], 2**23)


@pytest.mark.parametrize("scale", [2**31, 2**53 - 1, -(2**53), 1_101, -1_101])
def test_scale_that_no_gradient_can_have_is_malformed(scale: int) -> None:
    with pytest.raises(MalformedGradient, match="scale"):
        PublicGradient(np.array([2**23], np.int32), scale)


@pytest.mark.parametrize("size", [5e-324, 2.2e-308, 1.0, 1.7e308])
def test_gradients_of_any_size_have_a_scale_that_is_taken(size: float) -> None:
    assert abs(quantise_gradient(np.array([size, 0.0])).scale) <= 1_100
