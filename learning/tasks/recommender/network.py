"""The recommender's network: a viewer is the weighted sum of the items they watched, an item is scored against that.

Inductive: nothing in it belongs to a viewer, so it serves people who never trained. Shapes: c items in the catalogue,
d dimensions, b rows of a batch, h history items of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learning.tasks.recommender.histories import Batch


@dataclass(frozen=True, slots=True)
class Viewers:
    """A batch as tensors: weights `watched [b, c]`, their places `cells [h]` in it, and the targets' `aims [b]`."""

    watched: torch.Tensor
    cells: torch.Tensor
    aims: torch.Tensor

    @classmethod
    def of(cls, batch: Batch, catalogue: int, dtype: torch.dtype) -> Viewers:
        """The tensors of a batch over a catalogue of that many items; an unknown target (−1) becomes item 0."""
        rows = batch.targets.size
        cells = torch.from_numpy(batch.rows * catalogue + batch.items)
        weights = torch.from_numpy(batch.weights).to(dtype)
        watched = torch.zeros(rows * catalogue, dtype=dtype).index_add_(0, cells, weights)
        aims = torch.from_numpy(np.arange(rows) * catalogue + np.maximum(batch.targets, 0))
        return cls(watched.view(rows, catalogue), cells, aims)


class NextItem(torch.nn.Module):
    """Item tables P (as watched) and Q (as next), `[c, d]`, and a bias `[c]`."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        super().__init__()
        self.P, self.Q, self.bias = (torch.nn.Parameter(torch.tensor(arrays[name])) for name in ("P", "Q", "bias"))

    def forward(self, viewers: Viewers) -> torch.Tensor:
        """Logits `[b, c]` without a mask."""
        return torch.addmm(self.bias, viewers.watched @ self.P, self.Q.T)

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
        """The loss and its gradients by P, Q and bias, written out: a third of autograd's time, tested against it."""
        taste = viewers.watched @ self.P
        error = self._compute_chances(viewers, torch.addmm(self.bias, taste, self.Q.T))
        aimed = error.view(-1)[viewers.aims]
        loss = -float(aimed.log().mean())
        error.view(-1)[viewers.aims] = aimed - 1.0
        error /= len(viewers.aims)
        gradients = {"P": viewers.watched.T @ (error @ self.Q), "Q": error.T @ taste, "bias": error.sum(0)}
        return loss, gradients

    @staticmethod
    def _compute_chances(viewers: Viewers, logits: torch.Tensor) -> torch.Tensor:
        """Softmax over unwatched items and the target, which may be one watched again."""
        aimed = logits.view(-1)[viewers.aims]
        logits.view(-1).index_fill_(0, viewers.cells, -torch.inf)
        logits.view(-1)[viewers.aims] = aimed
        return torch.softmax(logits, 1)
