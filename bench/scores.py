"""Whether scores tell the truth: Aumann–Shapley against exact Shapley, and what a whole job pays those who cheat."""

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bench.figures import SECONDS, SHARE, Unit, at_least, at_most
from bench.report import Report
from bench.scoring.game import compute_shapley, correlate, correlate_ranks
from bench.scoring.grounds import Ground, lay_out_digits, lay_out_recommender
from bench.scoring.payroll import Job
from bench.scoring.privacy import read_sampled_items, read_watched_items
from client.settings import find_home
from learning.adversaries import ADVERSARIES, work_honestly

ROUNDS, LATER = 18, 6
JOBS = 2
NODES_OF_A_KIND = 2
DEALS = 20
SCANS, POSITIONS = 600, 400
ERROR = Unit("of the shares")
NATS = Unit("nats")
PAY = Unit("of an honest node's pay")

# Wreckers want harm, not pay: two of each would hold back all others; the adversaries bench plays them.
KINDS = tuple(kind for kind in ADVERSARIES if kind not in ("sign-flip", "little-is-enough", "inner-product"))

# What each kind may earn at most, honest = 1; the rest is printed without a bar.
BARS = {
    "zero": 0.0,
    "noise": 0.01,
    "replayed-move": 0.001,
    "replayed-older-move": 0.001,
    "replayed-gradient": 0.001,
    "replayed-older-gradient": 0.001,
    "copied": 0.1,
    "averaged": 0.1,
    "half-hearted": 0.35,
}


@dataclass(frozen=True)
class Truth:
    """How one game's shares compare: correlations, the sum's error in nats, quadrature errors, seconds."""

    pearson: float
    spearman: float
    sum_error: float
    errors: Mapping[int, float]
    share_seconds: float
    exact_seconds: float


@dataclass(frozen=True)
class Payroll:
    """A job's pay by kind, honest mean = 1, every node's, and how many node-rounds of each kind were refused."""

    pay: Mapping[str, Sequence[float]]
    refused: Mapping[str, int]
    rounds: int


def run(report: Report) -> None:
    """Every game and every job, on two processes."""
    cache = find_home() / "cache"
    ground = lay_out_recommender(cache)  # fetches the data set once, before two processes would
    rounds, jobs = (3, 1) if report.quick else (ROUNDS, JOBS)
    report.say(f"{jobs} jobs of {rounds} rounds with {len(KINDS)} kinds of cheats, and four games of 2^10 coalitions")
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        payrolls = [pool.submit(pay_job, cache, seed, rounds) for seed in range(1, jobs + 1)]
        later = 1 if report.quick else LATER
        games = {
            "digits, ten nodes, Dirichlet 0.1": pool.submit(play_digits, 0.1),
            "digits, ten nodes, Dirichlet 1.0": pool.submit(play_digits, 1.0),
            "recommender, ten groups, first round": pool.submit(play_recommender, cache, 0),
            f"recommender, ten groups, after {later} rounds": pool.submit(play_recommender, cache, later),
        }
        for name, game in games.items():
            _report_truth(report, name, game.result())
        _report_privacy(report, ground)
        _report_pay(report, [_wait(report, payroll) for payroll in payrolls])


def play_digits(concentration: float) -> list[Truth]:
    """Ten nodes, the first round, for several ways of dealing out the scans."""
    return [find_truth(lay_out_digits(concentration, deal), 0, SCANS) for deal in range(DEALS)]


def play_recommender(cache: Path, rounds: int) -> list[Truth]:
    """Ten groups of twenty nodes, after so many rounds."""
    return [find_truth(lay_out_recommender(cache), rounds, POSITIONS)]


def find_truth(ground: Ground, rounds: int, positions: int) -> Truth:
    """Plays one round's game by enumeration and by quadrature."""
    torch.set_num_threads(1)
    game = ground.play(rounds, 10, positions)
    begun = time.perf_counter()
    scores = game.score()
    scored = time.perf_counter()
    values = game.enumerate_values()
    enumerated = time.perf_counter()
    exact, reference = compute_shapley(values), game.share(24)
    size = np.abs(reference).sum()
    errors = {points: float(np.abs(game.share(points) - reference).sum() / size) for points in (3, 6)}
    return Truth(
        pearson=correlate(scores, exact),
        spearman=correlate_ranks(scores, exact),
        sum_error=float(abs(scores.sum() - values[-1])),
        errors=errors,
        share_seconds=scored - begun,
        exact_seconds=enumerated - scored,
    )


def pay_job(cache: Path, seed: int, rounds: int) -> Payroll:
    """A job of 200 nodes, two of each kind of cheat among them."""
    torch.set_num_threads(1)
    ground = lay_out_recommender(cache, seed)
    kinds = ["honest"] * len(ground.nodes)
    places = np.random.default_rng(seed).permutation(len(kinds))[: len(KINDS) * NODES_OF_A_KIND].tolist()
    for number, place in enumerate(places):
        kinds[place] = KINDS[number % len(KINDS)]
    behaviours = [ADVERSARIES.get(kind, work_honestly) for kind in kinds]
    job = Job(ground.task, ground.rules, ground.nodes, behaviours, ground.validation, seed)
    *_, books = job.run(rounds)
    honest = np.mean([earned for kind, earned in zip(kinds, books.earned, strict=True) if kind == "honest"])
    pay: dict[str, list[float]] = {kind: [] for kind in ("honest", *KINDS)}
    refused = dict.fromkeys(pay, 0)
    for kind, earned, times in zip(kinds, books.earned, books.refused, strict=True):
        pay[kind].append(float(earned / honest))
        refused[kind] += times
    return Payroll(pay, refused, rounds)


def _wait(report: Report, payroll: "Future[Payroll]") -> Payroll:
    result = payroll.result()
    report.say(f"a job of {result.rounds} rounds is over")
    return result


def _report_truth(report: Report, name: str, games: Sequence[Truth]) -> None:
    digits = name.startswith("digits")
    positions = SCANS if digits else POSITIONS
    spread = "how far the loss is from a quadratic one along the step"
    correlations = {
        "Pearson": ([game.pearson for game in games], at_least(0.9995 if digits else 0.998)),
        "Spearman": ([game.spearman for game in games], at_least(0.994 if digits else 1.0)),
    }
    for kind, (values, bar) in correlations.items():
        how = (
            f"scores before public directions leave them, against 1,024 coalitions on {positions} positions; "
            f"mean of {len(values)} games, least {min(values):.5f}"
        )
        report.add(f"{name}: {kind} with exact Shapley", SHARE, float(np.mean(values)), how=how, bar=bar, bound=spread)
    report.add(
        f"{name}: sum of scores against the fall in loss",
        NATS,
        max(game.sum_error for game in games),
        how="the largest difference",
        bar=at_most(0.001),
        bound="six points of quadrature and rounding",
    )
    for points in games[0].errors:
        error = max(game.errors[points] for game in games)
        how = "against 24 points: the largest sum of differences, over the sum of shares"
        report.add(f"{name}: error of {points} points", ERROR, error, how=how)
    report.add(
        f"{name}: time for all scores",
        SECONDS,
        float(np.median([game.share_seconds for game in games])),
        peers={"enumeration": float(np.median([game.exact_seconds for game in games]))},
        how="six gradients and a product an update, against 1,024 losses; one thread",
    )


def _report_privacy(report: Report, ground: Ground) -> None:
    precision, recall = read_watched_items(ground)
    report.note(
        "What an open update tells: of the items whose bias rose in it, "
        f"{precision:.1%} were watched on that node, and {recall:.1%} of the watched ones are among them (first round, "
        "40 nodes of several viewers). Open evidence is for those who may know that."
    )
    precision, recall, likeness = read_sampled_items(ground, POSITIONS)
    report.note(
        f"What an open gradient tells of a sample of {POSITIONS} positions: of the items whose bias it wants larger, "
        f"{precision:.1%} are asked for in the sample, {recall:.1%} of those asked for are among them, and how much "
        f"larger goes with how often at a correlation of {likeness:.3f}. A job may keep both private until it ends."
    )


def _report_pay(report: Report, payrolls: Sequence[Payroll]) -> None:
    honest = np.concatenate([payroll.pay["honest"] for payroll in payrolls])
    rounds = payrolls[0].rounds
    turned_away = sum(payroll.refused["honest"] for payroll in payrolls)
    for kind in KINDS:
        pay = np.concatenate([payroll.pay[kind] for payroll in payrolls])
        refused = sum(payroll.refused[kind] for payroll in payrolls)
        below = float(np.mean(honest <= pay.max()))
        caught = float(np.mean(honest[:, None] > pay) + np.mean(honest[:, None] == pay) / 2)
        bar = at_most(BARS[kind]) if kind in BARS and rounds == ROUNDS else None
        how = (
            f"{rounds} rounds, {len(payrolls)} jobs of 200 nodes, {pay.min():.3f} to {pay.max():.3f}; refused "
            f"{refused} of {rounds * pay.size} times; honest nodes paid no more than the best of these {below:.1%}, "
            f"refused {turned_away} of {rounds * honest.size} times; AUROC {caught:.3f}"
        )
        report.add(f"pay: {kind}", PAY, float(pay.mean()), how=how, bar=bar, bound="what loss alone can tell")
    report.note(
        f"Honest nodes' pay, mean 1: {honest.min():.2f} to {honest.max():.2f}, standard deviation {honest.std():.2f}."
    )
