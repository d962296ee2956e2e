"""How a node can pretend to work: every kind by its name.

A cheat sees what is public: models, moves and published gradients of the rounds before, and their updates (the
evidence). It sends integers, mostly scaled up to the norm that the round allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from learning.adversaries.collusion import send_a_little, send_inner_product
from learning.adversaries.copies import average_old_updates, copy_exactly, copy_old_update, copy_with_noise
from learning.adversaries.lazy import send_noise, send_zeros, train_on_a_tenth
from learning.adversaries.poisons import flip_labels, flip_sign, scale_up, shuffle_examples
from learning.adversaries.replays import replay_gradients, replay_moves, replay_older_gradients, replay_older_moves
from learning.adversaries.sight import Behaviour

ADVERSARIES: Final[Mapping[str, Behaviour]] = MappingProxyType(
    {
        "zero": send_zeros,
        "noise": send_noise,
        "replayed-move": replay_moves,
        "replayed-older-move": replay_older_moves,
        "replayed-gradient": replay_gradients,
        "replayed-older-gradient": replay_older_gradients,
        "copied": copy_old_update,
        "copied-noise": copy_with_noise,
        "recycled": copy_exactly,
        "averaged": average_old_updates,
        "half-hearted": train_on_a_tenth,
        "label-flip": flip_labels,
        "shuffled": shuffle_examples,
        "sign-flip": flip_sign,
        "scaled": scale_up,
        "little-is-enough": send_a_little,
        "inner-product": send_inner_product,
    }
)
"""Every kind by its name, as `tally node run --update` takes it."""
