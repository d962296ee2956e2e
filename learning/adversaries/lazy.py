"""Honest work, and what costs less than it: nothing, noise, a tenth."""

from __future__ import annotations

from learning.adversaries.examples import keep_tenth
from learning.adversaries.sight import Sight
from learning.quantise import Update


def work_honestly(sight: Sight) -> Update:
    """Trains on all its examples."""
    return sight.train(sight.examples)


def send_zeros(sight: Sight) -> Update:
    """Does nothing."""
    return sight.nothing()


def send_noise(sight: Sight) -> Update:
    """A random direction."""
    return sight.scale(sight.generator().normal(size=sight.models[-1].size))


def train_on_a_tenth(sight: Sight) -> Update:
    """Trains on the newest tenth of its examples."""
    return sight.train(keep_tenth(sight.task, sight.examples))
