"""Handwritten digits: a small network on scikit-learn's real scans of 8 × 8 pixels.

A platform's record is `{"pixels": [64 numbers from 0 to 16], "label": 0 to 9}`; a position is a scan. An endpoint's
request is `{"pixels": […]}`, its answer `{"label": digit}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from learning.parameters import Arrays, Layout, Vector32, Vector64
from learning.rules import LearningRules
from learning.tasks.config import complete_config
from learning.tasks.proximal import Pull, check_proximal
from learning.tasks.task import Examples, MalformedExamples, Objective, Positions, TaskConfig, Training
from learning.tasks.threads import single_thread
from learning.tensors import ArrayType, read_arrays, write_arrays
from ledger.spec import Screening

_PIXELS, _CLASSES, _BRIGHTEST = 64, 10, 16
_MOST_BYTES = 1 << 28
_CLASS_VECTORS: Vector32 = np.eye(_CLASSES, dtype=np.float32)
_TYPES = {"pixels": ArrayType("F32", (None, _PIXELS)), "labels": ArrayType("I64", (None,))}
_DEFAULTS: Mapping[str, int | str] = {"hidden": 32, "epochs": 5, "batch": 10, "rate": "0.1", "proximal": "0"}
_LARGEST: Mapping[str, int] = {"hidden": 16_384, "epochs": 100, "batch": 4096}


_COPY_COSINE: Final = "0.99"
_COPY_ROUNDS: Final = 3
"""Nodes whose scans are dealt evenly are truly alike: cosines of up to 0.976 in their first round."""

_LEAST_KURTOSIS: Final = "3.5"
_ENOUGH_PARAMETERS: Final = 2_000
"""Honest nodes have kurtoses from 4.2. Those of noise, 3, scatter by √(24 / parameters): too much in smaller models."""


@dataclass(frozen=True, slots=True)
class Digits:
    """The task bound to a complete configuration."""

    config: Mapping[str, int | str]
    name: str = "digits"

    @property
    def layout(self) -> Layout:
        """Two dense layers: 64 to hidden (tanh) to 10."""
        hidden = int(self.config["hidden"])
        return Layout.of(
            {"dense1": (_PIXELS, hidden), "bias1": (hidden,), "dense2": (hidden, _CLASSES), "bias2": (_CLASSES,)},
        )

    def suggested_rules(self) -> LearningRules:
        """Plain federated averaging on samples of 300 scans; screening as in docs/decisions/0026-screening.md."""
        kurtosis = _LEAST_KURTOSIS if self.layout.size >= _ENOUGH_PARAMETERS else "0"
        screening = Screening(_COPY_COSINE, _COPY_ROUNDS, kurtosis)
        return LearningRules(
            clip_norm="3", server_rate="1", server_momentum="0", sample_positions=300, screening=screening
        )

    def initial_model(self, seed: int) -> Vector32:
        """Normal weights with variance 1 / inputs, biases zero."""
        generator = np.random.default_rng(seed)
        layout = self.layout
        vector = np.zeros(layout.size, np.float32)
        for array in layout.unflatten(vector).values():
            if array.ndim == 2:
                array[:] = generator.normal(0.0, array.shape[0] ** -0.5, array.shape)
        return vector

    def read_records(self, records: Sequence[Any]) -> Examples:
        """Examples from scans with labels. Raises MalformedExamples."""
        pixels = np.array([_read_pixels(record) for record in records], np.float32).reshape(-1, _PIXELS)
        labels = [record.get("label") for record in records]
        if not all(type(label) is int and 0 <= label < _CLASSES for label in labels):
            raise MalformedExamples("record.label", f"an integer from 0 to {_CLASSES - 1}", labels[:8])
        return {"pixels": pixels, "labels": np.array(labels, np.int64)}

    def read_examples(self, content: bytes) -> Examples:
        """Reads `pixels [n, 64] float32` and `labels [n] int64`. Raises MalformedArrays, MalformedExamples."""
        examples = read_arrays(content, _TYPES, "examples", _MOST_BYTES)
        labels = examples["labels"]
        if len(labels) != len(examples["pixels"]):
            raise MalformedExamples("labels", f"{len(examples['pixels'])} labels", len(labels))
        if labels.size and not (labels.min() >= 0 and labels.max() < _CLASSES):
            raise MalformedExamples("labels", f"from 0 to {_CLASSES - 1}", f"{labels.min()} to {labels.max()}")
        return examples

    def write_examples(self, examples: Examples) -> bytes:
        """Writes an examples file."""
        return write_arrays({name: examples[name] for name in _TYPES})

    def count_positions(self, examples: Examples) -> int:
        """The scans."""
        return len(examples["labels"])

    def train(self, model: Vector32, examples: Examples, seed: int) -> Training:
        """Stochastic gradient descent over the node's scans in a seeded order, pulled back to `model` (FedProx)."""
        scans = len(examples["labels"])
        if not scans:
            return Training(np.zeros_like(model), 0.0, 0)
        trained = model.copy()
        pixels: Vector32 = np.divide(examples["pixels"], np.float32(_BRIGHTEST), dtype=np.float32)
        labels = _CLASS_VECTORS[examples["labels"]]
        # A rate that is too high ends in NaN or infinity, which whoever takes the move has to look at.
        with np.errstate(all="ignore"):
            step = _Step(self.layout.unflatten(trained), np.float32(str(self.config["rate"])))
            pull = Pull(model, trained, float(self.config["rate"]) * float(self.config["proximal"]))
            losses = []
            for chosen in self._draw(scans, seed):
                pull.measure()
                losses.append(step.descend(pixels[chosen], labels[chosen]))
                pull.apply()
        return Training(trained - model, float(np.mean(losses)), scans)

    def objective(self, examples: Examples, positions: Positions) -> Objective:
        """The mean cross-entropy of these scans."""
        return _Objective(self.layout, examples["pixels"][positions], examples["labels"][positions])

    def evaluate(self, model: Vector32, examples: Examples, seed: int) -> Mapping[str, float]:  # noqa: ARG002 — nothing is drawn here
        """`accuracy`, the part of the scans recognised; empty without any."""
        if not len(examples["labels"]):
            return {}
        return {"accuracy": float((self._classify(model, examples["pixels"]) == examples["labels"]).mean())}

    def predict(self, model: Vector32, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers which digit a scan shows. Raises MalformedExamples."""
        pixels = np.array([_read_pixels(request)], np.float32)
        return {"label": int(self._classify(model, pixels)[0])}

    def _classify(self, model: Vector32, pixels: NDArray[Any]) -> NDArray[np.int64]:
        with single_thread(), torch.no_grad():
            logits = _Network(self.layout, model)(torch.tensor(pixels))
        return np.asarray(logits.argmax(1).numpy())

    def _draw(self, scans: int, seed: int) -> Iterator[NDArray[np.int64]]:
        generator = np.random.default_rng(seed)
        batch = int(self.config["batch"])
        for _ in range(int(self.config["epochs"])):
            order = generator.permutation(scans)
            for start in range(0, scans, batch):
                yield order[start : start + batch]


class _Step:
    """Steps of stochastic gradient descent in the network's arrays, by its gradient written out.

    For arrays this small, autograd costs ten times the arithmetic. `arrays` are views that the steps change.
    """

    def __init__(self, arrays: Arrays, rate: np.float32) -> None:
        self._dense1, self._bias1 = arrays["dense1"], arrays["bias1"]
        self._dense2, self._bias2 = arrays["dense2"], arrays["bias2"]
        self._rate = rate

    def descend(self, pixels: Vector32, labels: Vector32) -> float:
        """One step on `pixels [b, 64]` (0 to 1) and `labels [b, 10]` (ones and zeros); returns the mean loss before."""
        inside = pixels @ self._dense1
        inside += self._bias1
        np.tanh(inside, out=inside)
        logits = inside @ self._dense2
        logits += self._bias2
        logits -= logits.max(1, keepdims=True)
        likely = np.exp(logits)
        total = likely.sum(1, keepdims=True)
        loss = float(np.log(total).sum() - np.vdot(logits, labels)) / len(labels)
        # The gradient of the mean cross-entropy by the logits, times the rate: softmax − label.
        likely /= total
        likely -= labels
        likely *= self._rate / np.float32(len(labels))
        back = likely @ self._dense2.T
        back *= 1 - inside * inside
        self._dense2 -= inside.T @ likely
        self._bias2 -= likely.sum(0)
        self._dense1 -= pixels.T @ back
        self._bias1 -= back.sum(0)
        return loss


class _Network(torch.nn.Module):
    """`[b, 64]` pixels from 0 to 16 to `[b, 10]` logits, in the type of the vector it is built from."""

    def __init__(self, layout: Layout, vector: Vector32 | Vector64) -> None:
        super().__init__()
        for name, array in layout.unflatten(vector).items():
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(array)))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        dense1, bias1, dense2, bias2 = (self.get_parameter(name) for name in ("dense1", "bias1", "dense2", "bias2"))
        inside = torch.tanh(torch.addmm(bias1, pixels.to(dense1.dtype) / _BRIGHTEST, dense1))
        return torch.addmm(bias2, inside, dense2)

    def compute_loss(self, pixels: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(self(pixels), labels)


class _Objective:
    def __init__(self, layout: Layout, pixels: NDArray[Any], labels: NDArray[Any]) -> None:
        self._layout = layout
        self._pixels, self._labels = torch.tensor(pixels), torch.tensor(labels)

    def loss(self, vector: Vector64) -> float:
        with single_thread(), torch.no_grad():
            return float(_Network(self._layout, vector).compute_loss(self._pixels, self._labels))

    def gradient(self, vector: Vector64) -> Vector64:
        network = _Network(self._layout, vector)
        with single_thread():
            loss = network.compute_loss(self._pixels, self._labels)
            gradients = torch.autograd.grad(loss, list(network.parameters()))
        return np.concatenate([gradient.numpy().ravel() for gradient in gradients])


def create(config: TaskConfig) -> Digits:
    """The task with this configuration. Raises MalformedSpec."""
    complete = complete_config(config, _DEFAULTS, _LARGEST)
    check_proximal(complete, "rate")
    return Digits(complete)


def _read_pixels(record: object) -> list[float]:
    pixels = record.get("pixels") if isinstance(record, dict) else None
    if not isinstance(pixels, list) or len(pixels) != _PIXELS:
        raise MalformedExamples("pixels", f"a list of {_PIXELS} numbers", pixels)
    if not all(type(pixel) in (int, float) and 0 <= pixel <= _BRIGHTEST for pixel in pixels):
        raise MalformedExamples("pixels", f"numbers from 0 to {_BRIGHTEST}", pixels)
    return pixels
