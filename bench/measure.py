"""Measuring by turns: what one machine does to one side, it does to the other in the same minute."""

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

Measurement = Callable[[], float]


def clocked(function: Callable[[], object], times: int = 1) -> Measurement:
    """A measurement: seconds a call of `function`, the mean of `times` calls in a row."""

    def measure() -> float:
        begun = time.perf_counter()
        for _ in range(times):
            function()
        return (time.perf_counter() - begun) / times

    return measure


def alternate(sides: Mapping[str, Measurement], turns: int) -> dict[str, float]:
    """Medians of what each side measures, the sides taking turns.

    Each side runs once unmeasured first (caches, lazy imports). The garbage collector runs between turns, not in them.
    """
    for measure in sides.values():
        measure()
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, measure in sides.items():
            gc.collect()
            gc.disable()
            try:
                figures[name].append(measure())
            finally:
                gc.enable()
    return {name: median(values) for name, values in figures.items()}
