"""How well our recommender guesses, beside simpler and centralised ones: `python -m bench.recommender --data FILE`.

Protocol: leave one out. Each viewer's last item is the test, the one before the validation; everything learns from what
is left, and is told the history up to the asked item. Settings were chosen on the validation items alone (`--search`
shows how); the test items are looked at once, by the settings that stand here.

No leak: no training here knows of negatives, and none of it is handed the last two items. The softmax runs over the
whole catalogue, so a viewer's test item is to it what the 99 negatives are, an item not watched; those are drawn among
what the viewer never watched. Whoever trains alone must therefore end at chance, 0.10 among 100 items, and does.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from bench.figures import SHARE, at_least
from bench.machine import describe_machine
from bench.recommendation.baselines import count_pairs, ease, ease_from_pairs, item_knn, popularity
from bench.recommendation.ours import Setting, Trained, count_nodes, train_alone, train_centrally, train_federated
from bench.recommendation.ranking import Quality, Scorer, average, measure
from bench.recommendation.reported import REPORTED
from bench.recommendation.search import search
from bench.recommendation.views import MalformedViews, Views, ask, cut_last
from bench.report import Report
from client.demo.movielens import DataUnavailable
from client.settings import find_home

NEIGHBOURS = (20, 50, 100, 200)
PENALTIES = (100.0, 200.0, 400.0, 800.0)
METRICS = ("HR@10, 99 negatives", "NDCG@10, 99 negatives", "HR@10, full ranking", "NDCG@10, full ranking")
BARS = (0.67, 0.41, 0.17, 0.095)
BOUND = "943 histories; seeds differ by a point"


@dataclass(frozen=True)
class Effort:
    """How much is trained: the settings of ours, the passes of the twin, and how many seeds."""

    federated: Setting
    single: Setting
    twin: Setting
    passes: int
    alone: Setting
    seeds: int


FULL = Effort(
    federated=Setting(),
    single=Setting(single=True, cohort=200),
    twin=Setting({"steps": 1_400, "rate": "3", "biasRate": "1"}),
    passes=4,
    alone=Setting(rounds=3),
    seeds=3,
)
QUICK = replace(
    FULL,
    federated=Setting(rounds=4, cohort=40),
    single=Setting(rounds=4, single=True, cohort=40),
    passes=2,
    alone=Setting(rounds=1),
    seeds=2,
)


def run(report: Report) -> None:
    """MovieLens-100K: the table, and our figures against the bars."""
    compare(report, Views.of_movielens(find_home() / "cache"), QUICK if report.quick else FULL, BARS)


def compare(report: Report, views: Views, effort: Effort, bars: Sequence[float] | None) -> None:
    """Trains and measures everything, prints the table, reports our figures."""
    report.say(f"{views.name}: {len(views.histories)} viewers, {views.items} items; training on two processes")
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        seeds = range(1, effort.seeds + 1)
        federated = [pool.submit(train_federated, views, effort.federated, seed) for seed in seeds]
        single = [pool.submit(train_federated, views, effort.single, seed) for seed in seeds]
        twins = [pool.submit(train_centrally, views, effort.twin, effort.passes, seed) for seed in seeds]
        alone = pool.submit(train_alone, views, effort.alone, 1)
        simple = _measure_simple(views)
        report.say("popularity, item-kNN and EASE are measured")
        nodes = count_nodes(views, effort.federated)
        trained = {
            "centralised twin of ours": [_wait(report, "centralised twin", future.result) for future in twins],
            f"ours, federated, {len(views.histories)} single-viewer nodes": [
                _wait(report, "single-viewer nodes", future.result) for future in single
            ],
            f"ours, federated, {nodes} nodes": [_wait(report, f"{nodes} nodes", future.result) for future in federated],
        }
        qualities = {
            **simple,
            "ours, each viewer alone (chance is 0.10)": alone.result(),
            **{name: average([one.test for one in runs]) for name, runs in trained.items()},
        }
    _print_table(qualities, reported=bars is not None)
    _report_figures(report, qualities, trained, effort, bars)
    report.note(_compare_ease(views, nodes))


def _measure_simple(views: Views) -> dict[str, Quality]:
    """The closed forms, their one number each chosen on the validation items."""
    known, validation, test = cut_last(views.histories, 2), ask(views, 2), ask(views, 1)

    def choose(make: Callable[[float], Scorer], numbers: Sequence[float]) -> Quality:
        scorers = [make(number) for number in numbers]
        best = max(scorers, key=lambda scorer: measure(scorer, validation).ndcg)
        return measure(best, test)

    return {
        "popularity": measure(popularity(known, views.items), test),
        "item-kNN": choose(lambda number: item_knn(known, views.items, int(number)), NEIGHBOURS),
        "EASE": choose(lambda number: ease(known, views.items, number), PENALTIES),
    }


def _wait(report: Report, name: str, result: Callable[[], Trained]) -> Trained:
    trained = result()
    report.say(f"{name}: validation {trained.validation}, rate halved {trained.halvings} times")
    return trained


def _print_table(qualities: Mapping[str, Quality], *, reported: bool) -> None:
    print(f"\n{'':<58}{'HR@10':>12}{'NDCG@10':>12}{'full HR':>12}{'full NDCG':>12}")
    for name, quality in qualities.items():
        print(f"{name:<58}" + "".join(f"{value:>12.3f}" for value in astuple(quality)))
    if reported:
        print("reported, not measured in this run:")
        for name, values in REPORTED.items():
            print(f"  {name:<56}" + "".join(f"{value:>12}" for value in values))
    print(flush=True)


def _report_figures(
    report: Report,
    qualities: Mapping[str, Quality],
    trained: Mapping[str, Sequence[Trained]],
    effort: Effort,
    bars: Sequence[float] | None,
) -> None:
    *others, ours = qualities
    for place, metric in enumerate(METRICS):
        peers = {name: astuple(qualities[name])[place] for name in others}
        by_seed = ", ".join(f"{astuple(one.test)[place]:.3f}" for one in trained[ours])
        how = f"{ours}, {effort.federated.rounds} rounds, int16 updates; mean of {effort.seeds} seeds: {by_seed}"
        bar = at_least(bars[place]) if bars and not report.quick else None
        report.add(metric, SHARE, astuple(qualities[ours])[place], how=how, peers=peers, bar=bar, bound=BOUND)


def _compare_ease(views: Views, nodes: int) -> str:
    """EASE from the nodes' own counts, added up, against EASE from all histories: integers, so the same to the bit."""
    known = cut_last(views.histories, 2)
    parts = [count_pairs(known[node::nodes], views.items) for node in range(nodes)]
    added = ease_from_pairs(sum(parts[1:], parts[0]), PENALTIES[0])(known[:8])
    whole = ease(known, views.items, PENALTIES[0])(known[:8])
    same = "the same to the bit" if (added == whole).all() else "NOT the same"
    return f"EASE from the pair counts of {nodes} nodes, added up, and EASE from all histories in one place: {same}."


def main() -> int:
    """The bench on other data, or the search."""
    parser = argparse.ArgumentParser(prog="python -m bench.recommender", description=run.__doc__)
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="a CSV of viewer, item, time (default: MovieLens-100K)"
    )
    parser.add_argument("--search", action="store_true", help="vary the settings; validation items only; hours")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds each setting is trained from")
    parser.add_argument("--quick", action="store_true", help="train less, to try it out")
    options = parser.parse_args()
    try:
        views = Views.of_csv(options.data) if options.data else Views.of_movielens(find_home() / "cache")
    except (MalformedViews, DataUnavailable, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.search:
        search(views, options.seeds)
        return 0
    # Quick reports are never saved: results.json holds MovieLens-100K, by `python -m bench`.
    report = Report("recommender", quick=True, about=describe_machine())
    compare(report, views, replace(QUICK if options.quick else FULL, seeds=options.seeds), None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
