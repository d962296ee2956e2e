from itertools import combinations
from math import comb

import numpy as np
import pytest
import torch

from learning.parameters import Vector32
from learning.quantise import UnusableMove, Update, quantise
from learning.round import RoundInputs, RoundOutcome, run_round
from learning.tasks import MalformedExamples, Objective, get_task
from ledger.entry import SCORE_BITS
from tests.unit.learning.digits_job import beacon, digits_task, load_scans, make_job, reveal, take


def test_federated_training_recognises_held_out_digits() -> None:
    job = make_job(nodes=4, hidden=16)
    inputs = job.begin()
    base, state = inputs.base, inputs.state
    before = job.task.evaluate(base, job.holdout, 0)["accuracy"]
    for round in range(1, 6):
        updates = job.train(base, state.clip, round)
        outcome = run_round(
            RoundInputs(job.task, job.rules, base, state, job.validation, beacon(round), reveal(updates))
        )
        base, state = outcome.model, outcome.state
    assert before < 0.3
    assert job.task.evaluate(base, job.holdout, 0)["accuracy"] > 0.85


@pytest.mark.parametrize("threads", [1, 2])
def test_training_and_rounds_give_the_same_bytes_with_any_number_of_threads(threads: int) -> None:
    assert run_with_threads(threads) == run_with_threads(3 - threads)


def run_with_threads(threads: int) -> tuple[bytes, bytes]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        job = make_job(nodes=2, hidden=32)
        inputs = job.begin()
        updates = job.train(inputs.base, inputs.state.clip, 1)
        outcome = run_round(
            RoundInputs(job.task, job.rules, inputs.base, inputs.state, job.validation, beacon(1), reveal(updates))
        )
        return outcome.model_bytes, outcome.state.to_bytes()
    finally:
        torch.set_num_threads(before)


def test_training_depends_on_the_seed_and_on_nothing_else() -> None:
    task, scans = digits_task(), take(load_scans(), slice(0, 40))
    base = task.initial_model(1)
    first, again, other = (task.train(base, scans, seed).move for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_training_is_what_automatic_differentiation_gives() -> None:
    """The written-out gradient against autograd, over every step of three epochs with an uneven last batch."""
    task, scans = digits_task(hidden=16), take(load_scans(), slice(0, 47))
    base = task.initial_model(1)
    arrays = {name: torch.tensor(array, requires_grad=True) for name, array in task.layout.unflatten(base).items()}
    pixels, labels, losses = torch.tensor(scans["pixels"]) / 16, torch.tensor(scans["labels"]), []
    generator = np.random.default_rng(9)
    for order in [generator.permutation(47) for _ in range(3)]:
        for start in range(0, 47, 10):
            chosen = torch.tensor(order[start : start + 10])
            inside = torch.tanh(pixels[chosen] @ arrays["dense1"] + arrays["bias1"])
            loss = torch.nn.functional.cross_entropy(inside @ arrays["dense2"] + arrays["bias2"], labels[chosen])
            losses.append(float(loss.detach()))
            gradients = torch.autograd.grad(loss, list(arrays.values()))
            with torch.no_grad():
                for array, gradient in zip(arrays.values(), gradients, strict=True):
                    array.sub_(gradient, alpha=0.1)
    expected = task.layout.flatten({name: array.detach().numpy() for name, array in arrays.items()}) - base
    training = task.train(base, scans, 9)
    np.testing.assert_allclose(training.move, expected, atol=2e-6)
    assert training.loss == pytest.approx(np.mean(losses), rel=1e-5)


def test_training_that_diverges_ends_in_a_move_that_is_refused() -> None:
    task, scans = digits_task(), take(load_scans(), slice(0, 40))
    endless = np.full(task.layout.size, 3e38, np.float32)
    with pytest.raises(UnusableMove):
        quantise(task.train(endless, scans, 1).move, 12, 40_960)


def test_node_without_scans_moves_nowhere() -> None:
    task = digits_task()
    training = task.train(task.initial_model(1), take(load_scans(), slice(0, 0)), 1)
    assert training.samples == 0
    assert not training.move.any()


def test_gradient_is_the_slope_of_the_loss() -> None:
    task = digits_task()
    objective = task.objective(load_scans(), np.arange(50))
    vector = task.initial_model(2).astype(np.float64)
    gradient = objective.gradient(vector)
    direction = np.random.default_rng(0).normal(size=vector.size)
    rise = objective.loss(vector + 1e-5 * direction) - objective.loss(vector - 1e-5 * direction)
    assert gradient @ direction == pytest.approx(rise / 2e-5, rel=1e-6)


def test_examples_are_read_back_from_file_and_records() -> None:
    task, scans = digits_task(), take(load_scans(), slice(0, 5))
    again = task.read_examples(task.write_examples(scans))
    records = [
        {"pixels": pixels.tolist(), "label": int(label)}
        for pixels, label in zip(scans["pixels"], scans["labels"], strict=True)
    ]
    for examples in (again, task.read_records(records)):
        assert all(np.array_equal(examples[name], scans[name]) for name in scans)
        assert task.count_positions(examples) == 5


@pytest.mark.parametrize(
    "record",
    [{"pixels": [1] * 63, "label": 1}, {"pixels": [17] * 64, "label": 1}, {"pixels": [1] * 64, "label": 10}, 5],
)
def test_record_that_is_no_scan_is_refused(record: object) -> None:
    with pytest.raises(MalformedExamples, match="expected"):
        digits_task().read_records([record])


def test_examples_file_with_other_labels_is_refused() -> None:
    task, scans = digits_task(), dict(take(load_scans(), slice(0, 5)))
    with pytest.raises(MalformedExamples, match="5 labels"):
        task.read_examples(task.write_examples({**scans, "labels": scans["labels"][:4]}))
    with pytest.raises(MalformedExamples, match="from 0 to 9"):
        task.read_examples(task.write_examples({**scans, "labels": scans["labels"] + 5}))


def test_prediction_names_a_digit() -> None:
    task = digits_task()
    answer = task.predict(task.initial_model(1), {"pixels": [0] * 64})
    assert 0 <= answer["label"] <= 9
    with pytest.raises(MalformedExamples, match="64 numbers"):
        task.predict(task.initial_model(1), {"history": [1]})


@pytest.mark.parametrize("concentration", [0.1, 1.0])
def test_scores_are_close_to_exact_shapley_values(concentration: float) -> None:
    """Of the game whose coalition moves the model by its updates over the whole cohort's weight."""
    job = make_job(nodes=10, concentration=concentration, hidden=16)
    inputs = job.begin()
    updates = job.train(inputs.base, inputs.state.clip, 1)
    outcome = run_round(
        RoundInputs(job.task, job.rules, inputs.base, inputs.state, job.validation, beacon(1), reveal(updates))
    )
    exact = compute_shapley(job.task.objective(job.validation, outcome.positions), inputs.base, updates)
    scores = np.array([one.score / 2**SCORE_BITS for one in outcome.judged])
    assert np.corrcoef(scores, exact)[0, 1] > 0.999
    assert np.corrcoef(np.argsort(np.argsort(scores)), np.argsort(np.argsort(exact)))[0, 1] > 0.99
    assert scores.sum() == pytest.approx(fall_of(outcome), abs=1e-3)
    assert exact.sum() == pytest.approx(fall_of(outcome), abs=1e-3)


def fall_of(outcome: RoundOutcome) -> float:
    assert outcome.loss_before is not None
    assert outcome.loss_after is not None
    return outcome.loss_before - outcome.loss_after


def compute_shapley(objective: Objective, base: Vector32, updates: list[Update]) -> np.ndarray:
    count = len(updates)
    moves = [update / (count * 4096.0) for update in updates]
    worth = {}
    for size in range(count + 1):
        for coalition in combinations(range(count), size):
            vector = base + sum((moves[node] for node in coalition), np.zeros(base.size))
            worth[coalition] = -objective.loss(vector)
    values = np.zeros(count)
    for coalition, value in worth.items():
        for node in range(count):
            if node not in coalition:
                grown = tuple(sorted((*coalition, node)))
                values[node] += (worth[grown] - value) / (count * comb(count - 1, len(coalition)))
    return values


def test_unknown_task_and_configuration_are_refused_with_what_is_known() -> None:
    with pytest.raises(ValueError, match=r"one of \['digits', 'recommender'\]"):
        get_task("chess")
    with pytest.raises(ValueError, match="members among"):
        get_task("digits", {"layers": 3})
    with pytest.raises(ValueError, match="an integer from 1 to 16384"):
        get_task("digits", {"hidden": 20_000})
    with pytest.raises(ValueError, match="expected an integer"):
        get_task("digits", {"hidden": "6"})
    with pytest.raises(ValueError, match="decimal string"):
        get_task("digits", {"rate": "-1"})
