"""What a reader of an open update learns about who made it (DESIGN.md §4.7)."""

import numpy as np

from bench.scoring.grounds import Ground
from learning.quantise import dequantise

_NODES = 40


def read_watched_items(ground: Ground) -> tuple[float, float]:
    """Takes the items whose bias rose for the watched ones; the means of precision and recall over nodes, round 1."""
    base = ground.task.initial_model(1)
    bits = ground.rules.fraction_bits
    found = []
    for examples, update in zip(ground.nodes, ground.train(base, ground.rules.first_clip, 1, _NODES), strict=False):
        risen = set(np.flatnonzero(ground.task.layout.unflatten(dequantise(update, bits))["bias"] > 0).tolist())
        watched = set(examples["items"].tolist())
        found.append((len(risen & watched) / max(1, len(risen)), len(risen & watched) / len(watched)))
    precision, recall = np.mean(found, axis=0).tolist()
    return precision, recall
