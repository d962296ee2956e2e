"""What a task is: installed code that knows a model, its local training and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Arrays, Layout, Vector32, Vector64
from learning.rules import LearningRules
from ledger.errors import Malformed

Examples: TypeAlias = Arrays
"""Named arrays that hold examples (on a node, for validation, or held out): the task says which."""

Positions: TypeAlias = NDArray[np.int64]
TaskConfig: TypeAlias = Mapping[str, Any]
"""Integers and decimal strings only: it is part of the job spec."""


class MalformedExamples(Malformed):
    """Records, examples or a request that the task cannot read."""


@dataclass(frozen=True, slots=True)
class Training:
    """What local training gave: `move [n] float32` = trained − base, and the mean loss on the way (nats per position).

    `samples` counts the positions the node holds, not the steps it took.
    """

    move: Vector32
    loss: float
    samples: int


class Objective(Protocol):
    """The mean loss (nats per position) on chosen positions, as a function of the flat model; everything in float64."""

    def loss(self, vector: Vector64) -> float:
        """The loss at `vector [n]`."""

    def gradient(self, vector: Vector64) -> Vector64:
        """The gradient `[n]` of the loss at `vector [n]`."""


class Task(Protocol):
    """A task bound to its configuration. Models are flat `[n] float32` vectors in the order of `layout`."""

    @property
    def name(self) -> str:
        """The name in the registry and in job specs."""

    @property
    def config(self) -> TaskConfig:
        """The complete configuration, defaults filled in."""

    @property
    def layout(self) -> Layout:
        """Names and shapes of the model's arrays."""

    def suggested_rules(self) -> LearningRules:
        """Learning rules that suit this task; a job may choose others."""

    def initial_model(self, seed: int) -> Vector32:
        """The model of round 1."""

    def read_records(self, records: Sequence[Any]) -> Examples:
        """Turns what a platform serves (see each task) into examples. Raises MalformedExamples."""

    def read_examples(self, content: bytes) -> Examples:
        """Reads an examples file (safetensors). Raises MalformedArrays or MalformedExamples."""

    def write_examples(self, examples: Examples) -> bytes:
        """Writes an examples file: the same examples give the same bytes."""

    def count_positions(self, examples: Examples) -> int:
        """How many positions (places where a loss is taken) the examples have; they are numbered from 0."""

    def train(self, model: Vector32, examples: Examples, seed: int) -> Training:
        """Trains locally from `model`; the seed must differ from round to round, else an update repeats an old one."""

    def objective(self, examples: Examples, positions: Positions) -> Objective:
        """The loss on these positions."""

    def evaluate(self, model: Vector32, examples: Examples, seed: int) -> Mapping[str, float]:
        """Metrics on held-out examples, by name; reported only, they decide nothing."""

    def predict(self, model: Vector32, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers one request of an endpoint. Raises MalformedExamples for a wrong request."""
