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
    starts = range(0, len(question.given), _CHUNK)
    ranks = [_rank(scorer(question.given[start : start + _CHUNK]), question, start) for start in starts]
    return _describe(ranks)


def measure_each(score: Callable[[int], NDArray[np.floating]], question: Question) -> Quality:
    """The same where every viewer has a model of their own: `score(v)` is what it says of every item, `[items]`."""
    return _describe([_rank(score(viewer)[None], question, viewer) for viewer in range(len(question.given))])


def average(qualities: Sequence[Quality]) -> Quality:
    """The mean over seeds."""
    return Quality(*np.mean([astuple(quality) for quality in qualities], axis=0).tolist())


def _rank(scores: NDArray[np.floating], question: Question, start: int) -> NDArray[np.int64]:
    """How many of the negatives, and of all items not watched before, come before the target: `[rows, 2]`."""
    ranks = []
    for viewer, row in enumerate(scores, start):
        target = question.targets[viewer]
        above = row >= row[target]
        among_negatives = np.count_nonzero(above[question.negatives[viewer]])
        above[question.given[viewer]] = above[target] = False
        ranks.append((among_negatives, np.count_nonzero(above)))
    return np.array(ranks)


def _describe(parts: Sequence[NDArray[np.int64]]) -> Quality:
    ranks = np.concatenate(parts)
    hits = (ranks < DEPTH).mean(0).tolist()
    gains = np.where(ranks < DEPTH, 1.0 / np.log2(ranks + 2.0), 0.0).mean(0).tolist()
    return Quality(hits[0], gains[0], hits[1], gains[1])
