"""Dishonest nodes at scale: pay, detection, false positives and what is left of the model; `docs/verified-work.md`."""

import os

from bench.figures import Unit, at_most
from bench.report import Report
from bench.scores import BARS
from bench.verified.cells import RESULTS, Section, load, save
from bench.verified.grid import (
    choose_digits,
    choose_movielens_few,
    choose_quick,
    measure_extent,
)
from bench.verified.histories import prepare
from bench.verified.tables import MIDDLE, SPREADS, TITLES, find_worst, percent, show
from client.settings import find_home
from learning.adversaries.groups import KINDS
from learning.rules import MEAN

PAY = Unit("of an honest node's pay")


def run(report: Report) -> None:
    """Digits in full, MovieLens-100K in part, on all cores; `python -m bench.verified --full` plays everything."""
    workers = os.cpu_count() or 1
    if report.quick:
        section = measure_extent(choose_quick(), report.say, 1)
        _report_section(report, "digits", section)
        return
    path = prepare(find_home() / "cache")
    for name, extent in (("digits", choose_digits(1)), ("movielens", choose_movielens_few())):
        section = measure_extent(extent, report.say, workers, path)
        _report_section(report, name, section)
        _keep(report, name, section)


def _keep(report: Report, name: str, section: Section) -> None:
    """Saves what was measured, unless more was once: the page then keeps the fuller grid."""
    saved = load().get(name) if RESULTS.exists() else None
    if saved is not None and len(saved.cells) * saved.seeds > len(section.cells) * section.seeds:
        report.note(
            f"docs/verified-work.md keeps the fuller grid on {TITLES[name]} of {saved.about['measured_at'][:10]}; "
            "remove bench/verified.json to have this one."
        )
        return
    save({name: section}, RESULTS)


def _report_section(report: Report, name: str, section: Section) -> None:
    for kind in KINDS:
        worst = find_worst(section, name, MIDDLE, kind, MEAN)
        if worst is None:
            continue
        cell, one = worst
        honest = section.cells[cell.all_honest()]
        how = (
            f"{MIDDLE} % of {section.nodes} nodes, {section.rounds} rounds, mean, {SPREADS[cell.distribution]}: "
            f"captured {percent(one.captured)}, AUROC {show(one.auroc)}, refused {percent(one.refused)}, "
            f"honest nodes refused {percent(one.refused_honest, 1)}, quality {one.quality:.3f} "
            f"(all honest {honest.quality:.3f})"
        )
        if one.pay is None:
            report.note(f"{TITLES[name]}, {kind}: nobody was paid; {how}")
            continue
        bar = at_most(BARS[kind]) if kind in BARS and not report.quick else None
        report.add(
            f"pay on {TITLES[name]}: {kind}",
            PAY,
            one.pay,
            how=how,
            bar=bar,
            bound="what loss alone can tell a few rounds",
        )
