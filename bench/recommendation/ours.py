"""Our recommender as a subject of measurement: federated, as its centralised twin, and each viewer alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from bench.recommendation.federation import Federation, LastPositions, deal_nodes, score_with
from bench.recommendation.ranking import Quality, measure, measure_each
from bench.recommendation.views import Views, ask, cut_last
from learning.rules import LearningRules
from learning.tasks.recommender import Recommender, create

MOST_NODES = 200
SAMPLES_A_NODE = 500


@dataclass(frozen=True)
class Setting:
    """What is varied: the task's configuration, the rules, how many rounds, and how many nodes take part in each.

    Attributes:
        single: every viewer is a node of its own.
        cohort: nodes in a round; 0 for all.
    """

    config: Mapping[str, int | str] = field(default_factory=dict)
    server_rate: str | None = None
    server_momentum: str | None = None
    rounds: int = 18
    single: bool = False
    cohort: int = 0

    def build_task(self, items: int) -> Recommender:
        """The task, with its loss on last positions."""
        return LastPositions(create({"items": items, **self.config}).config)

    def build_rules(self, task: Recommender) -> LearningRules:
        """The task's own rules, or with another rate or momentum."""
        rules = task.suggested_rules()
        return replace(
            rules,
            server_rate=self.server_rate or rules.server_rate,
            server_momentum=self.server_momentum or rules.server_momentum,
        )


@dataclass(frozen=True)
class Trained:
    """Quality on the validation item and on the test item, and how often the server's rate was halved."""

    validation: Quality
    test: Quality
    halvings: int


def build_federation(views: Views, setting: Setting, seed: int) -> Federation:
    """Nodes with all but the last two items of every viewer; the item before the last decides halvings."""
    task = setting.build_task(views.items)
    nodes = deal_nodes(views, cut_last(views.histories, 2), count_nodes(views, setting), task)
    validation = task.read_records([history.tolist() for history in cut_last(views.histories, 1)])
    cohort = min(setting.cohort or len(nodes), len(nodes))
    return Federation(task, setting.build_rules(task), nodes, validation, cohort, seed)


def train_federated(views: Views, setting: Setting, seed: int) -> Trained:
    """Trains over the nodes, round by round."""
    torch.set_num_threads(1)
    federation = build_federation(views, setting, seed)
    outcomes = [(outcome.halvings, outcome.model) for outcome in federation.run(setting.rounds)]
    scorer = score_with(federation.task, outcomes[-1][1])
    return Trained(
        measure(scorer, ask(views, 2)), measure(scorer, ask(views, 1)), sum(halvings for halvings, _ in outcomes)
    )


def train_centrally(views: Views, setting: Setting, passes: int, seed: int) -> Trained:
    """The same network and gradient descent with all histories in one place."""
    torch.set_num_threads(1)
    task = setting.build_task(views.items)
    everything = task.read_records([history.tolist() for history in cut_last(views.histories, 2)])
    model = task.initial_model(seed)
    for number in range(passes):
        model = model + task.train(model, everything, seed * 1_000 + number).move
    scorer = score_with(task, model)
    return Trained(measure(scorer, ask(views, 2)), measure(scorer, ask(views, 1)), 0)


def train_alone(views: Views, setting: Setting, seed: int) -> Quality:
    """Every viewer trains for themselves, from the same initial model: what is left to chance without the others."""
    torch.set_num_threads(1)
    task = setting.build_task(views.items)
    initial, known = task.initial_model(seed), cut_last(views.histories, 2)
    question = ask(views, 1)

    def score(viewer: int) -> NDArray[np.float32]:
        model, own = initial, task.read_records([known[viewer].tolist()])
        for number in range(setting.rounds):
            model = model + task.train(model, own, number).move
        row: NDArray[np.float32] = task.score(model, task.read_records([question.given[viewer].tolist()]))[0]
        return row

    return measure_each(score, question)


def count_nodes(views: Views, setting: Setting) -> int:
    """One a viewer, or as many as hold about 500 samples each, 200 at most."""
    if setting.single:
        return len(views.histories)
    samples = sum(history.size for history in views.histories)
    return max(1, min(MOST_NODES, len(views.histories), samples // SAMPLES_A_NODE))
