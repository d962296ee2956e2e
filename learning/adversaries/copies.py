"""Other nodes' work sent as one's own: as it was, with an element changed, under noise, averaged."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from learning.adversaries.sight import Sight
from learning.parameters import Vector64
from learning.quantise import Update, compute_norm_squared
from ledger.spec import Screening

_AVERAGED: Final = 20
_MARGIN: Final = 1.1
"""More noise than just enough: a cosine drawn a little above the threshold would be refused."""
_LEAST_NOISE: Final = 0.01


def copy_old_update(sight: Sight) -> Update:
    """Another node's update of an earlier round, one element changed, so that its digest is new."""
    everything = sight.list_earlier()
    if not everything:
        return sight.nothing()
    generator = sight.generator()
    copy = everything[int(generator.integers(len(everything)))].copy()
    copy[int(generator.integers(copy.size))] ^= 1
    return copy if compute_norm_squared(copy) <= sight.clip**2 else sight.scale(sight.dequantise(copy))


def copy_exactly(sight: Sight) -> Update:
    """Another node's update of the round before, as it was."""
    newest = sight.updates[-1] if sight.updates else ()
    fitting = [one for one in newest if 0 < compute_norm_squared(one) <= sight.clip**2]
    return fitting[int(sight.generator().integers(len(fitting)))] if fitting else sight.nothing()


def copy_with_noise(sight: Sight) -> Update:
    """Another node's update of the round before, under as much noise as makes it no near copy, at full norm."""
    newest = [one for one in (sight.updates[-1] if sight.updates else ()) if one.any()]
    if not newest:
        return sight.nothing()
    generator = sight.generator()
    chosen = sight.dequantise(newest[int(generator.integers(len(newest)))])
    return sight.scale(add_noise(chosen, find_noise(sight.screening), generator))


def average_old_updates(sight: Sight) -> Update:
    """The mean of twenty updates of earlier rounds, at full norm."""
    everything = sight.list_earlier()
    if not everything:
        return sight.nothing()
    chosen = sight.generator().choice(len(everything), min(_AVERAGED, len(everything)), replace=False)
    return sight.scale(np.mean([sight.dequantise(everything[one]) for one in chosen.tolist()], axis=0))


def find_noise(screening: Screening) -> float:
    """How much noise makes a copy no near copy for these thresholds: its norm over that of what it hides.

    Independent noise of n times a vector's norm leaves a cosine of 1 / √(1 + n²).
    """
    hidden = float(1 / screening.copy_cosine**2 - 1)
    return max(_LEAST_NOISE, _MARGIN * math.sqrt(hidden))


def add_noise(move: Vector64, relative: float, generator: np.random.Generator) -> Vector64:
    """The move `[n]` plus normal noise of `relative` times its norm."""
    noise = generator.normal(size=move.size)
    return move + noise * (relative * float(np.sqrt(np.sum(move * move) / np.sum(noise * noise))))
