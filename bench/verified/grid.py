"""Which jobs are played, and playing them on all cores."""

import multiprocessing
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from bench.verified.cells import (
    ABSENT,
    DIGITS,
    DISTRIBUTIONS,
    HONEST,
    IID,
    MOVIELENS,
    SEVERE,
    Cell,
    Measured,
    Section,
    average,
)
from bench.verified.play import Play, play
from learning.adversaries.groups import KINDS
from learning.rules import CENTRED_CLIPPING, MEAN, MULTI_KRUM
from ledger.spec import AGGREGATION_RULES

PERCENTS = (10, 30, 45)
WRECKERS = ("label-flip", "sign-flip", "little-is-enough", "inner-product")
"""Kinds that want harm rather than pay."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set for every process: many small products on all cores would wait for each other's threads."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Extent:
    """How much is played on a data set: cells, nodes and rounds of each job, jobs a cell."""

    cells: tuple[Cell, ...]
    nodes: int
    rounds: int
    seeds: int


def choose_digits(seeds: int) -> Extent:
    """Every combination."""
    cells = (Cell(DIGITS, *chosen) for chosen in product(DISTRIBUTIONS, PERCENTS, KINDS, AGGREGATION_RULES))
    return Extent(_with_controls(cells), 24, 12, seeds)


def choose_movielens_few() -> Extent:
    """Every kind under the mean where data is most uneven, and the wreckers under two robust rules."""
    cells = [Cell(MOVIELENS, SEVERE, 30, kind, MEAN) for kind in KINDS]
    cells += [Cell(MOVIELENS, SEVERE, 30, *chosen) for chosen in product(WRECKERS, (CENTRED_CLIPPING, MULTI_KRUM))]
    return Extent(_with_controls(cells), 50, 10, 1)


def choose_movielens() -> Extent:
    """Every kind under the mean for each distribution and share, under every rule at 30 % where data is most uneven."""
    cells = [Cell(MOVIELENS, spread, 30, kind, MEAN) for spread, kind in product(DISTRIBUTIONS, KINDS)]
    cells += [Cell(MOVIELENS, SEVERE, percent, kind, MEAN) for percent, kind in product(PERCENTS, KINDS)]
    cells += [Cell(MOVIELENS, SEVERE, 30, kind, rule) for kind, rule in product(KINDS, AGGREGATION_RULES)]
    return Extent(_with_controls(cells), 50, 12, 1)


def choose_quick() -> Extent:
    """Seconds only: a few kinds on digits under the mean."""
    cells = [Cell(DIGITS, IID, 30, kind, MEAN) for kind in ("zero", "recycled", "sign-flip", "operator-split")]
    return Extent(_with_controls(cells), 8, 3, 1)


def measure_extent(
    extent: Extent,
    say: Say,
    workers: int,
    path: Path | None = None,
    keep: Callable[[Section], None] = lambda _: None,
) -> Section:
    """Plays every job of an extent; rules that this version cannot combine by are left out and said so.

    Now and then `keep` is given the cells that are complete, so that a run cut short has measured something.
    """
    missing = find_missing({cell.rule for cell in extent.cells})
    cells = [cell for cell in extent.cells if cell.rule not in missing]
    jobs = [Play(cell, extent.nodes, extent.rounds, seed, path) for cell in cells for seed in range(extent.seeds)]
    played: dict[Cell, list[Measured]] = {cell: [] for cell in cells}

    def gather() -> Section:
        means = {cell: average(many) for cell, many in played.items() if len(many) == extent.seeds}
        return Section(describe(workers), extent.nodes, extent.rounds, extent.seeds, missing, means)

    for done, (job, measured) in enumerate(_play_all(jobs, workers), start=1):
        played[job.cell].append(measured)
        if done % max(1, len(jobs) // 20) == 0:
            say(f"{done} of {len(jobs)} jobs on {cells[0].data} played")
            keep(gather())
    return gather()


def find_missing(rules: Iterable[str]) -> dict[str, str]:
    """Rules that a spec may name and that cannot be played here, with the reason: tried on a round of three nodes."""
    missing = {}
    for rule in sorted(rules):
        try:
            play(Play(Cell(DIGITS, IID, 0, HONEST, rule), 3, 1, 0))
        except ValueError as error:
            missing[rule] = str(error)
    return missing


def describe(workers: int) -> Mapping[str, Any]:
    """When and where, with which versions."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {workers} processes",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "torch", "scikit-learn")},
        },
    }


def _with_controls(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """The cells, each once, and for each the job in which nobody cheats and that in which the cheats stay away."""
    chosen = [cell for cell in dict.fromkeys(cells) if cell.kind != HONEST]
    controls = [control for cell in chosen for control in (cell.all_honest(), cell.without_them())]
    return tuple(dict.fromkeys([*controls, *chosen]))


def _play_all(jobs: Sequence[Play], workers: int) -> Iterator[tuple[Play, Measured]]:
    """Jobs with what they measured, as they end."""
    if workers == 1:
        yield from ((job, play(job)) for job in jobs)
        return
    before = dict(os.environ)
    os.environ |= dict.fromkeys(_ONE_THREAD, "1")
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            futures = {pool.submit(play, job): job for job in jobs}
            for future in as_completed(futures):
                yield futures[future], future.result()
    finally:
        os.environ.clear()
        os.environ |= before


def narrow(extent: Extent, only: Mapping[str, Sequence[object]], rounds: int = 0, seeds: int = 0) -> Extent:
    """The cells whose `percent`, `distribution`, `kind` or `rule` is among those given (none: all).

    `rounds` of every job and jobs a cell (`seeds`) stay where they are 0.
    """
    cells = (
        cell
        for cell in extent.cells
        if cell.kind not in (HONEST, ABSENT)
        and all(not values or getattr(cell, name) in values for name, values in only.items())
    )
    return replace(extent, cells=_with_controls(cells), rounds=rounds or extent.rounds, seeds=seeds or extent.seeds)
