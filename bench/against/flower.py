"""Flower's FedAvg, as its strategies call it: the weighted mean of replies whose arrays are bytes, as they arrive."""

import time
import tracemalloc
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
from flwr.serverapp.strategy.fedtrimmedavg import trim_mean
from flwr.serverapp.strategy.multikrum import select_multikrum
from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords

from bench.against.serving import serve

_state: dict[str, Any] = {}


def draw_reply(generator: np.random.Generator, size: int, weight: int) -> RecordDict:
    """One reply: an update as Flower's users send them, float32."""
    update = generator.integers(-3000, 3001, size).astype(np.float32) / np.float32(4096)
    return RecordDict({"arrays": ArrayRecord({"update": Array(update)}), "metrics": MetricRecord({"samples": weight})})


def prepare(size: int, weights: list[int]) -> None:
    """Draw the replies, so that drawing is in no figure."""
    generator = np.random.default_rng(1)
    _state["replies"] = [draw_reply(generator, size, weight) for weight in weights]


def mean() -> float:
    """Seconds of a core for the weighted mean of all replies, decoding included."""
    begun = time.process_time()
    aggregate_arrayrecords(_state["replies"], "samples")
    return time.process_time() - begun


def median() -> float:
    """Seconds of a core for FedMedian's line of arithmetic over all replies, decoding included."""
    begun = time.process_time()
    np.median(_stack(), axis=0)
    return time.process_time() - begun


def trimmed_mean() -> float:
    """Seconds of a core for FedTrimmedAvg, a tenth cut on each side, decoding included."""
    begun = time.process_time()
    trim_mean(_stack(), 0.1)
    return time.process_time() - begun


def multi_krum() -> float:
    """Seconds of a core for MultiKrum, two tenths dishonest, the rest averaged, decoding included."""
    replies = _state["replies"]
    dishonest = 2 * len(replies) // 10
    begun = time.process_time()
    chosen = select_multikrum(replies, dishonest, len(replies) - dishonest)
    aggregate_arrayrecords(chosen, "samples")
    return time.process_time() - begun


def _stack() -> Any:
    return np.stack([reply["arrays"]["update"].numpy() for reply in _state["replies"]])


def memory(size: int, weights: list[int]) -> int:
    """The largest number of bytes at once of replies and their mean."""
    _state.clear()
    generator = np.random.default_rng(1)
    tracemalloc.start()
    aggregate_arrayrecords([draw_reply(generator, size, weight) for weight in weights], "samples")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    functions = {"prepare": prepare, "mean": mean, "memory": memory}
    serve(functions | {"median": median, "trimmed_mean": trimmed_mean, "multi_krum": multi_krum})
