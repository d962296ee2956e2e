"""Local training on one node's histories, and the loss that decides pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from learning.parameters import Vector32, Vector64
from learning.tasks.recommender.histories import Histories
from learning.tasks.recommender.network import Architecture, NextItem
from learning.tasks.task import Positions, Training
from learning.tasks.threads import single_thread

_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Trainer:
    """Plain stochastic gradient descent: `steps` batches of `batch` positions, the bias at a rate of its own.

    `proximal` is μ of FedProx: each step's gradient also holds μ times the way that was gone from the base model.
    """

    architecture: Architecture
    steps: int
    batch: int
    rate: float
    bias_rate: float
    proximal: float = 0.0

    def train(self, model: Vector32, histories: Histories, seed: int) -> Training:
        """Trains from `model`; the same seed and histories give the same bytes with any number of threads."""
        targets = histories.find_targets()
        if targets.size == 0:
            return Training(np.zeros_like(model), 0.0, 0)
        with single_thread():
            network = self.architecture.build(model)
            named = network.named_parameters() if self.proximal else ()
            base = {name: tensor.detach().clone() for name, tensor in named}
            losses = [self._step(network, base, histories, chosen) for chosen in self._draw(targets, seed)]
        trained = {name: tensor.detach().numpy() for name, tensor in network.named_parameters()}
        return Training(self.architecture.layout.flatten(trained) - model, float(np.mean(losses)), int(targets.size))

    def _draw(self, targets: Positions, seed: int) -> Iterator[Positions]:
        """Batches without replacement; a node with few positions goes through them again in another order."""
        generator = np.random.default_rng(seed)
        wanted = self.steps * self.batch
        passes = -(-wanted // targets.size)
        order = np.concatenate([generator.permutation(targets) for _ in range(passes)])
        for start in range(0, wanted, self.batch):
            yield order[start : start + self.batch]

    @torch.no_grad()
    def _step(
        self, network: NextItem, base: Mapping[str, torch.Tensor], histories: Histories, chosen: Positions
    ) -> float:
        loss, gradients = network.compute_gradients(self.architecture.look_at(histories, chosen, torch.float32))
        for name, parameter in network.named_parameters():
            if self.proximal:
                gradients[name].add_(parameter - base[name], alpha=self.proximal)
            parameter.sub_(gradients[name], alpha=self.bias_rate if name == "bias" else self.rate)
        return loss


class NextItemObjective:
    """The mean loss on chosen positions in float64, in chunks of 512 positions."""

    def __init__(self, architecture: Architecture, histories: Histories, chosen: Positions) -> None:
        targets = histories.find_targets()[chosen]
        chunks = [targets[start : start + _CHUNK] for start in range(0, targets.size, _CHUNK)]
        self._architecture = architecture
        self._count = targets.size
        self._chunks = [architecture.look_at(histories, chunk, torch.float64) for chunk in chunks]

    def loss(self, vector: Vector64) -> float:
        """The loss at `vector [n]`, in nats per position."""
        network = self._architecture.build(vector)
        with single_thread():
            parts = [network.compute_loss(chunk) * len(chunk.aims) for chunk in self._chunks]
        return sum(parts) / self._count

    def gradient(self, vector: Vector64) -> Vector64:
        """The gradient `[n]` at `vector [n]`."""
        network = self._architecture.build(vector)
        total = np.zeros_like(vector)
        sums = self._architecture.layout.unflatten(total)
        with single_thread():
            for chunk in self._chunks:
                _, gradients = network.compute_gradients(chunk)
                for name, gradient in gradients.items():
                    sums[name] += gradient.numpy() * (len(chunk.aims) / self._count)
        return total
