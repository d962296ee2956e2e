from fractions import Fraction

import numpy as np
import pytest

from learning.gradient import PublicGradient
from learning.quantise import LARGEST
from learning.score import ScoreRule, compare_gradients, compute_product


@pytest.mark.parametrize(
    ("product", "scale", "expected"),
    [
        (0, 20, 0),
        (-1, 40, 0),
        (1, 40, 0),
        (-(2**12), 40, 1),
        (-(2**12) - 4095, 40, 1),
        (2**12 + 4095, 40, -1),
        (-1, -12, 2**40),
        (3, -14, -3 * 2**42),
    ],
)
def test_score_truncates_toward_zero(product: int, scale: int, expected: int) -> None:
    assert ScoreRule(Fraction(1), 1, 12).compute_score(product, scale) == expected


def test_score_is_the_exact_rational_truncated() -> None:
    rule = ScoreRule(Fraction("0.3"), 7, 12)
    exact = Fraction(3, 10) * 123_456_789 * 2**40 / (7 * 2 ** (12 + 17))
    assert rule.compute_score(-123_456_789, 17) == int(exact)
    assert rule.compute_score(123_456_789, 17) == -int(exact)


def test_product_of_the_largest_elements_does_not_wrap() -> None:
    gradient = np.full(2_500_000, 2**26, np.int64)
    update = np.full(2_500_000, -LARGEST, np.int16)
    assert compute_product(gradient, update) == -LARGEST * 2**26 * 2_500_000


@pytest.mark.parametrize(("largest", "difference", "agrees"), [(2**23, 83, True), (2**23, 84, False)])
def test_gradient_check_allows_a_hundred_thousandth_of_the_largest_element(
    largest: int, difference: int, agrees: bool
) -> None:
    published = PublicGradient(np.array([largest, 100], np.int32), 3)
    check = compare_gradients(published, np.array([largest, 100 + difference]), [], [])
    assert check.agrees is agrees


@pytest.mark.parametrize(("own", "agrees"), [([1000, 2003], True), ([1000, 2006], False), ([995, 2003], False)])
def test_gradient_check_allows_a_thousandth_of_the_scores(own: list[int], agrees: bool) -> None:
    published = PublicGradient(np.array([2**23], np.int32), 3)
    check = compare_gradients(published, np.array([2**23]), [1000, 2000], own)
    assert check.agrees is agrees
    assert check.score_sum == 3000
