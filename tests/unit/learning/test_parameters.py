import numpy as np
import pytest

from learning.parameters import Layout, MalformedModel

LAYOUT = Layout.of({"b": (2,), "a": (2, 3)})
ARRAYS = {"b": np.array([7, 8], np.float32), "a": np.arange(6, dtype=np.float32).reshape(2, 3)}


def test_flatten_orders_arrays_by_name_in_c_order() -> None:
    assert LAYOUT.flatten(ARRAYS).tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
    assert LAYOUT.flatten({"b": ARRAYS["b"], "a": np.asfortranarray(ARRAYS["a"])}).tolist() == [0, 1, 2, 3, 4, 5, 7, 8]
    assert LAYOUT.size == 8


def test_unflatten_gives_views_of_the_vector() -> None:
    vector = LAYOUT.flatten(ARRAYS)
    LAYOUT.unflatten(vector)["a"][1, 2] = 50
    assert vector.tolist() == [0, 1, 2, 3, 4, 50, 7, 8]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"c": np.zeros(1, np.float32)}, r"arrays \['a', 'b'\]"),
        ({"b": np.zeros(3, np.float32)}, r"float32 \[2\], got 'float32 \[3\]'"),
        ({"b": np.zeros(2)}, r"got 'float64 \[2\]'"),
    ],
)
def test_flatten_other_arrays_is_refused(change: dict[str, np.ndarray], complaint: str) -> None:
    with pytest.raises(MalformedModel, match=complaint):
        LAYOUT.flatten({**ARRAYS, **change})


def test_unflatten_other_length_is_refused() -> None:
    with pytest.raises(MalformedModel, match="8 parameters"):
        LAYOUT.unflatten(np.zeros(9))
