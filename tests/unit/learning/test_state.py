import numpy as np
import pytest

from learning.gradient import MalformedGradient, PublicGradient
from learning.state import RoundState
from learning.tensors import MalformedArrays, write_arrays
from tests.unit.learning.digits_job import make_job

SIZE = 5


def state() -> RoundState:
    generator = np.random.default_rng(0)
    return RoundState(
        generator.normal(size=SIZE),
        4321,
        np.array([1, 5, 9], np.int64),
        (generator.normal(size=SIZE), generator.normal(size=SIZE)),
        (PublicGradient(np.array([2**23, 1, 2, 3, 4], np.int32), -3),),
        frozenset({bytes([3]) * 32, bytes([1]) * 32}),
    )


def test_state_is_read_back_and_written_the_same() -> None:
    content = state().to_bytes()
    again = RoundState.from_bytes(content, SIZE)
    assert again.to_bytes() == content
    assert (again.clip, again.pool.tolist(), again.digests) == (4321, [1, 5, 9], state().digests)
    assert [gradient.scale for gradient in again.gradients] == [-3]
    assert np.array_equal(again.moves[1], state().moves[1])


def test_initial_state_is_read_back() -> None:
    first = RoundState.initial(SIZE, make_job().rules, 300)
    again = RoundState.from_bytes(first.to_bytes(), SIZE)
    assert again.to_bytes() == first.to_bytes()
    assert (again.clip, again.moves, again.gradients, again.digests) == (40960, (), (), frozenset())


def test_state_of_another_model_is_refused() -> None:
    with pytest.raises(MalformedArrays, match="momentum"):
        RoundState.from_bytes(state().to_bytes(), SIZE + 1)


def test_state_with_too_few_scales_is_refused() -> None:
    arrays = {
        "momentum": np.zeros(SIZE),
        "clip": np.array([1]),
        "pool": np.zeros(0, np.int64),
        "moves": np.zeros((0, SIZE)),
        "gradients": np.zeros((1, SIZE), np.int32),
        "scales": np.zeros(0, np.int64),
        "digests": np.zeros((0, 32), np.uint8),
        "second": np.zeros(0),
    }
    with pytest.raises(MalformedArrays, match="1 scales, got 0"):
        RoundState.from_bytes(write_arrays(arrays), SIZE)
    with pytest.raises(MalformedGradient):
        RoundState.from_bytes(write_arrays({**arrays, "scales": np.array([7])}), SIZE)
