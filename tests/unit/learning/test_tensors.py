import json
import pickle
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from learning.parameters import Layout
from learning.tensors import (
    MAX_HEADER_BYTES,
    ArrayType,
    MalformedArrays,
    read_arrays,
    read_model,
    write_arrays,
    write_model,
)

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "sums": np.array([-(2**62), 5], np.int64),
    "marks": np.array([1, 2, 3], np.uint8),
}
TYPES = {"weights": ArrayType("F32", (2, 3)), "sums": ArrayType("I64", (None,)), "marks": ArrayType("U8", (None,))}


def build(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def member(dtype: str = "I16", shape: Any = (2,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_writer_gives_the_bytes_of_the_formats_own_writer() -> None:
    assert write_arrays(ARRAYS) == safetensors.numpy.save(ARRAYS)


def test_writer_ignores_order_and_memory_layout() -> None:
    shuffled = {"marks": ARRAYS["marks"], "sums": ARRAYS["sums"], "weights": np.asfortranarray(ARRAYS["weights"])}
    assert write_arrays(shuffled) == write_arrays(ARRAYS)


def test_reader_returns_what_was_written_and_other_tools_read_it() -> None:
    content = write_arrays(ARRAYS)
    for arrays in (read_arrays(content, TYPES, "file", len(content)), safetensors.numpy.load(content)):
        assert sorted(arrays) == sorted(ARRAYS)
        assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_reader_takes_empty_arrays() -> None:
    content = write_arrays({"a": np.zeros((0, 4), np.int16), "b": np.ones(1, np.int16)})
    arrays = read_arrays(content, {"a": ArrayType("I16", (None, 4)), "b": ArrayType("I16", (1,))}, "file", 1000)
    assert arrays["a"].shape == (0, 4)


def test_model_file_is_read_back_and_non_finite_numbers_are_refused() -> None:
    layout = Layout.of({"a": (2, 2), "b": (1,)})
    vector = np.array([1, 2, 3, 4, 5], np.float32)
    assert read_model(layout, write_model(layout, vector)).tolist() == [1, 2, 3, 4, 5]
    vector[2] = np.nan
    with pytest.raises(MalformedArrays, match="model: a: expected finite numbers"):
        read_model(layout, write_model(layout, vector))


GOOD = build({"update": member()}, b"\1\0\2\0")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "a safetensors file", id="empty"),
        pytest.param(GOOD[:7], "a safetensors file", id="no length"),
        pytest.param(GOOD[:20], "header: expected at most 12 bytes", id="truncated header"),
        pytest.param(GOOD[:-1], "expected 4 bytes of data, got 3", id="truncated data"),
        pytest.param(GOOD + b"\0", "expected 4 bytes of data, got 5", id="bytes left over"),
        pytest.param(GOOD + bytes(1000), "at most 1000 bytes", id="oversized"),
        pytest.param(build(b"{}", length=2**63), "header", id="absurd header length"),
        pytest.param(pickle.dumps({"update": [1, 2]}), "header", id="pickle"),
        pytest.param(build(b"[1]"), "a JSON object", id="list"),
        pytest.param(build(b' {"update":1}'), "a JSON object from the first byte", id="space first"),
        pytest.param(build(b'{"update":'), "not JSON", id="broken JSON"),
        pytest.param(build(b"{\xff}"), "UTF-8", id="not UTF-8"),
        pytest.param(build(b'{"update":1,"update":2}'), "each key once", id="key twice"),
        pytest.param(build({"update": member(), "other": member()}, b"1234"), "the arrays", id="another array"),
        pytest.param(build({"update": member(), "__metadata__": {}}, b"1234"), "the arrays", id="metadata"),
        pytest.param(build({}), "the arrays", id="no array"),
        pytest.param(build({"update": [1]}), "an object with dtype", id="member is no object"),
        pytest.param(build({"update": {**member(), "more": 1}}, b"1234"), "an object with dtype", id="more members"),
        pytest.param(build({"update": member("F16")}, b"1234"), "expected I16", id="other type"),
        pytest.param(build({"update": member(shape=[3])}, b"123456"), "expected I16", id="other shape"),
        pytest.param(build({"update": member(shape=[2, 1])}, b"1234"), "expected I16", id="other rank"),
        pytest.param(build({"update": member(shape=[True, 2])}, b"1234"), "expected I16", id="boolean size"),
        pytest.param(build({"update": member(shape="2")}, b"1234"), "expected I16", id="shape is text"),
        pytest.param(build({"update": member(offsets=[0])}, b"1234"), "two data_offsets", id="one offset"),
        pytest.param(build({"update": member(offsets=[-4, 0])}, b"1234"), "two data_offsets", id="negative offset"),
        pytest.param(build({"update": member(offsets=[2, 6])}, b"123456"), "bytes 0 to 4", id="hole"),
        pytest.param(build({"update": member(offsets=[0, 6])}, b"123456"), "bytes 0 to 4", id="too much for its shape"),
        pytest.param(build({"update": member(offsets=[0, 2**52])}, b"1234"), "bytes 0 to 4", id="far beyond the end"),
    ],
)
def test_reader_refuses(content: bytes, complaint: str) -> None:
    with pytest.raises(MalformedArrays, match=complaint):
        read_arrays(content, {"update": ArrayType("I16", (2,))}, "payload", 1000)


def test_reader_refuses_overlapping_arrays() -> None:
    content = build({"a": member(), "b": member(offsets=[2, 6])}, b"123456")
    with pytest.raises(MalformedArrays, match="b: expected bytes 4 to 8"):
        read_arrays(content, {"a": ArrayType("I16", (2,)), "b": ArrayType("I16", (2,))}, "file", 1000)


def test_reader_refuses_a_header_beyond_the_cap_even_when_it_is_there() -> None:
    header = json.dumps({"update": member()}).encode() + b" " * MAX_HEADER_BYTES
    with pytest.raises(MalformedArrays, match=f"header: expected at most {MAX_HEADER_BYTES} bytes"):
        read_arrays(build(header, b"1234"), {"update": ArrayType("I16", (2,))}, "payload", 1 << 20)
