"""Safetensors files read strictly and written in one way: the same arrays give the same bytes, never pickle.

Source of the format: huggingface/safetensors, "Format"; what is written here equals what its own writer gives without
metadata.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Arrays, Layout, Vector32
from ledger import canonical
from ledger.errors import Malformed, MalformedJson

MAX_HEADER_BYTES: Final = 65_536
_PREFIX_BYTES: Final = 8
_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "U8": np.dtype("u1"),
}
_NAMES: Final = {dtype: name for name, dtype in _TYPES.items()}


class MalformedArrays(Malformed):
    """Bytes that are not the safetensors file that was expected."""


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The type and shape an array must have; None in the shape stands for any length."""

    dtype: str
    shape: tuple[int | None, ...]

    def fits(self, dtype: str, shape: tuple[int, ...]) -> bool:
        """Whether an array of that type and shape is what is expected."""
        same = len(shape) == len(self.shape)
        return same and dtype == self.dtype and all(w in (None, got) for w, got in zip(self.shape, shape, strict=True))


def read_arrays(
    content: bytes, expected: Mapping[str, ArrayType], subject: str, max_bytes: int
) -> dict[str, NDArray[Any]]:
    """Reads exactly the expected arrays, as read-only views of `content`; every number must be finite.

    Raises:
        MalformedArrays: too many bytes, a header that is no JSON object or too long, a key twice, other names, types or
            shapes, data with holes, overlaps or bytes left over, a number that is not finite.
    """
    if len(content) > max_bytes:
        raise MalformedArrays(subject, f"at most {max_bytes} bytes", len(content))
    start = _find_data(content, subject)
    header = _read_header(content[_PREFIX_BYTES:start], expected, subject)
    arrays = {}
    end = 0
    for name, (dtype, shape, first, last) in sorted(header.items(), key=lambda item: item[1][2:]):
        size = math.prod(shape) * _TYPES[dtype].itemsize
        if first != end or last - first != size:
            raise MalformedArrays(
                f"{subject}: {name}", f"bytes {end} to {end + size} of the data", f"{first} to {last}"
            )
        end = last
        if start + end > len(content):
            break
        arrays[name] = np.frombuffer(content, _TYPES[dtype], math.prod(shape), start + first).reshape(shape)
    if start + end != len(content):
        raise MalformedArrays(subject, f"{end} bytes of data", len(content) - start)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise MalformedArrays(f"{subject}: {name}", "finite numbers", "NaN or infinity")
    return arrays


def write_arrays(arrays: Arrays) -> bytes:
    """Writes the arrays: wider types first, then by name, the header padded with spaces to eight bytes."""
    named = sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header = {}
    data = []
    end = 0
    for name, array in named:
        data.append(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
        offsets = [end, end := end + len(data[-1])]
        header[name] = {"dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": offsets}
    # Not canonical JSON: members stand in the order of the data, as the format's own writer has them.
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % _PREFIX_BYTES)
    return b"".join([len(text).to_bytes(_PREFIX_BYTES, "little"), text, *data])


def read_model(layout: Layout, content: bytes) -> Vector32:
    """Reads a model file as a flat vector `[n] float32`. Raises MalformedArrays."""
    expected = {name: ArrayType("F32", shape) for name, shape in layout.shapes}
    limit = _PREFIX_BYTES + MAX_HEADER_BYTES + 4 * layout.size
    return layout.flatten(read_arrays(content, expected, "model", limit))


def write_model(layout: Layout, vector: Vector32) -> bytes:
    """Writes a model file: its SHA-256 is the model's name everywhere."""
    return write_arrays(layout.unflatten(vector))


def _find_data(content: bytes, subject: str) -> int:
    if len(content) < _PREFIX_BYTES:
        raise MalformedArrays(subject, "a safetensors file", len(content))
    length = int.from_bytes(content[:_PREFIX_BYTES], "little")
    if length > MAX_HEADER_BYTES or _PREFIX_BYTES + length > len(content):
        limit = min(MAX_HEADER_BYTES, len(content) - _PREFIX_BYTES)
        raise MalformedArrays(f"{subject}: header", f"at most {limit} bytes", length)
    return _PREFIX_BYTES + length


def _read_header(
    text: bytes, expected: Mapping[str, ArrayType], subject: str
) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """Returns dtype, shape and the data's first and last byte of each expected array."""
    try:
        header = canonical.decode(text) if text.startswith(b"{") else None
    except MalformedJson as error:
        raise MalformedArrays(f"{subject}: header", str(error)) from error
    if not isinstance(header, dict):
        raise MalformedArrays(f"{subject}: header", "a JSON object from the first byte", text[:16])
    if sorted(header) != sorted(expected):
        raise MalformedArrays(f"{subject}: header", f"the arrays {sorted(expected)}", sorted(header))
    return {name: _read_member(header[name], expected[name], f"{subject}: {name}") for name in expected}


def _read_member(member: object, expected: ArrayType, subject: str) -> tuple[str, tuple[int, ...], int, int]:
    if not isinstance(member, dict) or set(member) != {"dtype", "shape", "data_offsets"}:
        raise MalformedArrays(subject, "an object with dtype, shape and data_offsets", member)
    dtype, shape, offsets = member["dtype"], member["shape"], member["data_offsets"]
    if not (_is_sizes(shape) and isinstance(dtype, str) and expected.fits(dtype, tuple(shape))):
        raise MalformedArrays(subject, f"{expected.dtype} {list(expected.shape)}", f"{dtype} {shape}")
    if not (_is_sizes(offsets) and len(offsets) == 2):
        raise MalformedArrays(subject, "two data_offsets, whole numbers from 0", offsets)
    return dtype, tuple(shape), offsets[0], offsets[1]


def _is_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)
