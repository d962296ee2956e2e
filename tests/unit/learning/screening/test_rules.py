"""Each rule by itself: what it refuses, what passes, and on what numbers."""

from fractions import Fraction

import numpy as np
import pytest

from learning.payload import compute_update_digest, read_update, write_update
from learning.quantise import Update, compute_norm_squared
from learning.screening.measures import compute_dot, compute_fourth_powers, is_beyond, write_cosine
from learning.screening.rules import (
    judge_constant,
    judge_copy,
    judge_form,
    judge_noise,
    judge_norm,
    judge_repetition,
)
from learning.tensors import MalformedArrays, write_arrays
from ledger.entry import Verdict
from ledger.screening import Original, Rule

SIZE = 4


def update(*elements: int) -> Update:
    return np.array(elements, np.int16)


def test_payload_is_read_back() -> None:
    assert read_update(write_update(update(1, -2, 3, 32767)), SIZE).tolist() == [1, -2, 3, 32767]


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        (b"", Rule.FORMAT),
        (b"\0" * 200, Rule.FORMAT),
        (write_arrays({"updates": update(1, 2, 3, 4)}), Rule.FORMAT),
        (write_arrays({"update": update(1, 2, 3, 4), "more": update(1)}), Rule.FORMAT),
        (write_update(update(1, 2, 3, 4))[:-1], Rule.FORMAT),
        (write_arrays({"update": np.zeros(SIZE, np.int32)}), Rule.DTYPE),
        (write_arrays({"update": np.full(SIZE, np.nan, np.float32)}), Rule.DTYPE),
        (write_update(update(1, 2, 3)), Rule.SHAPE),
        (write_arrays({"update": np.zeros((2, 2), np.int16)}), Rule.SHAPE),
        (write_update(update(-32768, 0, 0, 0)), Rule.RANGE),
    ],
)
def test_form_tells_what_a_payload_is_not(payload: bytes, rule: Rule) -> None:
    with pytest.raises(MalformedArrays) as raised:
        read_update(payload, SIZE)
    refusal = judge_form(raised.value)
    assert (refusal.verdict, refusal.rule) == (Verdict.MALFORMED, rule)
    assert "expected" in refusal.detail


@pytest.mark.parametrize(("norm_squared", "refused"), [(10_000, False), (10_001, True)])
def test_norm_bound_is_exact(norm_squared: int, refused: bool) -> None:
    refusal = judge_norm(norm_squared, 100)
    assert (refusal is not None) is refused
    if refusal is not None:
        assert (refusal.verdict, refusal.limit) == (Verdict.NORM, "10000")


@pytest.mark.parametrize(
    ("elements", "refused"),
    [([3] * 64, True), ([-3] * 100, True), ([3] * 63, False), ([3] * 99 + [4], False), ([3, -3] * 50, False)],
)
def test_constant_update_is_implausible(elements: list[int], refused: bool) -> None:
    one = update(*elements)
    refusal = judge_constant(one, compute_norm_squared(one))
    assert (refusal is not None) is refused
    assert refusal is None or (refusal.verdict, refusal.rule) == (Verdict.IMPLAUSIBLE, Rule.CONSTANT)


@pytest.mark.parametrize("kind", ["normal", "uniform", "signs"])
def test_noise_is_implausible_and_heavy_tails_are_not(kind: str) -> None:
    draw = np.random.default_rng(1)
    made = {
        "normal": draw.normal(size=20_000),
        "uniform": draw.uniform(-1, 1, 20_000),
        "signs": draw.choice([-1, 1], 20_000),
    }[kind]
    noise = np.rint(made * 300).astype(np.int16)
    refusal = judge_noise(noise.size, compute_norm_squared(noise), compute_fourth_powers(noise), "3.5")
    assert refusal is not None
    assert (refusal.verdict, refusal.rule, refusal.limit) == (Verdict.IMPLAUSIBLE, Rule.NOISE, "3.5")
    heavy = np.rint(draw.laplace(size=20_000) * 300).astype(np.int16)
    assert judge_noise(heavy.size, compute_norm_squared(heavy), compute_fourth_powers(heavy), "3.5") is None


def test_least_kurtosis_itself_passes() -> None:
    """Equality passes: n · Σu⁴ = t · (Σu²)² exactly: 1 of 4 elements has kurtosis 4."""
    one = update(7, 0, 0, 0)
    measured = (4, compute_norm_squared(one), compute_fourth_powers(one))
    assert judge_noise(*measured, "4") is None
    refusal = judge_noise(*measured, "4.000001")
    assert refusal is not None
    assert "got 4.000000" in refusal.detail


def test_repetition_is_told_from_whom_and_when() -> None:
    first, later = Original(1, 4, bytes([1]) * 20), Original(3, 0, bytes([2]) * 20)
    digest = compute_update_digest(update(1, 2, 3, 4))
    recycled = judge_repetition(digest, {}, {digest: first})
    assert recycled is not None
    assert (recycled.verdict, recycled.original) == (Verdict.RECYCLED, first)
    duplicate = judge_repetition(digest, {digest: later}, {})
    assert duplicate is not None
    assert (duplicate.verdict, duplicate.original) == (Verdict.DUPLICATE, later)
    assert judge_repetition(digest, {}, {}) is None


def test_digest_is_of_the_elements_and_not_of_the_file() -> None:
    content = write_update(update(1, 2, 3, 4))
    length = int.from_bytes(content[:8], "little")
    padded = (length + 8).to_bytes(8, "little") + content[8 : 8 + length] + b" " * 8 + content[8 + length :]
    assert compute_update_digest(read_update(padded, SIZE)) == compute_update_digest(read_update(content, SIZE))


def test_copy_of_this_round_is_a_duplicate_and_of_an_earlier_one_recycled() -> None:
    assert judge_copy(Original(3, 1, bytes(20)), 3, "0.990000", "0.8").verdict is Verdict.DUPLICATE
    assert judge_copy(Original(2, 1, bytes(20)), 3, "0.990000", "0.8").verdict is Verdict.RECYCLED


def test_measures_are_those_of_whole_numbers() -> None:
    draw = np.random.default_rng(2)
    for bound in (3, 900, 32_767):
        one, other = (draw.integers(-bound, bound + 1, 20_000, np.int64).astype(np.int16) for _ in range(2))
        assert compute_fourth_powers(one) == sum(int(u) ** 4 for u in one)
        assert compute_dot(one, other) == sum(int(u) * int(v) for u, v in zip(one, other, strict=True))
    assert compute_fourth_powers(np.full(9_000, -32_767, np.int16)) == 9_000 * 32_767**4


def test_cosine_is_decided_by_integers_sign_first() -> None:
    assert is_beyond(8, 10, 10, Fraction("0.799999"))
    assert not is_beyond(8, 10, 10, Fraction("0.8")), "equal is not greater"
    assert not is_beyond(-9, 10, 10, Fraction("0.1")), "an opposite is no copy"
    assert write_cosine(8, 10, 10) == "0.800000"
    assert write_cosine(2, 3, 2) == "0.816496", "rounded down"
