"""What one round leaves to the next: enough to go on after a kill, and rebuilt by an auditor round by round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from learning.gradient import PublicGradient
from learning.parameters import Vector64
from learning.rules import LearningRules
from learning.screening.memory import MEMORY_TYPES, Memory
from learning.tasks.task import Positions
from learning.tensors import ArrayType, MalformedArrays, read_arrays, write_arrays

KEPT: Final = 32
"""How many global moves and published gradients count as public directions: the newest of a job.

All of them in most jobs: a direction that is no longer removed can be replayed for as much as honest work earns.
"""


@dataclass(frozen=True, slots=True, eq=False)
class RoundState:
    """State before a round.

    `momentum [n] float64`, `clip` in units of 2^-f, `pool` the validation positions not drawn yet (sorted), `moves` and
    `gradients` the last 32, newest first, `memory` of the updates of earlier rounds that passed screening.
    """

    momentum: Vector64 = field(repr=False)
    clip: int
    pool: Positions = field(repr=False)
    moves: tuple[Vector64, ...] = field(default=(), repr=False)
    gradients: tuple[PublicGradient, ...] = field(default=(), repr=False)
    memory: Memory = field(default_factory=Memory, repr=False)

    @classmethod
    def initial(cls, size: int, rules: LearningRules, positions: int) -> RoundState:
        """The state before round 1 of a model with `size` parameters and a validation set of `positions` (0: none)."""
        return cls(np.zeros(size), rules.first_clip, np.arange(positions, dtype=np.int64))

    def to_bytes(self) -> bytes:
        """The state as a safetensors file: equal states have equal bytes."""
        arrays: dict[str, NDArray[Any]] = {
            "momentum": self.momentum,
            "clip": np.array([self.clip], np.int64),
            "pool": self.pool,
            "moves": _stack([*self.moves], self.momentum.size, np.float64),
            "gradients": _stack([gradient.values for gradient in self.gradients], self.momentum.size, np.int32),
            "scales": np.array([gradient.scale for gradient in self.gradients], np.int64),
            **self.memory.to_arrays(),
        }
        return write_arrays(arrays)

    @classmethod
    def from_bytes(cls, content: bytes, size: int) -> RoundState:
        """Reads what `to_bytes` wrote for a model of `size` parameters. Raises MalformedArrays, MalformedGradient."""
        expected = {
            "momentum": ArrayType("F64", (size,)),
            "clip": ArrayType("I64", (1,)),
            "pool": ArrayType("I64", (None,)),
            "moves": ArrayType("F64", (None, size)),
            "gradients": ArrayType("I32", (None, size)),
            "scales": ArrayType("I64", (None,)),
            **MEMORY_TYPES,
        }
        arrays = read_arrays(content, expected, "state", len(content))
        if len(arrays["scales"]) != len(arrays["gradients"]):
            raise MalformedArrays("state: scales", f"{len(arrays['gradients'])} scales", len(arrays["scales"]))
        gradients = zip(arrays["gradients"], arrays["scales"].tolist(), strict=True)
        return cls(
            arrays["momentum"],
            int(arrays["clip"][0]),
            arrays["pool"],
            tuple(arrays["moves"]),
            tuple(PublicGradient(values, scale) for values, scale in gradients),
            Memory.from_arrays(arrays),
        )


def _stack(rows: list[NDArray[Any]], size: int, dtype: type) -> NDArray[Any]:
    return np.array(rows, dtype).reshape(len(rows), size)
