"""Personal recommendation: which item a viewer watches next, from the items they watched (DESIGN.md §9).

A platform's record is one viewer's list of item numbers, oldest first; items count from 0. An endpoint's request is
`{"history": [item, …], "count": k}`, its answer `{"items": [item, …]}`, best first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Layout, Vector32
from learning.rules import LearningRules
from learning.tasks.config import complete_config
from learning.tasks.proximal import check_proximal
from learning.tasks.recommender import histories as files
from learning.tasks.recommender.evaluation import evaluate
from learning.tasks.recommender.histories import Histories, Memory, Recency
from learning.tasks.recommender.network import Architecture
from learning.tasks.recommender.training import NextItemObjective, Trainer
from learning.tasks.task import Examples, MalformedExamples, Objective, Positions, TaskConfig, Training
from ledger.errors import MalformedSpec
from ledger.spec import Screening

_DEFAULTS: Mapping[str, int | str] = {
    "items": 1682,
    "dimensions": 16,
    "recentDimensions": 16,
    "steps": 8,
    "batch": 64,
    "rate": "8",
    "biasRate": "3",
    "recencyFloor": "0.1",
    "recencyScale": "20",
    "recentScale": "3",
    "spread": "0.15",
    "proximal": "0",
}
_LARGEST: Mapping[str, int] = {
    "items": 1 << 22,
    "dimensions": 1024,
    "recentDimensions": 1024,
    "steps": 10_000,
    "batch": 4096,
}
_MOST_ANSWERS = 1000


_SCREENING: Final = Screening(near_copy_cosine="0.8", near_copy_rounds=3, least_kurtosis="5")
"""Honest nodes: cosines of at most 0.45 with others, kurtoses from 7.4; noise has 3."""


@dataclass(frozen=True, slots=True)
class Recommender:
    """The task bound to a complete configuration."""

    config: Mapping[str, int | str]
    name: str = "recommender"

    @property
    def layout(self) -> Layout:
        """The table `items [items, dimensions + recentDimensions]`, bias `[items]`."""
        return self._architecture.layout

    def suggested_rules(self) -> LearningRules:
        """As measured on MovieLens-100K; screening as in docs/decisions/0026-screening.md."""
        return LearningRules(clip_norm="10", server_rate="3", server_momentum="0.6", screening=_SCREENING)

    def initial_model(self, seed: int) -> Vector32:
        """The table normal, bias zero."""
        generator = np.random.default_rng(seed)
        layout = self.layout
        vector = np.zeros(layout.size, np.float32)
        table = layout.unflatten(vector)["items"]
        table[:] = generator.normal(0.0, float(self.config["spread"]), table.shape)
        return vector

    def read_records(self, records: Sequence[Any]) -> Examples:
        """Examples from one list of item numbers a viewer, oldest first. Raises MalformedExamples."""
        return files.read_records(records, self._items)

    def read_examples(self, content: bytes) -> Examples:
        """Reads an examples file: `items`, `offsets`. Raises MalformedArrays, MalformedExamples."""
        return files.read_examples(content, self._items)

    def write_examples(self, examples: Examples) -> bytes:
        """Writes an examples file."""
        return files.write_examples(examples)

    def count_positions(self, examples: Examples) -> int:
        """All items but the first of every viewer."""
        return int(self._read(examples).find_targets().size)

    def train(self, model: Vector32, examples: Examples, seed: int) -> Training:
        """Trains locally from `model`."""
        rate, bias_rate = float(self.config["rate"]), float(self.config["biasRate"])
        steps, batch = int(self.config["steps"]), int(self.config["batch"])
        trainer = Trainer(self._architecture, steps, batch, rate, bias_rate, float(self.config["proximal"]))
        return trainer.train(model, self._read(examples), seed)

    def objective(self, examples: Examples, positions: Positions) -> Objective:
        """The loss on these positions."""
        return NextItemObjective(self._architecture, self._read(examples), positions)

    def evaluate(self, model: Vector32, examples: Examples, seed: int) -> Mapping[str, float]:
        """Leave-one-out: `hitRate10`, `ndcg10` against 99 unwatched items, `fullHitRate10`, `fullNdcg10` all."""
        return evaluate(self._architecture, model, self._read(examples), seed)

    def score(self, model: Vector32, examples: Examples) -> NDArray[np.float32]:
        """Every item as what each viewer watches next, `[viewers, items]`: −∞ for those already watched."""
        viewers = self._architecture.look_at_whole(self._read(examples))
        return np.asarray(self._architecture.build(model).rank(viewers).numpy())

    def recommend(self, model: Vector32, history: Sequence[int], count: int) -> list[int]:
        """The `count` items to watch next, best first; never one already watched. Raises MalformedExamples."""
        scores = self.score(model, self.read_records([list(history)]))[0]
        best = np.argsort(-scores, kind="stable")[:count]
        return [int(item) for item in best if np.isfinite(scores[item])]

    def predict(self, model: Vector32, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers a request for recommendations. Raises MalformedExamples."""
        history, count = request.get("history"), request.get("count", 10)
        if not isinstance(history, list):
            raise MalformedExamples("request.history", "a list of item numbers, oldest first", history)
        if type(count) is not int or not 1 <= count <= _MOST_ANSWERS:
            raise MalformedExamples("request.count", f"an integer from 1 to {_MOST_ANSWERS}", count)
        return {"items": self.recommend(model, history, count)}

    @property
    def _items(self) -> int:
        return int(self.config["items"])

    @property
    def _architecture(self) -> Architecture:
        lasting = Recency(float(self.config["recencyFloor"]), float(self.config["recencyScale"]))
        passing = Recency(0.0, float(self.config["recentScale"]))
        widths = int(self.config["dimensions"]), int(self.config["recentDimensions"])
        return Architecture(self._items, Memory((lasting, passing)), widths)

    def _read(self, examples: Examples) -> Histories:
        return Histories.of(examples, self._items)


def create(config: TaskConfig) -> Recommender:
    """The task with this configuration. Raises MalformedSpec."""
    complete = complete_config(config, _DEFAULTS, _LARGEST)
    for scale in ("recencyScale", "recentScale"):
        if float(complete[scale]) <= 0.0:
            raise MalformedSpec(f"task.config.{scale}", "a decimal above 0", complete[scale])
    check_proximal(complete, "rate", "biasRate")
    return Recommender(complete)
