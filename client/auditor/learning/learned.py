"""The learning of a job as an auditor needs it: installed task, rules of the spec, validation examples, models."""

from __future__ import annotations

from dataclasses import dataclass

from client.auditor.evidence.blobs import Blobs, WrongBlob
from learning.parameters import Vector32
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task, get_task
from learning.tensors import MAX_HEADER_BYTES, read_model
from ledger.errors import Malformed
from ledger.hexadecimal import to_hex
from ledger.spec import JobSpec

EXAMPLES_LIMIT_BYTES = 1 << 30


class Unknown(Exception):
    """Something that recomputation needs is not there."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Learning:
    """Task, rules and validation examples (None in by-weight jobs) of a job, and where its files are.

    `blind` says that the examples are private and not ours: what follows from them cannot be checked.
    """

    task: Task
    rules: LearningRules
    validation: Examples | None
    blobs: Blobs
    blind: bool = False

    @classmethod
    def load(cls, spec: JobSpec, blobs: Blobs) -> Learning:
        """Raises Unknown when the task is not installed or the validation file is not given."""
        try:
            task = get_task(spec.task.name, spec.task.config)
            rules = LearningRules.of(spec)
            if spec.validation is None:
                return cls(task, rules, None, blobs)
            content = blobs.load(spec.validation, EXAMPLES_LIMIT_BYTES)
            if content is None and spec.validation_holders is not None:
                return cls(task, rules, None, blobs, blind=True)
            if content is None:
                raise Unknown("the validation file was not given")
            return cls(task, rules, task.read_examples(content), blobs)
        except (Malformed, WrongBlob) as error:
            raise Unknown(str(error)) from error

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.task.layout.size

    @property
    def positions(self) -> int:
        """Number of validation positions."""
        return 0 if self.validation is None else self.task.count_positions(self.validation)

    @property
    def limit_bytes(self) -> int:
        """The most that a model of this task takes."""
        return MAX_HEADER_BYTES + 8 + 4 * self.size

    def start(self) -> RoundState:
        """The state before round 1."""
        return RoundState.initial(self.size, self.rules, self.positions)

    def load_model(self, digest: bytes) -> Vector32:
        """A model by digest.

        Raises:
            Unknown: it is not given.
            WrongBlob, Malformed: what is given under the digest is another file, or no model of this task.
        """
        content = self.blobs.load(digest, self.limit_bytes)
        if content is None:
            raise Unknown(f"the model {to_hex(digest)} was not given")
        return read_model(self.task.layout, content)
