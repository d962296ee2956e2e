"""What a figure says of itself, and that what is saved is what was measured."""

import json
import math
from pathlib import Path

import pytest

from bench.figures import BYTES, GAS, PER_SECOND, SECONDS, SHARE, Bar, Figure, Missing, at_least, at_most, times_better
from bench.render import render
from bench.report import Report, describe, load_results, missing, read_figure

ABOUT = {
    "measured_at": "2026-01-01T00:00:00+00:00",
    "machine": {"processor": "P", "cores": 2, "memory_bytes": 2**34, "system": "S", "load": 0.1},
    "versions": {"numpy": "2"},
}


def figure(ours: float, bar: Bar | None = None, peer: float | Missing = 1.0, unit: object = SECONDS) -> Figure:
    return Figure("x", unit, ours, "how", {"peer": peer}, bar, "the disk")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "verdict"),
    [
        (figure(1.0), ""),
        (figure(1.0, at_most(1.0)), "met"),
        (figure(1.25, at_most(1.0)), "missed by 25%"),
        (figure(1.001, at_most(1.0)), "missed by < 1%"),
        (figure(0.5, at_most(0.0)), "missed by 500 ms"),
        (figure(900, at_least(1000), unit=PER_SECOND), "missed by 10%"),
        (figure(0.01, times_better(50)), "met"),
        (figure(0.1, times_better(50)), "missed: peer 10 x"),
        (figure(0.01, times_better(50), Missing("no network")), "not judged: no figure of peer"),
    ],
)
def test_verdict_says_met_or_by_how_much_missed(judged: Figure, verdict: str) -> None:
    assert judged.judge() == verdict


def test_ratio_is_above_one_where_ours_is_better() -> None:
    assert figure(0.5).compute_ratio("peer") == 2
    assert figure(0.5, unit=PER_SECOND).compute_ratio("peer") == 0.5
    assert figure(0.0).compute_ratio("peer") == math.inf
    assert math.isnan(figure(0.5, peer=Missing("none")).compute_ratio("peer"))


def test_values_are_shown_with_their_unit() -> None:
    shown = [SECONDS.show(value) for value in (0, 3e-9, 4.25e-6, 0.0123, 95.5, 240)]
    assert shown == ["0 s", "3 ns", "4.25 µs", "12.3 ms", "95.5 s", "240 s"]
    assert [BYTES.show(value) for value in (12, 2048, 300 * 2**20)] == ["12 bytes", "2 KiB", "300 MiB"]
    assert (GAS.show(107_000), PER_SECOND.show(12_345.6), SHARE.show(0.676)) == ("107,000 gas", "12,346 /s", "0.676")


def test_line_of_a_missed_bar_says_what_bounds_it() -> None:
    line = describe(figure(2.0, at_most(1.0)))
    assert line == "x: 2 s | peer 1 s (0.5 x) | bar at most 1 s: missed by 100%, bound by the disk | how"
    assert "bound by" not in describe(figure(1.0, at_most(1.0)))


def test_a_figure_is_saved_as_it_was_added(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    report = Report("receipts", quick=False, about=ABOUT, results=results)
    report.add("digest", SECONDS, 3e-6, how="once", peers={"a": 2e-4, **missing("b", OSError("no"))})
    report.add("leaf", SECONDS, 1.0, how="twice", bar=at_most(2.0), bound="keccak")
    report.note("one was left out")
    saved = load_results(results)["receipts"]
    assert [read_figure(saved_figure) for saved_figure in saved["figures"]] == report.figures
    assert saved["notes"] == ["one was left out"]
    text = render(load_results(results))
    assert "| digest | 3 µs | a 200 µs (66.7 x); b not run: no | – | – | once |" in text
    assert "| leaf | 1 s | – | at most 2 s | met | twice |" in text


def test_a_bench_run_again_replaces_its_own_figures_only(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    for bench, value in (("gas", 1.0), ("receipts", 2.0), ("gas", 3.0)):
        Report(bench, quick=False, about=ABOUT, results=results).add("x", GAS, value, how="once")
    saved = json.loads(results.read_text(encoding="utf-8"))
    assert {bench: [each["ours"] for each in saved[bench]["figures"]] for bench in saved} == {
        "gas": [3.0],
        "receipts": [2.0],
    }


def test_quick_figures_are_not_saved(tmp_path: Path) -> None:
    Report("gas", quick=True, about=ABOUT, results=tmp_path / "r.json").add("x", GAS, 1.0, how="once")
    assert not (tmp_path / "r.json").exists()


def test_a_bar_without_a_bound_and_a_name_twice_are_refused(tmp_path: Path) -> None:
    report = Report("gas", quick=True, about=ABOUT, results=tmp_path / "r.json")
    with pytest.raises(ValueError, match="what bounds"):
        report.add("x", GAS, 1.0, how="once", bar=at_most(2))
    report.add("x", GAS, 1.0, how="once")
    with pytest.raises(ValueError, match="new name"):
        report.add("x", GAS, 1.0, how="once")
