"""Viewing histories for jobs of the recommender: there is something to learn in them for many rounds."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ITEMS = 400
WATCHED = 40
VIEWERS = 4
"""Of each node: between them they have watched a part of the catalogue, as viewers have."""

_VALIDATION_VIEWERS = 60
_TASTES = 2


def write_histories(folder: Path, nodes: int) -> tuple[Sequence[Path], Path]:
    """Writes JSON records: a file for each node, and a validation set; no viewer is in two files."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(3)
    ways = [generator.permutation(ITEMS) for _ in range(_TASTES)]
    files = [folder / f"node-{number:03d}.json" for number in range(nodes)]
    validation = folder / "validation.json"
    for file, viewers in [*((file, VIEWERS) for file in files), (validation, _VALIDATION_VIEWERS)]:
        file.write_text(json.dumps([_watch(ways, generator) for _ in range(viewers)]), encoding="utf-8")
    return files, validation


def _watch(ways: Sequence[np.ndarray], generator: np.random.Generator) -> list[int]:
    """One viewer: from each item mostly on to the one that their taste puts after it, sometimes to a popular one."""
    taste, item = int(generator.integers(_TASTES)), int(generator.integers(ITEMS))
    history: list[int] = []
    while len(history) < WATCHED:
        if item not in history:
            history.append(item)
        if generator.random() < 0.15:
            item = int(ITEMS * generator.random() ** 2)
        else:
            stray = generator.random() < 0.2
            item = int(ways[(taste + stray) % _TASTES][item])
    return history
