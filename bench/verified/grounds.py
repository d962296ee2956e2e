"""Nodes with their data: digits and MovieLens-100K, spread evenly or by Dirichlet shares.

Digits are spread by label, viewers by taste. Evenly means that a node's scans or viewers are a random draw from all:
MovieLens is never independent and identically distributed over viewers, but so it is over nodes.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from bench.verified.cells import DIGITS, IID
from bench.verified.histories import Viewers
from learning.tasks import Examples, Task, get_task

_SCANS, _VIEWERS = 300, 120  # of the validation set
_HOLDOUT_SCANS, _HOLDOUT_VIEWERS = 400, 200
_FEWEST_SCANS, _FEWEST_VIEWERS = 20, 1


@dataclass(frozen=True)
class Ground:
    """A task, what each node has, what decides pay, what is only reported and the metric's name there."""

    task: Task
    nodes: Sequence[Examples]
    validation: Examples
    holdout: Examples
    metric: str

    def choose_clip(self) -> str:
        """The first round's norm bound, as the later ones are chosen: 1.25 of the median of honest updates' norms.

        A requester learns it from one training of a few nodes. A wider bound lets a scaled update earn as much more.
        """
        base = self.task.initial_model(1)
        norms = [float(np.sqrt(np.sum(self.task.train(base, own, 1).move ** 2))) for own in self.nodes]
        return f"{1.25 * float(np.median(norms)):.2f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=8)
def choose_clip(data: str, distribution: str, nodes: int, seed: int, path: Path | None) -> str:
    """The first norm bound on the ground of a cell, found once."""
    return lay_out(data, distribution, nodes, seed, path).choose_clip()


@lru_cache(maxsize=8)
def lay_out(data: str, distribution: str, nodes: int, seed: int, path: Path | None) -> Ground:
    """The ground of a cell; `path` is the prepared file, for MovieLens only."""
    generator = np.random.default_rng([seed, nodes])
    if data == DIGITS:
        return _lay_out_digits(distribution, nodes, generator)
    if path is None:
        raise ValueError("expected the prepared file of MovieLens-100K (--data FILE), got none")
    return _lay_out_viewers(Viewers.load(path), distribution, nodes, generator)


def _lay_out_digits(distribution: str, nodes: int, generator: np.random.Generator) -> Ground:
    scans = load_digits()
    order = generator.permutation(len(scans.target))
    examples = {"pixels": scans.data[order].astype(np.float32), "labels": scans.target[order].astype(np.int64)}
    training = np.arange(_SCANS + _HOLDOUT_SCANS, len(order))
    piles = _deal(distribution, examples["labels"][training], np.ones(training.size), nodes, generator)
    return Ground(
        get_task("digits"),
        [_take(examples, training[pile]) for pile in _top_up(piles, _FEWEST_SCANS)],
        _take(examples, np.arange(_SCANS)),
        _take(examples, np.arange(_SCANS, _SCANS + _HOLDOUT_SCANS)),
        "accuracy",
    )


def _lay_out_viewers(viewers: Viewers, distribution: str, nodes: int, generator: np.random.Generator) -> Ground:
    task = get_task("recommender", {"items": viewers.catalogue})
    validation, holdout, training = np.split(
        generator.permutation(len(viewers.histories)), [_VIEWERS, _VIEWERS + _HOLDOUT_VIEWERS]
    )
    sizes = np.array([len(viewers.histories[viewer]) for viewer in training])
    piles = _deal(distribution, viewers.tastes[training], sizes, nodes, generator)

    def read(chosen: NDArray[np.int64]) -> Examples:
        return task.read_records([viewers.histories[viewer].tolist() for viewer in chosen])

    dealt = [read(training[pile]) for pile in _top_up(piles, _FEWEST_VIEWERS)]
    return Ground(task, dealt, read(validation), read(holdout), "hitRate10")


def _deal(
    distribution: str,
    kinds: NDArray[np.int64],
    sizes: NDArray[Any],
    nodes: int,
    generator: np.random.Generator,
) -> list[list[int]]:
    """Places in `kinds` for each node: by size alone, or by Dirichlet shares of each kind."""
    if distribution == IID:
        return _deal_evenly(sizes, nodes, generator)
    concentration = float(distribution.removeprefix("dirichlet-"))
    piles: list[list[int]] = [[] for _ in range(nodes)]
    for kind in np.unique(kinds):
        places = generator.permutation(np.flatnonzero(kinds == kind))
        shares = generator.dirichlet(np.full(nodes, concentration))
        cuts = np.round(np.cumsum(shares)[:-1] * places.size).astype(int)
        for pile, part in zip(piles, np.split(places, cuts), strict=True):
            pile.extend(part.tolist())
    return piles


def _deal_evenly(sizes: NDArray[Any], nodes: int, generator: np.random.Generator) -> list[list[int]]:
    """The largest first, to the node that has least: equal totals, nothing else in common."""
    order = generator.permutation(sizes.size)
    heap = [(0.0, node) for node in range(nodes)]
    piles: list[list[int]] = [[] for _ in range(nodes)]
    for place in order[np.argsort(-sizes[order], kind="stable")].tolist():
        total, node = heapq.heappop(heap)
        piles[node].append(place)
        heapq.heappush(heap, (total + float(sizes[place]), node))
    return piles


def _top_up(piles: Sequence[list[int]], fewest: int) -> list[NDArray[np.int64]]:
    """Nobody takes part with nothing: the largest piles give to those below `fewest`."""
    for pile in piles:
        while len(pile) < fewest:
            pile.append(max(piles, key=len).pop())
    return [np.array(pile, np.int64) for pile in piles]


def _take(examples: Mapping[str, NDArray[Any]], chosen: NDArray[np.int64]) -> Examples:
    return {name: array[chosen] for name, array in examples.items()}
