"""Viewing histories as arrays: all viewers' items, oldest first, one viewer after the other.

A position is a place in a history with something before it: its item is predicted from the items before. Shapes: v
viewers, t items in all, b positions of a batch, h history items of a batch, m memories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.tasks.task import Examples, MalformedExamples, Positions
from learning.tensors import ArrayType, read_arrays, write_arrays

_MOST_BYTES = 1 << 30
_TYPES = {"items": ArrayType("I32", (None,)), "offsets": ArrayType("I64", (None,))}


@dataclass(frozen=True, slots=True)
class Histories:
    """`items [t] int64` and where each viewer's begin and end, `offsets [v + 1] int64`."""

    items: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, examples: Examples, catalogue: int) -> Histories:
        """Checks examples for a catalogue of that many items. Raises MalformedExamples."""
        items, offsets = examples["items"].astype(np.int64), examples["offsets"].astype(np.int64)
        ends = offsets.size > 0 and offsets[0] == 0 and offsets[-1] == items.size
        if not ends or np.any(np.diff(offsets) < 0):
            raise MalformedExamples("offsets", f"rising from 0 to {items.size}", offsets.tolist()[:8])
        if items.size and not (items.min() >= 0 and items.max() < catalogue):
            raise MalformedExamples("items", f"from 0 to {catalogue - 1}", f"{items.min()} to {items.max()}")
        return cls(items, offsets)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Items of each viewer, `[v]`."""
        return np.diff(self.offsets)

    def find_targets(self) -> NDArray[np.int64]:
        """Where in `items` each position's item stands, `[positions]`: all but the first of every viewer."""
        first = np.zeros(self.items.size + 1, np.bool_)
        first[self.offsets[:-1]] = True
        return np.flatnonzero(~first[:-1])

    def find_lasts(self) -> NDArray[np.int64]:
        """Where the last item of each viewer with at least two items stands."""
        return (self.offsets[1:] - 1)[self.lengths > 1]


@dataclass(frozen=True, slots=True)
class Batch:
    """What lies before b `targets [b]`, flat: `items [h]`, the `rows [h]` they belong to, `weights [m, h] float64`."""

    items: NDArray[np.int64]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64]
    targets: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recency:
    """The weight of an item k places back: floor + (1 − floor) · exp(−k / scale), over max(1, ‖weights‖)."""

    floor: float
    scale: float

    def weigh(self, back: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weights `[h]` of items `back [h]` places back in histories of `lengths [h]` items."""
        table = self.floor + (1.0 - self.floor) * np.exp(-np.arange(lengths.max(initial=0)) / self.scale)
        norms = np.sqrt(np.concatenate([[0.0], np.cumsum(table * table)]))
        return np.asarray(table[back] / np.maximum(1.0, norms)[lengths])


@dataclass(frozen=True, slots=True)
class Memory:
    """Several recencies side by side: tastes last, moods pass, and the network keeps dimensions for each."""

    recencies: tuple[Recency, ...]

    def gather(self, histories: Histories, targets: Positions) -> Batch:
        """The batch of the positions whose items stand at `targets [b]` of `histories.items`."""
        starts = histories.offsets[np.searchsorted(histories.offsets, targets, side="right") - 1]
        return self._lay_out(histories.items, starts, targets, histories.items[targets])

    def gather_whole(self, histories: Histories) -> Batch:
        """One row for each viewer, in which the whole history lies before an unknown target (given as −1)."""
        unknown = np.full(histories.lengths.size, -1)
        return self._lay_out(histories.items, histories.offsets[:-1], histories.offsets[1:], unknown)

    def _lay_out(
        self, items: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], targets: NDArray[np.int64]
    ) -> Batch:
        lengths = ends - starts
        rows = np.repeat(np.arange(lengths.size), lengths)
        before = np.cumsum(lengths) - lengths
        index = np.arange(rows.size) - before[rows] + starts[rows]
        back = ends[rows] - 1 - index
        weights = np.array([recency.weigh(back, lengths[rows]) for recency in self.recencies])
        return Batch(items[index], rows, weights, targets)


def read_records(records: Sequence[Any], catalogue: int) -> Examples:
    """Examples from one list of item numbers a viewer, oldest first. Raises MalformedExamples."""
    for record in records:
        if not isinstance(record, (list, tuple)) or not all(type(item) is int for item in record):
            raise MalformedExamples("record", "a viewer's item numbers, oldest first", record)
    items = np.array([item for record in records for item in record], np.int64)
    offsets = np.cumsum([0, *map(len, records)], dtype=np.int64)
    Histories.of({"items": items, "offsets": offsets}, catalogue)
    return {"items": items.astype(np.int32), "offsets": offsets}


def read_examples(content: bytes, catalogue: int) -> Mapping[str, NDArray[Any]]:
    """Reads an examples file: `items [t] int32`, `offsets [v + 1] int64`. Raises MalformedArrays, MalformedExamples."""
    examples = read_arrays(content, _TYPES, "examples", _MOST_BYTES)
    Histories.of(examples, catalogue)
    return examples


def write_examples(examples: Examples) -> bytes:
    """Writes an examples file."""
    return write_arrays({"items": examples["items"], "offsets": examples["offsets"]})
