"""What a job's files must allow before anyone depends on them: that a round can be measured at all."""

from __future__ import annotations

import numpy as np

from learning.parameters import Vector32
from learning.rules import LearningRules
from learning.tasks.task import Examples, MalformedExamples, Task


def verify_positions(task: Task, examples: Examples) -> None:
    """Verifies that there is something to measure. Raises MalformedExamples where no example has a position."""
    if not task.count_positions(examples):
        raise MalformedExamples("examples", "at least one position at which a loss is taken", 0)


def rehearse(task: Task, rules: LearningRules, model: Vector32, validation: Examples) -> None:
    """Measures the initial model `[n]` as a round would, on as many positions as a round draws.

    A round that cannot be measured is never sealed, and a round that is not anchored in time costs the coordinator its
    bond: whatever a requester's files break must break here.

    Raises:
        MalformedExamples: no positions, or a loss or a gradient there that is not finite.
    """
    verify_positions(task, validation)
    count = min(task.count_positions(validation), rules.sample_positions)
    objective, vector = task.objective(validation, np.arange(count)), model.astype(np.float64)
    with np.errstate(all="ignore"):
        loss, gradient = objective.loss(vector), objective.gradient(vector)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise MalformedExamples(
            "initial model", "a finite loss and gradient on the validation set", f"a loss of {loss}"
        )
