"""What screening remembers of a job's earlier rounds: every update by its content, and which of the last may be copied.

Whole updates are not kept: the payloads that were revealed are, and are read again where one must be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from learning.tensors import ArrayType, MalformedArrays
from ledger.screening import Original

_DIGEST_BYTES: Final = 32
_NODE_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class EarlierUpdate:
    """An update that passed screening: its payload's SHA-256, and Σu²."""

    original: Original
    payload: bytes
    norm_squared: int


@dataclass(frozen=True, slots=True)
class Memory:
    """After `rounds` rounds, void ones included.

    `known` says who first sent each update, refused ones too, by the SHA-256 of its elements; `earlier` lists those of
    the last rounds that passed and that later ones are compared with, in order.
    """

    rounds: int = 0
    known: Mapping[bytes, Original] = field(default_factory=dict, repr=False)
    earlier: tuple[EarlierUpdate, ...] = field(default=(), repr=False)

    def after(self, sent: Mapping[bytes, Original], compared: Sequence[EarlierUpdate], window: int) -> Memory:
        """The memory after one more round, in which these were sent and may be copied; `window` rounds stay."""
        number = self.rounds + 1
        kept = (one for one in self.earlier if one.original.round > number - window)
        return Memory(number, {**sent, **self.known}, (*kept, *(compared if window else ())))

    def list_payloads(self) -> set[bytes]:
        """The payloads that the next round is compared with, by SHA-256."""
        return {one.payload for one in self.earlier}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays of a state file: equal memories give equal arrays."""
        known = sorted(self.known.items())
        return {
            "rounds": np.array([self.rounds], np.int64),
            "digests": _join([digest for digest, _ in known], _DIGEST_BYTES),
            **_write_originals("known", [original for _, original in known]),
            "earlierPayloads": _join([one.payload for one in self.earlier], _DIGEST_BYTES),
            "earlierNorms": np.array([one.norm_squared for one in self.earlier], np.int64),
            **_write_originals("earlier", [one.original for one in self.earlier]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Memory:
        """Reads what `to_arrays` gave. Raises MalformedArrays when lengths differ."""
        known = _read_originals("known", arrays, len(arrays["digests"]))
        earlier = _read_originals("earlier", arrays, len(arrays["earlierPayloads"]))
        norms = arrays["earlierNorms"].tolist()
        if len(norms) != len(earlier):
            raise MalformedArrays("state: earlierNorms", f"{len(earlier)} norms", len(norms))
        payloads = _split(arrays["earlierPayloads"])
        return cls(
            int(arrays["rounds"][0]),
            dict(zip(_split(arrays["digests"]), known, strict=True)),
            tuple(EarlierUpdate(*one) for one in zip(earlier, payloads, norms, strict=True)),
        )


MEMORY_TYPES: Final = {
    "rounds": ArrayType("I64", (1,)),
    "digests": ArrayType("U8", (None, _DIGEST_BYTES)),
    "knownPlaces": ArrayType("I64", (None, 2)),
    "knownNodes": ArrayType("U8", (None, _NODE_BYTES)),
    "earlierPayloads": ArrayType("U8", (None, _DIGEST_BYTES)),
    "earlierNorms": ArrayType("I64", (None,)),
    "earlierPlaces": ArrayType("I64", (None, 2)),
    "earlierNodes": ArrayType("U8", (None, _NODE_BYTES)),
}
"""The arrays that a memory takes in a state file."""


def _write_originals(name: str, originals: Sequence[Original]) -> dict[str, NDArray[Any]]:
    places = np.array([(one.round, one.seq) for one in originals], np.int64).reshape(-1, 2)
    return {f"{name}Places": places, f"{name}Nodes": _join([one.node for one in originals], _NODE_BYTES)}


def _read_originals(name: str, arrays: Mapping[str, NDArray[Any]], count: int) -> list[Original]:
    places, nodes = arrays[f"{name}Places"].tolist(), _split(arrays[f"{name}Nodes"])
    if not len(places) == len(nodes) == count:
        raise MalformedArrays(f"state: {name}", f"{count} places and nodes", (len(places), len(nodes)))
    return [Original(round, seq, node) for (round, seq), node in zip(places, nodes, strict=True)]


def _join(rows: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width)


def _split(rows: NDArray[Any]) -> list[bytes]:
    return [row.tobytes() for row in rows]
