"""What to beat: popularity, item-kNN, and EASE (H. Steck, WWW 2019, arXiv:1905.03375), all in closed form."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.recommendation.ranking import Scorer
from bench.recommendation.views import History

Matrix = NDArray[np.float64]


def lay_out(histories: Sequence[History], items: int) -> Matrix:
    """A row of zeros and ones for each viewer, `[v, items]`."""
    rows = np.zeros((len(histories), items))
    for row, history in enumerate(histories):
        rows[row, history] = 1.0
    return rows


def count_pairs(histories: Sequence[History], items: int) -> NDArray[np.int64]:
    """How many viewers watched both, `[items, items]`: a sum over viewers, in integers."""
    rows = lay_out(histories, items)
    return np.rint(rows.T @ rows).astype(np.int64)


def popularity(histories: Sequence[History], items: int) -> Scorer:
    """An item's number of viewers, whoever asks."""
    counts = np.bincount(np.concatenate(histories), minlength=items).astype(np.float64)
    return lambda given: np.broadcast_to(counts, (len(given), items))


def item_knn(histories: Sequence[History], items: int, neighbours: int) -> Scorer:
    """The sum of cosine similarities to the watched items among each item's nearest ones."""
    pairs = count_pairs(histories, items).astype(np.float64)
    norms = np.sqrt(np.maximum(1.0, np.diag(pairs)))
    similar = pairs / norms[:, None] / norms
    np.fill_diagonal(similar, 0.0)
    if neighbours < items:
        least = np.partition(similar, items - neighbours, axis=0)[items - neighbours]
        similar[similar < least] = 0.0
    return lambda given: lay_out(given, items) @ similar


def ease(histories: Sequence[History], items: int, penalty: float) -> Scorer:
    """The best linear item-to-item model without a diagonal."""
    return ease_from_pairs(count_pairs(histories, items), penalty)


def ease_from_pairs(pairs: NDArray[np.int64], penalty: float) -> Scorer:
    """EASE needs nothing but the counts of pairs, `[items, items]`."""
    items = len(pairs)
    inverse = np.linalg.inv(pairs + penalty * np.eye(items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return lambda given: lay_out(given, items) @ weights
