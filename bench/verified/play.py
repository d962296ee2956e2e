"""One job of a cell: played by the product's rounds, measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.scoring.payroll import Job, Paid
from bench.verified.cells import ABSENT, HONEST, Cell, Measured
from bench.verified.grounds import Ground, choose_clip, lay_out
from bench.verified.weights import weigh
from learning.adversaries.groups import Cast, choose_places, compose
from learning.rules import MULTI_KRUM, TRIMMED_MEAN, LearningRules
from learning.tasks import Task

TOLERANCE = "0.3"
"""What jobs that must name it expect to be dishonest, whatever is: nobody knows beforehand."""


@dataclass(frozen=True)
class Play:
    """A job to play: `seed` chooses the deal, the dishonest and every chance; `path` is MovieLens' prepared file."""

    cell: Cell
    nodes: int
    rounds: int
    seed: int
    path: Path | None = None


def play(job: Play) -> Measured:
    """Plays a job from its first round to its last."""
    torch.set_num_threads(1)
    cell = job.cell
    place = (cell.data, cell.distribution, job.nodes, job.seed, job.path)
    ground = lay_out(*place)
    cast = choose_cast(job, ground)
    *_, books = Job(
        ground.task,
        choose_rules(ground.task, cell.rule, choose_clip(*place)),
        cast.nodes,
        cast.behaviours,
        ground.validation,
        job.seed,
        cast.dishonest,
        weigh(cast, ground.task),
        cast.dishonest if cast.throwaway else (),
    ).run(job.rounds)
    quality = ground.task.evaluate(books.model, ground.holdout, job.seed)[ground.metric]
    return measure(books, cast.dishonest, job.rounds, quality)


def choose_cast(job: Play, ground: Ground) -> Cast:
    """Who takes part."""
    cell = job.cell
    if cell.kind == HONEST:
        return Cast.of_honest(ground.nodes)
    places = choose_places(job.nodes, cell.percent / 100, job.seed)
    if cell.kind == ABSENT:
        return Cast.of_honest([own for place, own in enumerate(ground.nodes) if place not in places])
    return compose(cell.kind, ground.task, ground.nodes, places)


def choose_rules(task: Task, rule: str, clip: str) -> LearningRules:
    """The task's own rules with this aggregation rule and first norm bound."""
    tolerance = TOLERANCE if rule in (TRIMMED_MEAN, MULTI_KRUM) else "0"
    return replace(task.suggested_rules(), aggregation_rule=rule, aggregation_tolerance=tolerance, clip_norm=clip)


def measure(books: Paid, dishonest: Sequence[int], rounds: int, quality: float) -> Measured:
    """What the books say of these nodes beside all others; where nobody cheats, all shares of cheats are 0."""
    cheats = np.isin(np.arange(len(books.earned)), dishonest)
    earned = np.array(books.earned, np.float64)
    honest, theirs = earned[~cheats], earned[cheats]
    return Measured(
        pay=float(theirs.mean() / honest.mean()) if theirs.size and honest.any() else None,
        captured=float(theirs.sum() / earned.sum()) if theirs.size and earned.any() else None,
        auroc=compute_auroc(honest, theirs) if theirs.size else None,
        refused_honest=_compute_part(books.refused, ~cheats, rounds),
        refused=_compute_part(books.refused, cheats, rounds),
        excluded_honest=_compute_part(books.excluded, ~cheats, rounds),
        excluded=_compute_part(books.excluded, cheats, rounds),
        quality=quality,
        void=books.void / rounds,
    )


def compute_auroc(honest: NDArray[np.float64], dishonest: NDArray[np.float64]) -> float:
    """How often an honest node's pay is above a dishonest one's, ties counting half."""
    above = np.mean(honest[:, None] > dishonest)
    return float(above + np.mean(honest[:, None] == dishonest) / 2)


def _compute_part(times: Sequence[int], chosen: NDArray[np.bool_], rounds: int) -> float:
    return float(np.array(times)[chosen].mean() / rounds) if chosen.any() else 0.0
