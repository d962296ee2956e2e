"""MovieLens-100K as arrays: histories, and which viewers have a taste in common. Prepared once, read anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

TASTES = 10
_DEPTH = 16


@dataclass(frozen=True)
class Viewers:
    """What each viewer watched, oldest first, in a catalogue of `catalogue` items; the cluster of each, `[v]`."""

    histories: Sequence[NDArray[np.int64]]
    tastes: NDArray[np.int64]
    catalogue: int

    @classmethod
    def of(cls, histories: Sequence[NDArray[np.int64]], catalogue: int) -> "Viewers":
        """Groups viewers by taste: ten means in the 16 first singular directions of who watched what."""
        watched = np.zeros((len(histories), catalogue))
        for row, history in zip(watched, histories, strict=True):
            row[history] = len(history) ** -0.5
        watched -= watched.mean(0)
        left, sizes, _ = np.linalg.svd(watched, full_matrices=False)
        means = KMeans(TASTES, n_init=10, random_state=1).fit(left[:, :_DEPTH] * sizes[:_DEPTH])
        return cls(histories, means.labels_.astype(np.int64), catalogue)

    def save(self, path: Path) -> None:
        """Writes an .npz file."""
        offsets = np.cumsum([0, *map(len, self.histories)], dtype=np.int64)
        items = np.concatenate(self.histories)
        np.savez_compressed(path, items=items, offsets=offsets, tastes=self.tastes, catalogue=self.catalogue)

    @classmethod
    def load(cls, path: Path) -> "Viewers":
        """Reads what `save` wrote."""
        with np.load(path) as arrays:
            histories = np.split(arrays["items"], arrays["offsets"][1:-1])
            return cls(histories, arrays["tastes"], int(arrays["catalogue"]))


def prepare(cache: Path) -> Path:
    """The prepared file in `cache`, made on first use from the data set as the demo fetches it."""
    # What fetches needs packages that what plays must not ask for.
    from bench.recommendation.views import Views  # noqa: PLC0415

    path = cache / "movielens-histories.npz"
    if not path.is_file():
        views = Views.of_movielens(cache)
        Viewers.of(views.histories, views.items).save(path)
    return path
