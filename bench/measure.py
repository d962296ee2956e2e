"""Measuring by turns: what one machine does to one side, it does to the other in the same minute."""

import gc
import time
from collections.abc import Callable, Collection, Mapping
from statistics import median

from bench.environments import PeerMissing
from bench.figures import Missing

Measurement = Callable[[], float]


def clocked(
    function: Callable[[], object], times: int = 1, clock: Callable[[], float] = time.perf_counter
) -> Measurement:
    """A measurement: seconds a call of `function`, the mean of `times` calls in a row.

    With `time.process_time` as clock, seconds of this process's cores: for what runs in one thread and says "a core".
    """

    def measure() -> float:
        begun = clock()
        for _ in range(times):
            function()
        return (clock() - begun) / times

    return measure


def alternate(sides: Mapping[str, Measurement], turns: int, warmed: Collection[str] = ()) -> dict[str, float]:
    """Medians of what each side measures, the sides taking turns.

    Each side runs once unmeasured first (caches, lazy imports), unless it is among `warmed`. Garbage is collected
    between turns too, so that none leaves its own to the next.
    """
    for name, measure in sides.items():
        if name not in warmed:
            measure()
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, measure in sides.items():
            gc.collect()
            figures[name].append(measure())
    return {name: median(values) for name, values in figures.items()}


def compare(
    ours: Measurement, peers: Mapping[str, Measurement | Missing], turns: int
) -> tuple[float, dict[str, float | Missing]]:
    """Our median and the peers', by turns; a peer that fails in its first turn is missing, with the reason."""
    answers: dict[str, float | Missing] = {}
    sides = {"": ours}
    for name, measure in peers.items():
        if isinstance(measure, Missing):
            answers[name] = measure
            continue
        try:
            measure()
        except PeerMissing as error:
            answers[name] = Missing(error.reason)
        else:
            sides[name] = measure
    measured = alternate(sides, turns, warmed=set(peers))
    own = measured.pop("")
    return own, {name: answers.get(name, measured.get(name, Missing("not measured"))) for name in peers}
