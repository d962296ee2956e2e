"""What one round leaves to the next: enough to go on after a kill, and rebuilt by an auditor round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from learning.gradient import PublicGradient
from learning.moments import begin_second_moment
from learning.parameters import Vector32, Vector64
from learning.rules import LearningRules
from learning.screening.memory import MEMORY_TYPES, Memory
from learning.tasks.task import Positions
from learning.tensors import ArrayType, MalformedArrays, read_arrays, write_arrays

KEPT: Final = 32
"""Of how many rounds the moves and published vectors count as public directions: the newest of a job.

All of them in most jobs: a direction that is no longer removed can be replayed for as much as honest work earns.
"""


@dataclass(frozen=True, slots=True, eq=False)
class RoundState:
    """State before a round.

    `momentum [n] float64`, `clip` in units of 2^-f, `pool` the validation positions not drawn yet (sorted), `moves` the
    last 32, newest first, `gradients` what so many rounds published beside them (see `optimiser.list_published`),
    `memory` of the updates of earlier rounds that passed screening, `second [n] float64` Adam's second moment (empty
    without it).
    """

    momentum: Vector64 = field(repr=False)
    clip: int
    pool: Positions = field(repr=False)
    moves: tuple[Vector64, ...] = field(default=(), repr=False)
    gradients: tuple[PublicGradient, ...] = field(default=(), repr=False)
    memory: Memory = field(default_factory=Memory, repr=False)
    second: Vector64 = field(default_factory=lambda: np.zeros(0), repr=False)

    @classmethod
    def initial(cls, size: int, rules: LearningRules, positions: int) -> RoundState:
        """The state before round 1 of a model with `size` parameters and a validation set of `positions` (0: none)."""
        state = cls(np.zeros(size), rules.first_clip, np.arange(positions, dtype=np.int64))
        return state if rules.adam is None else replace(state, second=begin_second_moment(size, rules.adam))

    def with_reference(self, reference: PublicGradient, rules: LearningRules) -> Self:
        """The state once a round's reference is published: from the next round on it earns nothing."""
        return self._publish((reference,), rules)

    def with_move(
        self, base: Vector32, model: Vector32, published: Sequence[PublicGradient], rules: LearningRules
    ) -> Self:
        """The state once a round has moved `base [n]` to `model [n]` and published these vectors beside it."""
        move = model.astype(np.float64) - base.astype(np.float64)
        return replace(self._publish(published, rules), moves=(move, *self.moves)[:KEPT])

    def _publish(self, vectors: Sequence[PublicGradient], rules: LearningRules) -> Self:
        return replace(self, gradients=(*vectors, *self.gradients)[: KEPT * rules.published_vectors])

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
            "second": self.second,
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
            "second": ArrayType("F64", (None,)),
        }
        arrays = read_arrays(content, expected, "state", len(content))
        if len(arrays["scales"]) != len(arrays["gradients"]):
            raise MalformedArrays("state: scales", f"{len(arrays['gradients'])} scales", len(arrays["scales"]))
        if arrays["second"].size not in (0, size):
            raise MalformedArrays("state: second", f"0 or {size} elements", arrays["second"].size)
        gradients = zip(arrays["gradients"], arrays["scales"].tolist(), strict=True)
        return cls(
            arrays["momentum"],
            int(arrays["clip"][0]),
            arrays["pool"],
            tuple(arrays["moves"]),
            tuple(PublicGradient(values, scale) for values, scale in gradients),
            Memory.from_arrays(arrays),
            arrays["second"],
        )


def _stack(rows: list[NDArray[Any]], size: int, dtype: type) -> NDArray[Any]:
    return np.array(rows, dtype).reshape(len(rows), size)
