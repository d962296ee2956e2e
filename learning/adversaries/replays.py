"""Public directions sent again: moves of the model, published gradients, older ones of both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from learning.adversaries.sight import Sight
from learning.parameters import Vector64
from learning.quantise import Update


def replay_moves(sight: Sight) -> Update:
    """A mixture of the last three moves of the model."""
    return _mix(sight, _find_moves(sight)[-3:])


def replay_older_moves(sight: Sight) -> Update:
    """A mixture of the moves before the last three."""
    return _mix(sight, _find_moves(sight)[:-3])


def replay_gradients(sight: Sight) -> Update:
    """A mixture of the last three published gradients, downhill."""
    return _mix(sight, _find_descents(sight)[-3:])


def replay_older_gradients(sight: Sight) -> Update:
    """A mixture of the published gradients before the last three, downhill."""
    return _mix(sight, _find_descents(sight)[:-3])


def _find_moves(sight: Sight) -> list[Vector64]:
    return [later.astype(np.float64) - earlier for earlier, later in pairwise(sight.models)]


def _find_descents(sight: Sight) -> list[Vector64]:
    return [-gradient.values.astype(np.float64) for gradient in sight.gradients]


def _mix(sight: Sight, directions: Sequence[Vector64]) -> Update:
    """A random mixture with positive parts, so that two nodes that do the same do not send the same."""
    if not directions:
        return sight.nothing()
    parts = sight.generator().uniform(0.1, 1.0, len(directions))
    mixture = sum(
        (part * _unit(one) for part, one in zip(parts, directions, strict=True)), np.zeros_like(directions[0])
    )
    return sight.scale(mixture)


def _unit(direction: Vector64) -> Vector64:
    norm = float(np.sqrt(np.sum(direction * direction)))
    return direction / norm if norm else direction
