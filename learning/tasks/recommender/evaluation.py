"""Leave-one-out ranking: each viewer's last item against 99 items they never watched, and against all of those."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from learning.parameters import Vector32
from learning.tasks.recommender.histories import Histories
from learning.tasks.recommender.network import Architecture

_NEGATIVES = 99
_DEPTH = 10
_CHUNK = 512


def evaluate(architecture: Architecture, model: Vector32, histories: Histories, seed: int) -> dict[str, float]:
    """Hit rate and NDCG at 10, sampled and full, over viewers with at least two items; empty without any.

    Negatives are drawn among what a viewer never watched, the target included in that rule, so none can be a test item
    of theirs.
    """
    lasts = histories.find_lasts()
    if lasts.size == 0:
        return {}
    generator, network = np.random.default_rng(seed), architecture.build(model)
    sampled, full = [], []
    for start in range(0, lasts.size, _CHUNK):
        chosen = lasts[start : start + _CHUNK]
        scores = network.rank(architecture.look_at(histories, chosen, torch.float32)).numpy()
        for row, target in enumerate(histories.items[chosen].tolist()):
            others = np.isfinite(scores[row])
            others[target] = False
            candidates = np.flatnonzero(others)
            drawn = generator.permutation(candidates)[:_NEGATIVES]
            full.append(_find_rank(scores[row], target, candidates))
            sampled.append(_find_rank(scores[row], target, drawn))
    return {
        **_describe("hitRate10", "ndcg10", np.array(sampled)),
        **_describe("fullHitRate10", "fullNdcg10", np.array(full)),
    }


def _find_rank(scores: NDArray[np.float32], target: int, others: NDArray[np.int64]) -> int:
    # Ties count against the target, else a model that says the same of everything would seem perfect.
    return int(np.count_nonzero(scores[others] >= scores[target]))


def _describe(hits: str, gain: str, ranks: NDArray[np.int64]) -> dict[str, float]:
    found = ranks < _DEPTH
    gains = np.where(found, 1.0 / np.log2(ranks + 2.0), 0.0)
    return {hits: float(found.mean()), gain: float(gains.mean())}
