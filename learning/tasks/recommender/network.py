"""The recommender's network: a viewer is weighted sums of the items they watched, an item is scored against those.

One table serves both sides: what an item says about who watched it is what it looks for in who may. Each memory has
dimensions of its own and weighs the history by its own recency. Inductive: nothing in it belongs to a viewer, so it
serves people who never trained. Shapes: c items in the catalogue, d dimensions, b rows of a batch, h
history items of a batch, m memories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learning.parameters import Layout
from learning.tasks.recommender.histories import Batch, Histories, Memory
from learning.tasks.task import Positions


@dataclass(frozen=True, slots=True)
class Viewers:
    """A batch as tensors: weights `watched`, m times `[b, c]`, their places `cells [h]`, and targets' `aims [b]`."""

    watched: tuple[torch.Tensor, ...]
    cells: torch.Tensor
    aims: torch.Tensor

    @classmethod
    def of(cls, batch: Batch, catalogue: int, dtype: torch.dtype) -> Viewers:
        """The tensors of a batch over a catalogue of that many items; an unknown target (−1) becomes item 0."""
        rows = batch.targets.size
        cells = torch.from_numpy(batch.rows * catalogue + batch.items)
        empty = torch.zeros(rows * catalogue, dtype=dtype)
        watched = [empty.index_add(0, cells, weights) for weights in torch.from_numpy(batch.weights).to(dtype)]
        aims = torch.from_numpy(np.arange(rows) * catalogue + np.maximum(batch.targets, 0))
        return cls(tuple(weights.view(rows, catalogue) for weights in watched), cells, aims)


class NextItem(torch.nn.Module):
    """A table of items `[c, d]` and a bias `[c]`; `widths [m]` shares the dimensions among the memories."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], widths: Sequence[int]) -> None:
        super().__init__()
        self._widths = list(widths)
        self.items, self.bias = (torch.nn.Parameter(torch.tensor(arrays[name])) for name in ("items", "bias"))

    def forward(self, viewers: Viewers) -> torch.Tensor:
        """Logits `[b, c]` without a mask."""
        return torch.addmm(self.bias, self._remember(viewers), self.items.T)

    @torch.no_grad()
    def rank(self, viewers: Viewers) -> torch.Tensor:
        """Logits `[b, c]` with watched items at −∞."""
        logits: torch.Tensor = self(viewers)
        logits.view(-1).index_fill_(0, viewers.cells, -torch.inf)
        return logits

    @torch.no_grad()
    def compute_loss(self, viewers: Viewers) -> float:
        """Mean softmax cross-entropy of the targets among unwatched items, in nats."""
        chances = self._compute_chances(viewers, self(viewers))
        return -float(chances.view(-1)[viewers.aims].log().mean())

    @torch.no_grad()
    def compute_gradients(self, viewers: Viewers) -> tuple[float, dict[str, torch.Tensor]]:
        """The loss and its gradients by items and bias, written out: a third of autograd's time, tested against it."""
        taste = self._remember(viewers)
        error = self._compute_chances(viewers, torch.addmm(self.bias, taste, self.items.T))
        aimed = error.view(-1)[viewers.aims]
        loss = -float(aimed.log().mean())
        error.view(-1)[viewers.aims] = aimed - 1.0
        error /= len(viewers.aims)
        pulls = torch.split(error @ self.items, self._widths, 1)
        watched = torch.cat([weights.T @ pull for weights, pull in zip(viewers.watched, pulls, strict=True)], 1)
        return loss, {"items": watched.addmm_(error.T, taste), "bias": error.sum(0)}

    def _remember(self, viewers: Viewers) -> torch.Tensor:
        """The viewers in d dimensions, `[b, d]`: what each memory kept, side by side."""
        tables = torch.split(self.items, self._widths, 1)
        return torch.cat([weights @ table for weights, table in zip(viewers.watched, tables, strict=True)], 1)

    @staticmethod
    def _compute_chances(viewers: Viewers, logits: torch.Tensor) -> torch.Tensor:
        """Softmax over unwatched items and the target, which may be one watched again."""
        aimed = logits.view(-1)[viewers.aims]
        logits.view(-1).index_fill_(0, viewers.cells, -torch.inf)
        logits.view(-1)[viewers.aims] = aimed
        return torch.softmax(logits, 1)


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a configuration makes of the network: a catalogue of `catalogue` items, a memory with its `widths [m]`."""

    catalogue: int
    memory: Memory
    widths: tuple[int, ...]

    @property
    def layout(self) -> Layout:
        """The table of items `[c, d]`, bias `[c]`."""
        return Layout.of({"items": (self.catalogue, sum(self.widths)), "bias": (self.catalogue,)})

    def build(self, vector: NDArray[Any]) -> NextItem:
        """The network of a flat model `vector [n]`, in its type."""
        return NextItem(self.layout.unflatten(vector), self.widths)

    def look_at(self, histories: Histories, targets: Positions, dtype: torch.dtype) -> Viewers:
        """Who watches the items that stand at `targets [b]` of the histories."""
        return Viewers.of(self.memory.gather(histories, targets), self.catalogue, dtype)

    def look_at_whole(self, histories: Histories) -> Viewers:
        """Who watches what comes after these histories."""
        return Viewers.of(self.memory.gather_whole(histories), self.catalogue, torch.float32)
