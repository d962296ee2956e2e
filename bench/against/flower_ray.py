"""Flower's simulation on Ray: rounds of many clients that train the same network with the same NumPy steps as ours."""

import logging
import time
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

from bench.against.serving import serve

SAMPLES, BATCH, RATE = 100, 10, np.float32(0.1)
PIXELS, CLASSES = 64, 10


def train(message: Message, context: Context) -> Message:
    """One epoch; the reply holds the trained arrays."""
    del context
    arrays = [array.copy() for array in message.content["arrays"].to_numpy_ndarrays()]
    generator = np.random.default_rng(time.perf_counter_ns())
    pixels = (generator.integers(0, 17, (SAMPLES, PIXELS)) / 16).astype(np.float32)
    labels = np.eye(CLASSES, dtype=np.float32)[generator.integers(0, CLASSES, SAMPLES)]
    for start in range(0, SAMPLES, BATCH):
        step(arrays, pixels[start : start + BATCH], labels[start : start + BATCH])
    content = RecordDict({"arrays": ArrayRecord(arrays), "metrics": MetricRecord({"num-examples": SAMPLES})})
    return Message(content=content, reply_to=message)


def step(arrays: list[Any], pixels: Any, labels: Any) -> None:
    """One step of gradient descent."""
    dense1, bias1, dense2, bias2 = arrays
    inside = np.tanh(pixels @ dense1 + bias1)
    logits = inside @ dense2 + bias2
    likely = np.exp(logits - logits.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    likely = (likely - labels) * (RATE / np.float32(len(labels)))
    back = (likely @ dense2.T) * (1 - inside * inside)
    dense2 -= inside.T @ likely
    bias2 -= likely.sum(0)
    dense1 -= pixels.T @ back
    bias1 -= back.sum(0)


class Timed(FedAvg):  # type: ignore[misc]  # Flower is not installed where types are checked
    """FedAvg that notes when each round's training was asked for and answered."""

    def __init__(self) -> None:
        super().__init__(fraction_train=1.0, fraction_evaluate=0.0)
        self.seconds: list[float] = []
        self._begun = 0.0

    def configure_train(self, *given: Any, **named: Any) -> Any:
        """As FedAvg."""
        configured = list(super().configure_train(*given, **named))
        self._begun = time.perf_counter()
        return configured

    def aggregate_train(self, *given: Any, **named: Any) -> Any:
        """As FedAvg."""
        self.seconds.append(time.perf_counter() - self._begun)
        return super().aggregate_train(*given, **named)


def simulate(hidden: int, nodes: int, rounds: int) -> list[float]:
    """Seconds of each round, from the request to the last reply."""
    logging.disable(logging.INFO)
    strategy = Timed()
    client, server = ClientApp(), ServerApp()
    client.train()(train)
    shapes = ((PIXELS, hidden), (hidden,), (hidden, CLASSES), (CLASSES,))
    initial = [np.random.default_rng(1).normal(0, 0.1, shape).astype(np.float32) for shape in shapes]

    def main(grid: Grid, context: Context) -> None:
        del context
        strategy.start(grid, ArrayRecord(initial), num_rounds=rounds)

    server.main()(main)
    run_simulation(server, client, num_supernodes=nodes, backend_config={"client_resources": {"num_cpus": 1}})
    return strategy.seconds


if __name__ == "__main__":
    serve({"simulate": simulate})
