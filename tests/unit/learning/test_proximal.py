"""FedProx on the nodes of both tasks: off is off to the last bit, on is what autograd makes of the term."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from learning.parameters import Vector32
from learning.tasks import Examples, Task, get_task
from learning.tasks.task import Training
from ledger.errors import MalformedSpec
from tests.unit.learning.digits_job import load_scans, take

ITEMS = 24


@cache
def make_histories() -> Examples:
    draw = np.random.default_rng(4)
    return get_task("recommender", {"items": ITEMS}).read_records(
        [draw.permutation(ITEMS)[:12].tolist() for _ in range(6)]
    )


def digits(**config: str | int) -> tuple[Task, Examples]:
    return get_task("digits", {"hidden": 6, "epochs": 3, **config}), take(load_scans(), slice(0, 47))


def recommender(**config: str | int) -> tuple[Task, Examples]:
    sizes = {"items": ITEMS, "dimensions": 4, "recentDimensions": 4, "batch": 16, "rate": "2", "biasRate": "1"}
    return get_task("recommender", {**sizes, **config}), make_histories()


Made = Callable[..., tuple[Task, Examples]]
tasks = pytest.mark.parametrize("make", [digits, recommender])


def train(make: Made, **config: str | int) -> Training:
    task, examples = make(**config)
    return task.train(task.initial_model(1), examples, 9)


@tasks
def test_without_the_term_training_is_as_it_was(make: Made) -> None:
    """The default is off, and a term too small to be seen in float32 gives the same bits as none at all."""
    task, examples = make()
    assert task.config["proximal"] == "0"
    assert train(make, proximal="0").move.tobytes() == train(make).move.tobytes()
    assert train(make, proximal="0.000000000000000001").move.tobytes() == train(make).move.tobytes()
    assert task.count_positions(examples) > 0


@tasks
def test_greater_pull_keeps_the_move_smaller(make: Made) -> None:
    moves = [float(np.linalg.norm(train(make, proximal=amount).move)) for amount in ("0", "0.1", "0.2", "0.5")]
    assert moves == sorted(moves, reverse=True)
    assert moves[-1] < 0.8 * moves[0]


def test_strongest_pull_leaves_one_step() -> None:
    """With μ · rate = 1 every step begins again from the base model: the move is the last step alone."""
    task, scans = digits(proximal="10")
    base = task.initial_model(1)
    plain, _ = digits(epochs=1, batch=4096)
    step = float(np.linalg.norm(plain.train(base, scans, 1).move))
    assert np.linalg.norm(task.train(base, scans, 1).move) < 4 * step


@pytest.mark.parametrize(
    ("make", "config"),
    [
        (digits, {"proximal": "10.1"}),
        (digits, {"proximal": "-1"}),
        (digits, {"proximal": 1}),
        (recommender, {"proximal": "0.51"}),
        (recommender, {"proximal": "0.5", "biasRate": "3"}),
    ],
)
def test_pull_that_would_swing_beyond_the_base_is_refused(make: Made, config: dict[str, str | int]) -> None:
    with pytest.raises(MalformedSpec, match=r"task\.config\.proximal"):
        make(**config)


def test_digits_steps_are_those_of_autograd_with_the_term_in_the_loss() -> None:
    task, scans = digits(proximal="0.7")
    base = task.initial_model(1)
    arrays = {name: torch.tensor(array, requires_grad=True) for name, array in task.layout.unflatten(base).items()}
    anchors = {name: array.detach().clone() for name, array in arrays.items()}
    pixels, labels = torch.tensor(scans["pixels"]) / 16, torch.tensor(scans["labels"])
    generator = np.random.default_rng(9)
    for order in [generator.permutation(47) for _ in range(3)]:
        for start in range(0, 47, 10):
            chosen = torch.tensor(order[start : start + 10])
            inside = torch.tanh(pixels[chosen] @ arrays["dense1"] + arrays["bias1"])
            loss = torch.nn.functional.cross_entropy(inside @ arrays["dense2"] + arrays["bias2"], labels[chosen])
            loss = loss + 0.35 * sum((array - anchors[name]).square().sum() for name, array in arrays.items())
            descend(loss, arrays, dict.fromkeys(arrays, 0.1))
    np.testing.assert_allclose(task.train(base, scans, 9).move, move_of(task, arrays, base), atol=2e-6)


def test_recommender_steps_are_those_of_autograd_with_the_term_in_the_loss() -> None:
    task, histories = recommender(proximal="0.3", steps=3)
    base = task.initial_model(1)
    count = task.count_positions(histories)
    moved = base.astype(np.float64)
    generator = np.random.default_rng(9)
    order = generator.permutation(count)
    rates = task.layout.flatten(
        {"items": np.full((ITEMS, 8), 2, np.float32), "bias": np.ones(ITEMS, np.float32)}
    ).astype(np.float64)
    for start in (0, 16, 32):
        slope = task.objective(histories, order[start : start + 16]).gradient(moved)
        moved -= rates * (slope + 0.3 * (moved - base))
    np.testing.assert_allclose(task.train(base, histories, 9).move, moved - base, atol=2e-5)


def descend(loss: torch.Tensor, arrays: dict[str, torch.Tensor], rates: dict[str, float]) -> None:
    gradients = torch.autograd.grad(loss, list(arrays.values()))
    with torch.no_grad():
        for (name, array), gradient in zip(arrays.items(), gradients, strict=True):
            array.sub_(gradient, alpha=rates[name])


def move_of(task: Task, arrays: dict[str, torch.Tensor], base: Vector32) -> Vector32:
    return task.layout.flatten({name: tensor.detach().numpy() for name, tensor in arrays.items()}) - base
