"""A model as one flat vector: named float32 arrays, sorted by name, each in C order, one after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ledger.errors import Malformed

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Vector32: TypeAlias = NDArray[np.float32]
Vector64: TypeAlias = NDArray[np.float64]


class MalformedModel(Malformed):
    """Arrays or a vector that do not have the names, shapes or types of the task's model."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of a model's arrays; `shapes` is sorted by name."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Layout:
        """The layout with these shapes, whatever their order."""
        return cls(tuple(sorted(shapes.items())))

    @property
    def size(self) -> int:
        """Number of parameters: the length n of the flat vector."""
        return sum(math.prod(shape) for _, shape in self.shapes)

    def flatten(self, arrays: Arrays) -> Vector32:
        """The flat vector `[n] float32`. Raises MalformedModel when names, shapes or types differ."""
        if sorted(arrays) != [name for name, _ in self.shapes]:
            raise MalformedModel("model", f"arrays {[name for name, _ in self.shapes]}", sorted(arrays))
        for name, shape in self.shapes:
            if arrays[name].shape != shape or arrays[name].dtype != np.float32:
                got = f"{arrays[name].dtype} {list(arrays[name].shape)}"
                raise MalformedModel(f"model array {name}", f"float32 {list(shape)}", got)
        return np.concatenate([arrays[name].ravel() for name, _ in self.shapes])

    def unflatten(self, vector: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The named arrays as views of `vector [n]`, whatever its type. Raises MalformedModel on another length."""
        if vector.shape != (self.size,):
            raise MalformedModel("model vector", f"{self.size} parameters", f"shape {list(vector.shape)}")
        arrays = {}
        start = 0
        for name, shape in self.shapes:
            stop = start + math.prod(shape)
            arrays[name] = vector[start:stop].reshape(shape)
            start = stop
        return arrays
