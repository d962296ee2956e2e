"""A payload: the one file a node reveals, which holds its update and nothing else. Read strictly."""

from __future__ import annotations

from typing import Final

import numpy as np

from learning.quantise import LARGEST, Update
from learning.tensors import MAX_HEADER_BYTES, ArrayType, MalformedArrays, read_arrays, write_arrays
from ledger.hashing import sha256

UPDATE: Final = "update"
"""The one array of a payload: `[n] int16`, elements in the order of the model's flat vector."""

ELEMENT: Final = "I16"


class OutOfRange(MalformedArrays):
    """An element is −32768, the one int16 without a negative."""


def read_update(payload: bytes, size: int) -> Update:
    """Reads a payload: one safetensors array `update [size] int16` without −32768. Raises MalformedArrays."""
    expected = {UPDATE: ArrayType(ELEMENT, (size,))}
    update = read_arrays(payload, expected, "payload", MAX_HEADER_BYTES + 8 + 2 * size)[UPDATE]
    if size and int(update.min()) < -LARGEST:
        raise OutOfRange("payload: update", f"elements of at least −{LARGEST}", int(update.min()))
    return update


def write_update(update: Update) -> bytes:
    """Writes a payload: the same update gives the same bytes."""
    return write_arrays({UPDATE: update})


def compute_update_digest(update: Update) -> bytes:
    """SHA-256 of the elements as little-endian int16: the same for equal updates, however their files were written."""
    return sha256(np.ascontiguousarray(update, "<i2").tobytes())
