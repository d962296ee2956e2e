"""Accepted updates on their way into the sum: added at once for the mean, held for rules that need all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from learning.aggregate import Accumulator
from learning.parameters import Vector64
from learning.quantise import Update
from learning.robust.choice import combine_held
from learning.robust.combination import Combination, Contributed
from learning.robust.held import HeldUpdates
from learning.robust.trusted import Guide
from learning.rules import MEAN, LearningRules
from learning.screening.screen import Screened


class Gathering(Protocol):
    """Takes a round's accepted updates one at a time, then combines them by the job's rule."""

    def add(self, screened: Screened, weight: int, read: Callable[[], Update]) -> None:
        """Takes an accepted update; `read` reads it once more."""

    def combine(self, momentum: Vector64, guide: Guide | None = None) -> Combination:
        """Combines at least one update; places count in the order of `add`. `momentum [n]` is the round's before."""


def gather(rules: LearningRules, size: int) -> Gathering:
    """What the job's aggregation rule needs, for updates of `size` parameters."""
    return _MeanGathering(size) if rules.aggregation_rule == MEAN else _HeldGathering(rules, size)


class _MeanGathering:
    """One accumulator and one update in memory; contributions are read again."""

    def __init__(self, size: int) -> None:
        self._sums = Accumulator(size)
        self._taken: list[tuple[Callable[[], Update], int]] = []

    def add(self, screened: Screened, weight: int, read: Callable[[], Update]) -> None:
        if screened.update is not None:
            self._sums.add(screened.update, weight)
            self._taken.append((read, weight))

    def combine(self, momentum: Vector64, guide: Guide | None = None) -> Combination:  # noqa: ARG002 -- it needs neither
        return Combination(self._sums.sum(), self._sums.weight, self._contribute)

    def _contribute(self) -> Iterator[Contributed]:
        for place, (read, weight) in enumerate(self._taken):
            yield Contributed(place, read(), weight)


class _HeldGathering:
    def __init__(self, rules: LearningRules, size: int) -> None:
        self._rules = rules
        self._held = HeldUpdates(size)

    def add(self, screened: Screened, weight: int, read: Callable[[], Update]) -> None:  # noqa: ARG002 -- it is held
        if screened.update is not None:
            self._held.add(screened.update, weight, screened.digest)

    def combine(self, momentum: Vector64, guide: Guide | None = None) -> Combination:
        return combine_held(self._rules, self._held, momentum, guide)
