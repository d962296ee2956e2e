"""FedProx on a node: a pull back to the model trained from, so that unlike data do not carry nodes far apart.

Source: Li et al., "Federated Optimization in Heterogeneous Networks" (arXiv 1812.06127): the local loss gains
μ/2 · ‖w − base‖², each step's gradient μ · (w − base). μ is the task's configuration `proximal`, "0" by default.
"""

from __future__ import annotations

import numpy as np

from learning.parameters import Vector32
from learning.tasks.task import TaskConfig
from ledger.errors import MalformedSpec
from ledger.spec import parse_decimal


def check_proximal(config: TaskConfig, *rates: str) -> None:
    """Checks that no step pulls beyond the base model, from where steps would swing wider and wider.

    Raises:
        MalformedSpec: `proximal` times one of the learning rates named is above 1.
    """
    proximal = parse_decimal("task.config.proximal", config["proximal"])
    fastest = max(parse_decimal(f"task.config.{name}", config[name]) for name in rates)
    if proximal * fastest > 1:
        largest = f"at most 1 / {fastest} (the learning rate)"
        raise MalformedSpec("task.config.proximal", largest, config["proximal"])


class Pull:
    """The pull on `trained [n]`, which steps change in place: measured before a step, applied after it.

    A strength of 0 leaves every bit as it is.
    """

    def __init__(self, base: Vector32, trained: Vector32, strength: float) -> None:
        self._base, self._trained = base, trained
        self._strength = np.float32(strength)
        self._way = np.zeros_like(base) if strength else None

    def measure(self) -> None:
        """Takes strength · (w − base) at the place where the step's gradient is taken."""
        if self._way is not None:
            np.subtract(self._trained, self._base, out=self._way)
            self._way *= self._strength

    def apply(self) -> None:
        """Goes back by what was measured."""
        if self._way is not None:
            self._trained -= self._way
