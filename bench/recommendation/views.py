"""Who watched what, in which order: MovieLens-100K, or any CSV of (viewer, item, time)."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from client.demo.movielens import locate_files
from client.demo.platform.catalogue import Catalogue

History = NDArray[np.int64]
"""One viewer's item numbers, oldest first, each once."""

FEWEST = 4
"""The last item is tested, the one before validates, and a node needs a position to train on: an item after another."""


class MalformedViews(ValueError):
    """A file is not a table of (viewer, item, time)."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(
            f"{path.name}, line {line}: {problem}; expected a CSV with the columns viewer, item and time (a number)"
        )


@dataclass(frozen=True)
class Views:
    """Histories of viewers over a catalogue of `items` items; `name` says where they are from."""

    name: str
    viewers: Sequence[str]
    histories: Sequence[History]
    items: int

    @classmethod
    def of_movielens(cls, cache: Path) -> "Views":
        """MovieLens-100K as the demo's platform serves it. Raises DataUnavailable."""
        catalogue = Catalogue.load(locate_files(cache, None))
        histories = [np.array([event.item for event in events]) for events in catalogue.events.values()]
        return cls("MovieLens-100K", list(catalogue.events), histories, len(catalogue.titles))

    @classmethod
    def of_csv(cls, path: Path) -> "Views":
        """Views of a CSV, in order of time; those of the same time keep the file's order.

        Of an item watched again the first view counts: the question is what a viewer watches that they do not know.
        Viewers with fewer than four items are left out.

        Raises:
            MalformedViews: a row lacks a column, a time is no number, or no viewer has four items.
        """
        rows = sorted(_read_rows(path), key=lambda row: row[2])
        numbers = {item: number for number, item in enumerate(sorted({item for _, item, _ in rows}))}
        watched: dict[str, dict[int, None]] = {}
        for viewer, item, _ in rows:
            watched.setdefault(viewer, {}).setdefault(numbers[item])
        kept = {viewer: np.array(list(items)) for viewer, items in watched.items() if len(items) >= FEWEST}
        if not kept:
            raise MalformedViews(path, 1, f"no viewer has {FEWEST} different items")
        return cls(path.name, list(kept), list(kept.values()), len(numbers))


@dataclass(frozen=True)
class Question:
    """What each viewer watches after `given`: `targets [v]`; `negatives` are items nobody may have shown a model.

    A viewer's negatives are drawn among what they never watched, in their whole history: none is the target, a later
    item, or one from which anything was learned about this viewer.
    """

    given: Sequence[History]
    targets: NDArray[np.int64]
    negatives: Sequence[NDArray[np.int64]]


def cut_last(histories: Iterable[History], items: int) -> list[History]:
    """The histories without their last `items` items: all that a method may learn from."""
    return [history[: history.size - items] for history in histories]


def ask(views: Views, back: int, negatives: int = 99, seed: int = 1) -> Question:
    """The question for the item `back` places from the end: 1 is the test, 2 the validation."""
    generator = np.random.default_rng(seed)
    catalogue = np.arange(views.items)
    drawn = [
        np.sort(generator.permutation(np.setdiff1d(catalogue, history))[:negatives]) for history in views.histories
    ]
    targets = np.array([history[-back] for history in views.histories])
    return Question(cut_last(views.histories, back), targets, drawn)


def _read_rows(path: Path) -> list[tuple[str, str, float]]:
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.reader(file), start=1):
            if line == 1 and [name.strip().lower() for name in row[:3]] == ["viewer", "item", "time"]:
                continue
            if len(row) < 3:
                raise MalformedViews(path, line, f"{len(row)} columns")
            try:
                rows.append((row[0], row[1], float(row[2])))
            except ValueError:
                raise MalformedViews(path, line, f"the time {row[2]!r}") from None
    return rows
