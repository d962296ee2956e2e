"""What a requester's files break, they break before the coordinator gives its word."""

from dataclasses import replace

import numpy as np
import pytest

from learning.rehearsal import rehearse, verify_positions
from learning.tasks import MalformedExamples, Task, get_task

DIGITS = get_task("digits", {})
RECOMMENDER = get_task("recommender", {"items": 8, "dimensions": 2, "recentDimensions": 2})
SCANS = [{"pixels": [7] * 64, "label": label} for label in range(4)]


@pytest.mark.parametrize(
    ("task", "records"),
    [(DIGITS, []), (RECOMMENDER, []), (RECOMMENDER, [[1], [2]])],
    ids=["no scan", "no viewer", "viewers of one item"],
)
def test_examples_without_a_position_are_refused(task: Task, records: list[object]) -> None:
    examples = task.read_records(records)
    with pytest.raises(MalformedExamples, match="at least one position"):
        verify_positions(task, examples)
    with pytest.raises(MalformedExamples, match="at least one position"):
        rehearse(task, task.suggested_rules(), task.initial_model(1), examples)


def test_model_whose_loss_overflows_is_refused() -> None:
    huge = np.random.default_rng(0).choice([-3e38, 3e38], RECOMMENDER.layout.size).astype(np.float32)
    with pytest.raises(MalformedExamples, match="a finite loss and gradient"):
        rehearse(RECOMMENDER, RECOMMENDER.suggested_rules(), huge, RECOMMENDER.read_records([[1, 2, 3], [4, 5, 6]] * 9))


@pytest.mark.parametrize("positions", [1, 3, 2_500])
def test_files_of_a_job_that_can_be_measured_pass(positions: int) -> None:
    rules = replace(DIGITS.suggested_rules(), sample_positions=positions)
    rehearse(DIGITS, rules, DIGITS.initial_model(1), DIGITS.read_records(SCANS))
