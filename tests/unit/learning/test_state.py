import numpy as np
import pytest

from learning.gradient import MalformedGradient, PublicGradient
from learning.screening.memory import EarlierUpdate, Memory
from learning.state import RoundState
from learning.tensors import MalformedArrays, write_arrays
from ledger.screening import Original
from tests.unit.learning.digits_job import make_job

SIZE = 5


def memory() -> Memory:
    places = [Original(1, seq, bytes([seq]) * 20) for seq in range(3)]
    return Memory(
        2,
        {bytes([3]) * 32: places[0], bytes([1]) * 32: places[2]},
        (EarlierUpdate(places[0], bytes([7]) * 32, 5_000), EarlierUpdate(places[2], bytes([8]) * 32, 1 << 40)),
    )


def state() -> RoundState:
    generator = np.random.default_rng(0)
    return RoundState(
        generator.normal(size=SIZE),
        4321,
        np.array([1, 5, 9], np.int64),
        (generator.normal(size=SIZE), generator.normal(size=SIZE)),
        (PublicGradient(np.array([2**23, 1, 2, 3, 4], np.int32), -3),),
        memory(),
    )


def test_state_is_read_back_and_written_the_same() -> None:
    content = state().to_bytes()
    again = RoundState.from_bytes(content, SIZE)
    assert again.to_bytes() == content
    assert (again.clip, again.pool.tolist(), again.memory) == (4321, [1, 5, 9], memory())
    assert [gradient.scale for gradient in again.gradients] == [-3]
    assert np.array_equal(again.moves[1], state().moves[1])


def test_initial_state_is_read_back() -> None:
    rules = make_job().rules
    first = RoundState.initial(SIZE, rules, 300)
    again = RoundState.from_bytes(first.to_bytes(), SIZE)
    assert again.to_bytes() == first.to_bytes()
    assert (again.clip, again.moves, again.gradients, again.memory) == (rules.first_clip, (), (), Memory())


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
        **Memory().to_arrays(),
        "second": np.zeros(0),
    }
    with pytest.raises(MalformedArrays, match="1 scales, got 0"):
        RoundState.from_bytes(write_arrays(arrays), SIZE)
    with pytest.raises(MalformedGradient):
        RoundState.from_bytes(write_arrays({**arrays, "scales": np.array([7])}), SIZE)


@pytest.mark.parametrize("name", ["knownPlaces", "knownNodes", "earlierNorms", "earlierNodes", "earlierPlaces"])
def test_state_whose_memory_does_not_fit_together_is_refused(name: str) -> None:
    arrays = memory().to_arrays()
    with pytest.raises(MalformedArrays, match="state"):
        Memory.from_arrays({**arrays, name: arrays[name][1:]})
