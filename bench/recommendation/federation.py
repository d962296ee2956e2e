"""Federated training in this process, by the product's own code: local training, quantising, screening, rounds."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.recommendation.ranking import Scorer
from bench.recommendation.views import History, Views
from bench.scoring.payloads import Payloads
from client.demo.viewers import deal_viewers
from learning.parameters import Vector32
from learning.quantise import Update, quantise
from learning.round import RoundInputs, RoundOutcome, run_round
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Objective, Positions, Task
from learning.tasks.recommender import Recommender


@dataclass(frozen=True)
class Federation:
    """A job without a network: `nodes` hold examples, `validation` decides when the server's rate is halved.

    Attributes:
        cohort: how many nodes take part in a round; everyone has had a turn before anyone has another.
    """

    task: Recommender
    rules: LearningRules
    nodes: Sequence[Examples]
    validation: Examples
    cohort: int
    seed: int

    def run(self, rounds: int) -> Iterator[RoundOutcome]:
        """One outcome a round, from the task's initial model."""
        model = self.task.initial_model(self.seed)
        state = RoundState.initial(model.size, self.rules, self.task.count_positions(self.validation))
        turns = self._take_turns()
        payloads = Payloads(self.rules.screening.window)
        for number in range(1, rounds + 1):
            beacon = hashlib.sha256(f"beacon {self.seed} {number}".encode()).digest()
            inputs = RoundInputs(self.task, self.rules, model, state, self.validation, beacon, (), payloads.read)
            chosen = [next(turns) for _ in range(self.cohort)]
            revealed = payloads.reveal([self._train(inputs, node, number) for node in chosen], chosen)
            outcome = run_round(replace(inputs, contributions=revealed))
            model, state = outcome.model, outcome.state
            yield outcome

    def _train(self, inputs: RoundInputs, node: int, number: int) -> Update:
        seed = int.from_bytes(hashlib.sha256(f"{self.seed} {number} {node}".encode()).digest()[:8], "big")
        training = self.task.train(inputs.base, self.nodes[node], seed)
        return quantise(training.move, self.rules.fraction_bits, inputs.state.clip)

    def _take_turns(self) -> Iterator[int]:
        generator = np.random.default_rng(self.seed)
        waiting: list[int] = []
        while True:
            if len(waiting) < self.cohort:
                # Who still waits comes first; nobody twice in a round.
                fresh = [node for node in generator.permutation(len(self.nodes)).tolist() if node not in waiting]
                waiting = waiting + fresh
            turn, waiting = waiting[: self.cohort], waiting[self.cohort :]
            yield from turn


class LastPositions(Recommender):
    """The recommender with its loss on every viewer's last item alone: where all viewers train, that is left."""

    def count_positions(self, examples: Examples) -> int:
        """The viewers with at least two items."""
        return int(find_last_positions(examples).size)

    def objective(self, examples: Examples, positions: Positions) -> Objective:
        """The loss on these viewers' last items."""
        return Recommender.objective(self, examples, find_last_positions(examples)[positions])


def find_last_positions(examples: Examples) -> Positions:
    """The number of each viewer's last position; positions are all items but each viewer's first."""
    lengths = np.diff(examples["offsets"])
    return np.asarray(np.cumsum(np.maximum(0, lengths - 1))[lengths > 1] - 1)


def deal_nodes(views: Views, histories: Sequence[History], nodes: int, task: Task) -> list[Examples]:
    """The viewers' histories on so many nodes, of similar sizes; as many nodes as viewers gives each its own."""
    number = {viewer: row for row, viewer in enumerate(views.viewers)}
    if nodes == len(number):
        return [task.read_records([history.tolist()]) for history in histories]
    piles = deal_viewers({viewer: len(views.histories[row]) for viewer, row in number.items()}, nodes)
    return [task.read_records([histories[number[viewer]].tolist() for viewer in pile]) for pile in piles]


def score_with(task: Recommender, model: Vector32) -> Scorer:
    """What the model says of every item as the next one."""
    return lambda given: task.score(model, task.read_records([history.tolist() for history in given]))
