"""What is played and what is measured, and the file that keeps it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "verified.json"
HONEST, ABSENT = "honest", "absent"
"""Kinds that cheat nobody: all are honest; those who would not be stay away, and their data with them."""

DIGITS, MOVIELENS = "digits", "movielens"
IID, MILD, SEVERE = "iid", "dirichlet-1.0", "dirichlet-0.1"
DISTRIBUTIONS = (IID, MILD, SEVERE)


@dataclass(frozen=True, order=True)
class Cell:
    """A job: where its data is from and how it is spread, who cheats how, and by which rule updates are combined.

    `percent` of the nodes are dishonest, or absent: 0 exactly where `kind` is HONEST.
    """

    data: str
    distribution: str
    percent: int
    kind: str
    rule: str

    def all_honest(self) -> "Cell":
        """The same job in which nobody cheats."""
        return Cell(self.data, self.distribution, 0, HONEST, self.rule)

    def without_them(self) -> "Cell":
        """The same job in which those who cheat stay away."""
        return Cell(self.data, self.distribution, self.percent, ABSENT, self.rule)


@dataclass(frozen=True)
class Measured:
    """What came of a job, or the means over several.

    Attributes:
        pay: a dishonest node's, over an honest node's; None where no honest node was paid.
        captured: the dishonest nodes' part of all tokens paid; None where nothing was.
        auroc: how often an honest node is paid more than a dishonest one, ties counting half.
        refused_honest: the part of honest node-rounds that screening refused: false positives.
        refused: the part of dishonest node-rounds that screening refused.
        excluded_honest: the part of honest node-rounds that the aggregation rule left out.
        excluded: the same of dishonest ones.
        quality: of the last model on the hold-out: accuracy, or HR@10 against 99 negatives.
        void: the part of rounds that changed nothing.
    """

    pay: float | None
    captured: float | None
    auroc: float | None
    refused_honest: float
    refused: float
    excluded_honest: float
    excluded: float
    quality: float
    void: float


def average(many: Sequence[Measured]) -> Measured:
    """The means, each over the jobs in which it is defined."""
    means: dict[str, Any] = {}
    for one in fields(Measured):
        defined = [value for value in (getattr(measured, one.name) for measured in many) if value is not None]
        means[one.name] = round(fmean(defined), 4) if defined else None
    return Measured(**means)


@dataclass(frozen=True)
class Section:
    """All that was measured on one data set.

    Attributes:
        about: when, on what machine, with which versions.
        nodes: how many take part in every round.
        rounds: of every job.
        seeds: how many jobs each cell is the mean of.
        missing: rules that could not be played, and why.
        cells: what was measured.
    """

    about: Mapping[str, Any]
    nodes: int
    rounds: int
    seeds: int
    missing: Mapping[str, str]
    cells: Mapping[Cell, Measured]


def save(sections: Mapping[str, Section], path: Path) -> None:
    """Writes these data sets' sections, a line a cell; other data sets' sections stay."""
    everything = {**(load(path) if path.exists() else {}), **sections}
    parts = []
    for name, section in sorted(everything.items()):
        head = {key: value for key, value in vars(section).items() if key != "cells"}
        rows = [
            json.dumps([*asdict(cell).values(), *asdict(measured).values()])
            for cell, measured in sorted(section.cells.items(), key=lambda item: item[0])
        ]
        text = json.dumps({**head, "columns": _COLUMNS}, indent=1, sort_keys=True)
        parts.append(f'"{name}": {text[:-2]},\n "cells": [\n  ' + ",\n  ".join(rows) + "\n ]\n}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8", newline="\n")


def load(path: Path = RESULTS) -> dict[str, Section]:
    """Reads what `save` wrote."""
    sections = {}
    for name, saved in json.loads(path.read_text(encoding="utf-8")).items():
        width = len(fields(Cell))
        cells = {Cell(*row[:width]): Measured(*row[width:]) for row in saved.pop("cells")}
        del saved["columns"]
        sections[name] = Section(**saved, cells=cells)
    return sections


_COLUMNS = [one.name for one in (*fields(Cell), *fields(Measured))]
