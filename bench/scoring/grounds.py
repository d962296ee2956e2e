"""Where the scores are tried: digits on ten nodes, and the recommender's two hundred nodes in ten groups."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from bench.recommendation.views import Views
from bench.scoring.game import Game
from bench.scoring.payloads import Payloads
from client.demo.viewers import deal_viewers, split_viewers
from learning.parameters import Vector32
from learning.quantise import Update, quantise
from learning.round import RoundInputs, run_round
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task, get_task

_NODES, _GROUPS = 200, 10
_VALIDATION_SCANS = 600
_VALIDATION_VIEWERS = _HOLDOUT_VIEWERS = 120


@dataclass(frozen=True)
class Ground:
    """A task with nodes and a validation set."""

    task: Task
    rules: LearningRules
    nodes: Sequence[Examples]
    validation: Examples

    def train(self, base: Vector32, clip: int, seed: int, nodes: int | None = None) -> list[Update]:
        """The updates of the first so many nodes, or of all."""
        working = self.nodes[:nodes]
        moves = [self.task.train(base, own, seed * 1_000 + node).move for node, own in enumerate(working)]
        return [quantise(move, self.rules.fraction_bits, clip) for move in moves]

    def play(self, rounds: int, groups: int, positions: int) -> Game:
        """The game of the step after so many rounds of training, on this many positions.

        The step is the mean of that round's updates, without the momentum of the rounds before: that has no player.
        """
        count = self.task.count_positions(self.validation)
        base = self.task.initial_model(1)
        state = RoundState.initial(base.size, self.rules, count)
        payloads = Payloads(self.rules.screening.window)
        for number in range(1, rounds + 1):
            updates = self.train(base, state.clip, number)
            revealed = payloads.reveal(updates, range(len(updates)))
            beacon = hashlib.sha256(f"{number}".encode()).digest()
            inputs = RoundInputs(self.task, self.rules, base, state, self.validation, beacon, revealed, payloads.read)
            outcome = run_round(inputs)
            base, state = outcome.model, outcome.state
        chosen = np.sort(np.random.default_rng(1).permutation(count)[:positions])
        updates = self.train(base, state.clip, rounds + 1)
        players = np.array_split(np.arange(len(updates)), groups)
        return Game(
            self.task.objective(self.validation, chosen),
            base,
            updates,
            [player.tolist() for player in players],
            self.rules.rate,
            self.rules.fraction_bits,
        )


def lay_out_digits(concentration: float, seed: int, nodes: int = _GROUPS) -> Ground:
    """Scikit-learn's scans on so many nodes by Dirichlet shares of each label; plain averaging, η = 1."""
    task = get_task("digits")
    scans = load_digits()
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(scans.target))
    examples = {
        "pixels": scans.data[order].astype(np.float32),
        "labels": scans.target[order].astype(np.int64),
    }
    training = np.arange(_VALIDATION_SCANS, len(order))
    piles = _deal(examples["labels"][training], concentration, generator, nodes)
    rules = replace(task.suggested_rules(), server_rate="1", server_momentum="0")
    shares = [_take(examples, training[pile]) for pile in piles]
    return Ground(task, rules, shares, _take(examples, np.arange(_VALIDATION_SCANS)))


def lay_out_recommender(cache: Path, seed: int = 1, nodes: int = _NODES) -> Ground:
    """MovieLens-100K as the demo deals it: training viewers on so many nodes, validation viewers on none."""
    views = Views.of_movielens(cache)
    task = get_task("recommender", {"items": views.items})
    numbers = {viewer: number for number, viewer in enumerate(views.viewers)}
    split = split_viewers(views.viewers, seed, _VALIDATION_VIEWERS, _HOLDOUT_VIEWERS)
    sizes = {viewer: len(views.histories[numbers[viewer]]) for viewer in split.training}

    def read(viewers: Sequence[str]) -> Examples:
        return task.read_records([views.histories[numbers[viewer]].tolist() for viewer in viewers])

    shares = [read(pile) for pile in deal_viewers(sizes, nodes)]
    return Ground(task, task.suggested_rules(), shares, read(split.validation))


def _deal(
    labels: NDArray[np.int64], concentration: float, generator: np.random.Generator, nodes: int
) -> Sequence[NDArray[np.int64]]:
    """Places in `labels` for each node, by Dirichlet shares of each label."""
    piles: list[list[int]] = [[] for _ in range(nodes)]
    for label in range(10):
        places = np.flatnonzero(labels == label)
        shares = generator.dirichlet(np.full(nodes, concentration))
        cuts = np.round(np.cumsum(shares)[:-1] * places.size).astype(int)
        for pile, part in zip(piles, np.split(places, cuts), strict=True):
            pile.extend(part.tolist())
    return [np.array(pile, np.int64) for pile in piles]


def _take(examples: Mapping[str, NDArray[np.generic]], chosen: NDArray[np.int64]) -> Examples:
    return {name: array[chosen] for name, array in examples.items()}
