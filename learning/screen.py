"""What may enter the sum: payloads read strictly, norms bounded, repetitions refused by content (DESIGN.md §4.3)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from learning.quantise import LARGEST, Update, compute_norm_squared
from learning.tensors import MAX_HEADER_BYTES, ArrayType, MalformedArrays, read_arrays, write_arrays
from ledger.hashing import sha256
from ledger.tally import Verdict

UPDATE: Final = "update"
"""The one array of a payload: `[n] int16`, elements in the order of the model's flat vector."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A verdict and why; `update [n]`, its digest and `norm_squared` (units of 2^-2f) are there when it is ACCEPTED."""

    verdict: Verdict
    detail: str = ""
    update: Update | None = None
    norm_squared: int = 0
    digest: bytes = b""


@dataclass(slots=True)
class Screen:
    """Judges a round's payloads in seq order: `earlier` holds the digests of the updates of the job's earlier rounds.

    Zero updates are never repetitions: nobody owns doing nothing, and they score exactly 0.
    """

    size: int
    clip: int
    earlier: AbstractSet[bytes]
    digests: set[bytes] = field(default_factory=set)

    def judge(self, payload: bytes) -> Screened:
        """Returns the verdict on the next payload and remembers its content."""
        try:
            update = read_update(payload, self.size)
        except MalformedArrays as error:
            return Screened(Verdict.MALFORMED, str(error))
        norm_squared = compute_norm_squared(update)
        if norm_squared > self.clip * self.clip:
            return Screened(Verdict.NORM, f"expected Σu² of at most {self.clip}², got {norm_squared}")
        digest = compute_update_digest(update)
        if norm_squared > 0 and digest in self.digests:
            return Screened(Verdict.DUPLICATE, "an earlier contribution of this round has the same update")
        if norm_squared > 0 and digest in self.earlier:
            return Screened(Verdict.RECYCLED, "a contribution of an earlier round has the same update")
        if norm_squared > 0:
            self.digests.add(digest)
        return Screened(Verdict.ACCEPTED, "", update, norm_squared, digest)


def read_update(payload: bytes, size: int) -> Update:
    """Reads a payload: one safetensors array `update [size] int16` without −32768. Raises MalformedArrays."""
    expected = {UPDATE: ArrayType("I16", (size,))}
    update = read_arrays(payload, expected, "payload", MAX_HEADER_BYTES + 8 + 2 * size)[UPDATE]
    if size and int(update.min()) < -LARGEST:
        raise MalformedArrays("payload: update", f"elements of at least −{LARGEST}", int(update.min()))
    return update


def write_update(update: Update) -> bytes:
    """Writes a payload: the same update gives the same bytes."""
    return write_arrays({UPDATE: update})


def compute_update_digest(update: Update) -> bytes:
    """SHA-256 of the elements as little-endian int16: the same for equal updates, however their files were written."""
    return sha256(np.ascontiguousarray(update, "<i2").tobytes())
