"""Hit rate and NDCG at 10: the target against 99 items never watched, and against all that was not watched before."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from bench.recommendation.views import History, Question

Scorer = Callable[[Sequence[History]], NDArray[np.floating]]
"""Scores `[v, items]` of every item as each viewer's next; what it says of watched items is not read."""

DEPTH = 10
_CHUNK = 256


@dataclass(frozen=True)
class Quality:
    """Means over viewers; `full_…` rank among the whole catalogue."""

    hit_rate: float
    ndcg: float
    full_hit_rate: float
    full_ndcg: float

    def __str__(self) -> str:
        return " ".join(f"{value:.4f}" for value in astuple(self))


def measure(scorer: Scorer, question: Question) -> Quality:
    """Ranks every viewer's target. Ties count against it, else a method that says nothing would seem perfect."""
    sampled, full = [], []
    for start in range(0, len(question.given), _CHUNK):
        given = question.given[start : start + _CHUNK]
        scores = scorer(given)
        for row, history in enumerate(given):
            target = question.targets[start + row]
            above = scores[row] >= scores[row, target]
            sampled.append(np.count_nonzero(above[question.negatives[start + row]]))
            above[history] = above[target] = False
            full.append(np.count_nonzero(above))
    return Quality(*_describe(np.array(sampled)), *_describe(np.array(full)))


def average(qualities: Sequence[Quality]) -> Quality:
    """The mean over seeds."""
    return Quality(*np.mean([astuple(quality) for quality in qualities], axis=0).tolist())


def _describe(ranks: NDArray[np.int64]) -> tuple[float, float]:
    found = ranks < DEPTH
    return float(found.mean()), float(np.where(found, 1.0 / np.log2(ranks + 2.0), 0.0).mean())
