"""A small real task for tests: digits with one hidden unit (85 parameters), or more where learning matters."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from learning.payload import write_update
from learning.quantise import quantise
from learning.tasks import Examples, Task, get_task
from learning.tensors import write_model
from ledger.spec import Cohort, JobSpec, TaskChoice
from ledger.statements import Terms


@dataclass(frozen=True)
class Course:
    """A task with its data, split among nodes, validation and hold-out."""

    task: Task
    initial: bytes
    validation: bytes
    holdout: bytes
    shares: tuple[Examples, ...]

    def train(self, base: bytes, share: int, seed: int, clip: int) -> bytes:
        """A node's payload: real local training from these model bytes."""
        from learning.tensors import read_model  # noqa: PLC0415

        training = self.task.train(read_model(self.task.layout, base), self.shares[share], seed)
        return write_update(quantise(training.move, 12, clip))


def make_course(nodes: int, hidden: int = 1) -> Course:
    """Scikit-learn's real scans: 300 for validation, 300 held out, the rest among the nodes."""
    task = get_task("digits", {"hidden": hidden, "epochs": 1})
    digits = load_digits()
    pixels, labels = digits.data.astype(np.float32), digits.target.astype(np.int64)

    def pick(chosen: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Examples:
        return {"pixels": pixels[chosen], "labels": labels[chosen]}

    order = np.random.default_rng(1).permutation(len(labels))
    return Course(
        task=task,
        initial=write_model(task.layout, task.initial_model(3)),
        validation=task.write_examples(pick(order[:300])),
        holdout=task.write_examples(pick(order[300:600])),
        shares=tuple(pick(order[600 + node :: nodes]) for node in range(nodes)),
    )


def make_spec(
    course: Course, initial: bytes, validation: bytes | None, minimum: int = 2, maximum: int = 100, **changes: object
) -> JobSpec:
    """A spec over these files (digests); scored by effect where there is a validation set."""
    fields: dict[str, object] = {
        "title": "digits",
        "description": "a test",
        "task": TaskChoice("digits", dict(course.task.config)),
        "initial_model": initial,
        "validation": validation,
        "validation_positions": 100,
        "cohort": Cohort(minimum, maximum),
        "commit_seconds": 30,
        "reveal_seconds": 20,
        "weight_rule": "equal",
        "clip_norm": "10",
        "fraction_bits": 12,
        "server_rate": "1",
        "server_momentum": "0.5",
        "aggregation_rule": "mean",
        "scoring_rule": "by-weight" if validation is None else "aumann-shapley",
        "evidence_readers": "auditors",
        "retention_seconds": 3_600,
        "verifiable": False,
    }
    return JobSpec(**(fields | changes))  # type: ignore[arg-type]  # checked by the spec itself


def make_terms(spec: JobSpec, requester: bytes, coordinator: bytes, rounds: int = 2, **changes: object) -> Terms:
    """Terms that pay a token per nat, up to a token per round."""
    fields: dict[str, object] = {
        "spec_digest": spec.digest(),
        "requester": requester,
        "coordinator": coordinator,
        "token": b"\x11" * 20,
        "rounds": rounds,
        "budget_per_round": 10**18,
        "price_per_nat": 10**18,
        "window": 60,
        "anchor_seconds": 3_600,
        "bond": 10**18,
        "min_stake": 0,
        "witnesses": bytes(32),
        "threshold": 0,
        "nonce": 1,
    }
    return Terms(**(fields | changes))  # type: ignore[arg-type]  # checked by the terms themselves
