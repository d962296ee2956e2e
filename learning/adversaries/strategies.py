"""How a node can pretend to work: every kind of DESIGN.md §4.5, and what those invite.

A cheat sees what is public: models, moves and published gradients of the rounds before, and their updates (the
evidence). It sends integers, scaled up to the norm that the round allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from learning.adversaries.sight import Behaviour, Sight
from learning.parameters import Vector64
from learning.quantise import Update, dequantise

_AVERAGED: Final = 20


def work_honestly(sight: Sight) -> Update:
    """Trains on all its examples."""
    return sight.train(sight.examples)


def send_zeros(sight: Sight) -> Update:
    """Does nothing."""
    return sight.nothing()


def send_noise(sight: Sight) -> Update:
    """A random direction."""
    return sight.scale(sight.generator().normal(size=sight.models[-1].size))


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


def copy_old_update(sight: Sight) -> Update:
    """Another node's update of an earlier round, one element changed, so that its digest is new."""
    if not sight.updates:
        return sight.nothing()
    generator = sight.generator()
    earlier = sight.updates[int(generator.integers(len(sight.updates)))]
    copy = earlier[int(generator.integers(len(earlier)))].copy()
    copy[int(generator.integers(copy.size))] ^= 1
    norm = float(np.sqrt(np.sum(copy.astype(np.float64) ** 2)))
    return copy if norm <= sight.clip else sight.scale(dequantise(copy, sight.fraction_bits))


def copy_exactly(sight: Sight) -> Update:
    """Another node's update of the round before, as it was."""
    if not sight.updates:
        return sight.nothing()
    fitting = [one for one in sight.updates[-1] if np.sum(one.astype(np.float64) ** 2) <= sight.clip**2]
    return fitting[int(sight.generator().integers(len(fitting)))]


def average_old_updates(sight: Sight) -> Update:
    """The mean of twenty updates of earlier rounds, at full norm."""
    if not sight.updates:
        return sight.nothing()
    generator = sight.generator()
    everything = [update for earlier in sight.updates for update in earlier]
    chosen = generator.choice(len(everything), min(_AVERAGED, len(everything)), replace=False)
    return sight.scale(np.mean([dequantise(everything[one], sight.fraction_bits) for one in chosen.tolist()], axis=0))


def train_on_a_tenth(sight: Sight) -> Update:
    """Trains on the newest tenth of every viewer's history, two items at least."""
    offsets, items = sight.examples["offsets"].tolist(), sight.examples["items"].tolist()
    spans = list(pairwise(offsets))
    tenths = [items[end - min(end - start, max(2, (end - start) // 10)) : end] for start, end in spans]
    return sight.train(sight.task.read_records(tenths))


def flip_labels(sight: Sight) -> Update:
    """Trains on other items than were watched: each exchanged for the one at the catalogue's other end."""
    flipped = {**sight.examples, "items": int(sight.task.config["items"]) - 1 - sight.examples["items"]}
    return sight.train(flipped)


def shuffle_histories(sight: Sight) -> Update:
    """Trains on its viewers' items in a random order: the tastes are true, what comes next is not."""
    generator, offsets, items = sight.generator(), sight.examples["offsets"].tolist(), sight.examples["items"]
    spans = pairwise(offsets)
    return sight.train(sight.task.read_records([generator.permutation(items[a:b]).tolist() for a, b in spans]))


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


ADVERSARIES: Final[Mapping[str, Behaviour]] = MappingProxyType(
    {
        "zero": send_zeros,
        "noise": send_noise,
        "replayed-move": replay_moves,
        "replayed-older-move": replay_older_moves,
        "replayed-gradient": replay_gradients,
        "replayed-older-gradient": replay_older_gradients,
        "copied": copy_old_update,
        "recycled": copy_exactly,
        "averaged": average_old_updates,
        "half-hearted": train_on_a_tenth,
        "label-flip": flip_labels,
        "shuffled": shuffle_histories,
    }
)
"""Every kind by its name, as `tally node run --update` takes it."""
