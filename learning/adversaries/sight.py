"""What a dishonest node sees when a round begins: all that is public, and what is its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from learning.gradient import PublicGradient
from learning.parameters import Vector32, Vector64
from learning.quantise import Update, dequantise, quantise
from learning.tasks import Examples, Task
from ledger.hashing import sha256
from ledger.spec import NOTHING_SCREENED, Screening


@dataclass(frozen=True)
class Sight:
    """What a node sees when a round begins.

    Attributes:
        task: of the job.
        models: the model of every round so far, the initial one first; the last is trained from. Each `[n] float32`.
        gradients: the published gradients of the rounds before, the oldest first.
        updates: of the rounds before, the oldest first: all updates that are public, each `[n] int16`.
        examples: the node's own.
        accomplices: the examples of every node of the node's group, its own among them.
        clip: the round's norm bound in units of 2^-fraction_bits.
        fraction_bits: of the job.
        seed: of this node in this round.
        screening: the job's thresholds, which everyone can read.
    """

    task: Task
    models: Sequence[Vector32]
    gradients: Sequence[PublicGradient]
    updates: Sequence[Sequence[Update]]
    examples: Examples
    clip: int
    fraction_bits: int
    seed: int
    accomplices: Sequence[Examples] = field(default=())
    screening: Screening = NOTHING_SCREENED

    def generator(self) -> np.random.Generator:
        """This node's chance in this round."""
        return np.random.default_rng(self.seed)

    def find_common_seed(self) -> int:
        """A seed that everyone who sees this round has, so that a group needs no words to agree.

        It counts the rounds too: after a round that changed nothing the model is the one before.
        """
        return int.from_bytes(sha256(self.models[-1].tobytes() + len(self.models).to_bytes(8, "big"))[:8], "big")

    def scale(self, direction: Vector64) -> Update:
        """The direction at the largest norm that passes screening."""
        norm = float(np.sqrt(np.sum(direction * direction)))
        longest = self.clip / 2**self.fraction_bits
        return quantise(direction * (longest / norm if norm else 0.0), self.fraction_bits, self.clip)

    def train(self, examples: Examples) -> Update:
        """Honest training on these examples."""
        return self.quantise(self.task.train(self.models[-1], examples, self.seed).move)

    def quantise(self, move: Vector32 | Vector64) -> Update:
        """The move as integers, shortened where it is too long."""
        return quantise(move, self.fraction_bits, self.clip)

    def dequantise(self, update: Update) -> Vector64:
        """The move that an update stands for."""
        return dequantise(update, self.fraction_bits)

    def list_earlier(self) -> list[Update]:
        """All public updates of the rounds before that are not zero, the oldest first."""
        return [update for earlier in self.updates for update in earlier if update.any()]

    def nothing(self) -> Update:
        """A zero update."""
        return np.zeros(self.models[-1].size, np.int16)


Behaviour: TypeAlias = Callable[[Sight], Update]
"""What a node sends in a round; the same sight gives the same update."""
