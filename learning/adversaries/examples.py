"""Examples made less or false, for every task in the box: classified ones (`labels`) and histories (`items`)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from learning.tasks import Examples, Task

CLASSES = 10


def keep_tenth(task: Task, examples: Examples) -> Examples:
    """The newest tenth: of the scans, or of every viewer's history; two at least."""
    if "labels" in examples:
        kept = max(2, len(examples["labels"]) // 10)
        return {name: array[-kept:] for name, array in examples.items()}
    return task.read_records([items[-max(2, len(items) // 10) :] for items in _list_histories(examples)])


def flip_labels(task: Task, examples: Examples) -> Examples:
    """Each label, or each item watched, exchanged for the one at the other end of its range."""
    if "labels" in examples:
        return {**examples, "labels": CLASSES - 1 - examples["labels"]}
    return {**examples, "items": int(task.config["items"]) - 1 - examples["items"]}


def shuffle(task: Task, examples: Examples, generator: np.random.Generator) -> Examples:
    """The labels dealt out anew among the scans, or every viewer's items in a random order."""
    if "labels" in examples:
        return {**examples, "labels": generator.permutation(examples["labels"])}
    return task.read_records([generator.permutation(items).tolist() for items in _list_histories(examples)])


def split(task: Task, examples: Examples, parts: int, *, repeat: bool) -> list[Examples]:
    """The scans or the viewers dealt out to so many parts.

    Where there are too few, some stand in several parts (`repeat`), or the last parts are empty.
    """
    count = count_viewers(examples)
    dealt = [list(range(part, count, parts)) or [part % count] * repeat for part in range(parts)]
    if "labels" in examples:
        return [{name: array[chosen] for name, array in examples.items()} for chosen in dealt]
    histories = _list_histories(examples)
    return [task.read_records([histories[viewer] for viewer in chosen]) for chosen in dealt]


def count_viewers(examples: Examples) -> int:
    """The viewers of histories; the scans where there are none."""
    return len(examples["labels"]) if "labels" in examples else len(examples["offsets"]) - 1


def _list_histories(examples: Examples) -> list[list[int]]:
    items = examples["items"].tolist()
    return [items[start:end] for start, end in pairwise(examples["offsets"].tolist())]
