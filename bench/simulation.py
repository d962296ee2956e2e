"""Simulated nodes a second: local training of a small network from model to payload, beside a plain torch loop."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from bench.environments import PeerMissing, PeerProcess, python_environment, started
from bench.figures import PER_SECOND, Missing, at_least
from bench.measure import Measurement, alternate, clocked, compare
from bench.report import Report
from learning.payload import write_update
from learning.quantise import quantise
from learning.tasks import Examples, Task, get_task

SAMPLES, BATCH, RATE = 100, 10, 0.1
CLIP = 10 << 12
# Widths of the hidden layer: 64–32–10 with 2,410 parameters, and the one that comes to about 101,770.
WIDTHS = (32, 1357)


def run(report: Report) -> None:
    """Both sizes beside a plain loop on one core, then the small one beside Flower on all cores."""
    for hidden in WIDTHS:
        task = get_task("digits", {"hidden": hidden, "epochs": 1, "batch": BATCH, "rate": str(RATE)})
        nodes = draw_nodes(20 if report.quick else 100)
        turns = 3 if report.quick else 7
        report.say(f"{task.layout.size} parameters, {turns} turns of {len(nodes)} nodes")
        ours, theirs = compare(
            count_nodes(partial(train_nodes, task, nodes), len(nodes)),
            {"plain torch loop": count_nodes(partial(train_by_torch, hidden, nodes), len(nodes))},
            turns,
        )
        report.add(
            f"simulated nodes, network of {task.layout.size:,} parameters", PER_SECOND, ours, peers=theirs,
            bar=at_least(500), bound="a dozen array operations a step and their start-up",
            how=f"{SAMPLES} samples, one epoch of batch {BATCH}, model to payload, one thread; seconds of a core, "
            f"median of {turns} turns of {len(nodes)}",
        )  # fmt: skip

    measure_flower(report)


def measure_flower(report: Report) -> None:
    """By the clock on the wall: Flower's actors work on every core, our nodes on one."""
    task = get_task("digits", {"hidden": WIDTHS[0], "epochs": 1, "batch": BATCH, "rate": str(RATE)})
    nodes, rounds = draw_nodes(20 if report.quick else 100), 3 if report.quick else 6
    ours = alternate({"ours": clocked(lambda: train_nodes(task, nodes))}, rounds)["ours"]
    report.say(f"Flower's simulation on Ray, {rounds} rounds of {len(nodes)} clients")
    with started(python_environment, "flower-ray", "flower_ray.py", report) as flower:
        theirs = _simulate(flower, len(nodes), rounds)
    report.add(
        "simulated nodes beside Flower on Ray", PER_SECOND, len(nodes) / ours, peers={"Flower + Ray": theirs},
        how=f"{task.layout.size:,} parameters, the same NumPy steps on both sides; clock on the wall, one core against "
        f"all, median of {rounds} rounds of {len(nodes)}, the peer's first round (starting actors) left out",
    )  # fmt: skip


def _simulate(flower: PeerProcess | Missing, nodes: int, rounds: int) -> float | Missing:
    if isinstance(flower, Missing):
        return flower
    try:
        seconds: list[float] = flower.call("simulate", hidden=WIDTHS[0], nodes=nodes, rounds=1 + rounds)
    except PeerMissing as error:
        return Missing(error.reason)
    return nodes / median(seconds[1:])


def draw_nodes(count: int) -> list[Examples]:
    """Scans of noise with labels of chance: as much work as real ones."""
    generator = np.random.default_rng(3)
    return [
        {
            "pixels": generator.integers(0, 17, (SAMPLES, 64)).astype(np.float32),
            "labels": generator.integers(0, 10, SAMPLES),
        }
        for _ in range(count)
    ]


def train_nodes(task: Task, nodes: Sequence[Examples]) -> int:
    """What a node does between an assignment and its contribution; bytes of all payloads."""
    model = task.initial_model(1)
    trained = (task.train(model, examples, seed) for seed, examples in enumerate(nodes))
    return sum(len(write_update(quantise(training.move, 12, CLIP))) for training in trained)


def train_by_torch(hidden: int, nodes: Sequence[Examples]) -> int:
    """The same learning as tutorials write it: a copy of the model, a loader, an optimiser; the move as float32."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    base = torch.nn.Sequential(torch.nn.Linear(64, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 10))
    size = 0
    for examples in nodes:
        model = copy.deepcopy(base)
        optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
        scans = TensorDataset(torch.tensor(examples["pixels"]) / 16, torch.tensor(examples["labels"]))
        for pixels, labels in DataLoader(scans, batch_size=BATCH, shuffle=True):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(pixels), labels).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        before = base.state_dict()
        size += sum((tensor - before[name]).numpy().nbytes for name, tensor in model.state_dict().items())
    torch.set_num_threads(threads)
    return size


def count_nodes(work: Callable[[], int], count: int) -> Measurement:
    """Nodes a second of a core."""

    def measure() -> float:
        begun = time.process_time()
        assert work() > 0
        return count / (time.process_time() - begun)

    return measure
