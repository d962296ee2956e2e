"""Laws of updates: the bound always holds, sums do not depend on order, files are read back or refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.aggregate import Accumulator
from learning.payload import read_update, write_update
from learning.quantise import LARGEST, Update, compute_norm_squared, quantise
from learning.sampling import draw_sample
from learning.screening.memory import Memory
from learning.screening.screen import Screen
from learning.tensors import ArrayType, MalformedArrays, read_arrays, write_arrays
from ledger.entry import Verdict
from tests.unit.learning.digits_job import reveal

finite = st.floats(allow_nan=False, allow_infinity=False)
moves = arrays.arrays(np.float64, st.integers(1, 60), elements=finite | st.floats(-20, 20))
updates = st.integers(1, 8).flatmap(
    lambda size: st.lists(
        arrays.arrays(np.int16, size, elements=st.integers(-LARGEST, LARGEST)), min_size=1, max_size=6
    )
)


@given(moves, st.integers(1, 14), st.integers(0, 200_000))
def test_quantised_move_always_passes_the_screen(move: np.ndarray, fraction_bits: int, clip: int) -> None:
    """Whatever a node learned, its update is within the bound that the screen checks, exactly."""
    update = quantise(move, fraction_bits, clip)
    assert compute_norm_squared(update) == sum(int(element) ** 2 for element in update) <= clip * clip
    judged = list(Screen(update.size, clip, Memory()).judge(reveal([update])))
    assert [one.verdict for one in judged] == [Verdict.ACCEPTED]


@given(moves, st.integers(1, 200_000))
def test_quantised_move_points_where_the_move_does(move: np.ndarray, clip: int) -> None:
    """No element of an update has another sign than the move's; a move is rounded to the nearest unit when it fits."""
    update = quantise(move, 12, clip)
    assert all(u == 0 or (u > 0) == (m > 0) for u, m in zip(update.tolist(), move.tolist(), strict=True))
    with np.errstate(over="ignore"):
        if np.linalg.norm(move * 4096) < clip - math.sqrt(move.size) / 2 - 1 and np.abs(move * 4096).max() < LARGEST:
            assert np.array_equal(update, np.rint(move * 4096))


@given(updates, st.data())
def test_sum_is_exact_in_any_order(chosen: list[Update], data: st.DataObject) -> None:
    """Σ w·u over Python's integers, whatever the order and the weights."""
    weights = data.draw(
        st.lists(st.integers(0, 2**44) | st.integers(0, 70_000), min_size=len(chosen), max_size=len(chosen))
    )
    order = data.draw(st.permutations(range(len(chosen))))
    sums = Accumulator(chosen[0].size)
    for k in order:
        sums.add(chosen[k], weights[k])
    expected = [sum(w * int(u[i]) for u, w in zip(chosen, weights, strict=True)) for i in range(chosen[0].size)]
    assert sums.sum().tolist() == expected
    assert sums.weight == sum(weights)


@given(arrays.arrays(np.int16, st.integers(0, 40), elements=st.integers(-LARGEST, LARGEST)))
def test_payload_is_read_back(update: Update) -> None:
    """Write then read is the identity, and equal updates have equal bytes."""
    assert np.array_equal(read_update(write_update(update), update.size), update)
    assert write_update(update) == write_update(update.copy())


PAYLOAD = write_update(np.arange(-20, 20, dtype=np.int16))
TYPES = {
    "a": ArrayType("F32", (3,)),
    "b": ArrayType("I64", (None,)),
}
FILE = write_arrays({"a": np.array([1, 2, 3], np.float32), "b": np.array([4, 5])})


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(1, 255))
def test_flipped_payload_is_refused_or_another_update(place: int, flip: int) -> None:
    """One changed byte never crashes the reader and never goes unseen, but for padding."""
    changed = PAYLOAD[:place] + bytes([PAYLOAD[place] ^ flip]) + PAYLOAD[place + 1 :]
    try:
        update = read_update(changed, 40)
    except MalformedArrays:
        return
    spaces = changed[8:].split(b"}}")[1][:8].isspace()
    assert not np.array_equal(update, np.arange(-20, 20)) or spaces


@given(st.integers(0, len(FILE) - 1))
def test_truncated_file_is_refused(length: int) -> None:
    """No prefix of a file is a file."""
    with pytest.raises(MalformedArrays):
        read_arrays(FILE[:length], TYPES, "file", 10_000)


@given(st.binary(max_size=300), st.booleans())
def test_arbitrary_bytes_are_refused_without_a_crash(noise: bytes, framed: bool) -> None:
    """Noise, with or without a header length that fits, raises the reader's own error."""
    content = len(noise).to_bytes(8, "little") + noise if framed else noise
    with pytest.raises(MalformedArrays):
        read_arrays(content, TYPES, "file", 10_000)


@given(st.integers(1, 60), st.integers(1, 70), st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=12))
def test_samples_are_complete_distinct_and_even(positions: int, count: int, beacons: list[bytes]) -> None:
    """Every sample has min(count, positions) distinct positions, and all positions come about equally often."""
    pool = np.arange(positions, dtype=np.int64)
    times = np.zeros(positions, int)
    for beacon in beacons:
        draw = draw_sample(pool, positions, count, beacon)
        pool = draw.pool
        assert len(set(draw.sample.tolist())) == draw.sample.size == min(count, positions)
        times[draw.sample] += 1
        assert times.max() - times.min() <= 2
