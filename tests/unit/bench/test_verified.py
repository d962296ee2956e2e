"""The adversaries bench: what it plays, what it measures, and the page that says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.adversaries import run
from bench.report import Report
from bench.scoring.payroll import Paid
from bench.verified.cells import DIGITS, HONEST, IID, MOVIELENS, SEVERE, Cell, Measured, Section, average, load, save
from bench.verified.failings import render as render_failings
from bench.verified.grid import choose_digits, choose_movielens, choose_movielens_few, find_missing, narrow
from bench.verified.grounds import lay_out
from bench.verified.histories import Viewers
from bench.verified.page import render
from bench.verified.play import compute_auroc, measure
from bench.verified.tables import find_worst
from bench.verified.weights import weigh
from learning.adversaries.examples import count_viewers
from learning.adversaries.groups import KINDS, compose
from learning.tasks import get_task
from ledger.spec import AGGREGATION_RULES

NOTHING = Measured(None, None, None, 0.0, 0.0, 0.0, 0.0, 0.9, 0.0)


def make_viewers(tmp_path: Path) -> Path:
    generator = np.random.default_rng(1)
    histories = [generator.permutation(40)[: 8 + viewer % 5] for viewer in range(360)]
    path = tmp_path / "viewers.npz"
    Viewers.of(histories, 40).save(path)
    return path


def make_section(cells: dict[Cell, Measured]) -> Section:
    about = {"measured_at": "2026-01-01T00:00:00", "machine": "m", "versions": {"numpy": "2"}}
    return Section(about, 10, 3, 1, {}, cells)


def test_quick_run_pays_nothing_for_zeros_and_saves_nothing(tmp_path: Path) -> None:
    report = Report("adversaries", quick=True, about={}, results=tmp_path / "results.json")
    run(report)
    pay = {figure.name.rpartition(" ")[2]: figure.ours for figure in report.figures}
    assert pay["zero"] == 0.0
    assert pay["recycled"] == 0.0
    assert pay["sign-flip"] < 0.5
    assert not list(tmp_path.iterdir())


def test_digits_are_played_in_every_combination() -> None:
    cells = choose_digits(2).cells
    combinations = 3 * len(AGGREGATION_RULES) * (3 * (len(KINDS) + 1) + 1)
    assert len(cells) == len(set(cells)) == combinations
    assert all((cell.kind == HONEST) == (cell.percent == 0) for cell in cells)


def test_every_cell_has_the_job_in_which_nobody_cheats() -> None:
    for extent in (
        choose_movielens(),
        choose_movielens_few(),
        narrow(choose_digits(1), {"percent": [10], "distribution": [SEVERE], "rule": []}, 0, 2),
    ):
        assert {cell.all_honest() for cell in extent.cells} <= set(extent.cells)
        assert {cell.without_them() for cell in extent.cells if cell.percent} <= set(extent.cells)
    narrowed = narrow(choose_digits(1), {"percent": [10], "distribution": [SEVERE], "rule": []}, 0, 2)
    assert {cell.percent for cell in narrowed.cells} == {0, 10}
    assert (narrowed.seeds, {cell.distribution for cell in narrowed.cells}) == (2, {SEVERE})


def test_rule_that_learning_does_not_know_is_missing_with_the_reason() -> None:
    missing = find_missing(["mean", "fastest"])
    assert list(missing) == ["fastest"]
    assert "fastest" in missing["fastest"]


@pytest.mark.parametrize("data", [DIGITS, MOVIELENS])
def test_ground_gives_every_node_something_and_nothing_twice(data: str, tmp_path: Path) -> None:
    path = make_viewers(tmp_path) if data == MOVIELENS else None
    for distribution in (IID, SEVERE):
        ground = lay_out(data, distribution, 12, 3, path)
        counts = [count_viewers(own) for own in ground.nodes]
        assert min(counts) >= 1
        held = sum(counts) + count_viewers(ground.validation) + count_viewers(ground.holdout)
        assert held == (1797 if data == DIGITS else 360)
        assert float(ground.choose_clip()) > 0


def test_uneven_digits_leave_nodes_with_few_labels() -> None:
    def count(distribution: str) -> float:
        return float(
            np.mean([len(np.unique(own["labels"])) for own in lay_out(DIGITS, distribution, 24, 1, None).nodes])
        )

    assert count(SEVERE) < 6
    assert count(IID) > 9


def test_viewers_are_saved_and_read(tmp_path: Path) -> None:
    path = make_viewers(tmp_path)
    read = Viewers.load(path)
    assert read.catalogue == 40
    assert len(read.histories) == 360
    assert (
        read.histories[7].tolist() == np.concatenate(read.histories)[sum(8 + v % 5 for v in range(7)) :][:10].tolist()
    )


def test_weight_is_never_what_a_node_says() -> None:
    task = get_task("digits")
    nodes = lay_out(DIGITS, IID, 6, 1, None).nodes
    assert weigh(compose("inflated-counts", task, nodes, [1, 4]), task) == [1] * 6
    vouched = weigh(compose("operator-split-vouched", task, nodes, [1, 4]), task)
    assert vouched[1] + vouched[4] == len(nodes[1]["labels"])


def test_books_are_measured_by_who_is_dishonest() -> None:
    books = Paid(earned=(10, 30, 5, 5), refused=(1, 0, 2, 0), excluded=(0, 0, 0, 4), void=1)
    measured = measure(books, [2, 3], 4, 0.5)
    assert measured.pay == 0.25
    assert measured.captured == 0.2
    assert measured.auroc == 1.0
    assert measured.refused_honest == 1 / 8
    assert measured.refused == 2 / 8
    assert measured.excluded == 4 / 8
    assert measured.void == 0.25
    assert measure(Paid((0, 0), (0, 0), (0, 0)), [1], 4, 0.5).pay is None


def test_auroc_counts_ties_half() -> None:
    assert compute_auroc(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    cell = Cell(DIGITS, IID, 30, "zero", "mean")
    section = make_section({cell.all_honest(): NOTHING, cell: average([replace(NOTHING, pay=0.5), NOTHING])})
    save({DIGITS: section}, tmp_path / "saved.json")
    other = Cell(MOVIELENS, IID, 30, "zero", "mean")
    save({MOVIELENS: make_section({other: NOTHING})}, tmp_path / "saved.json")
    saved = load(tmp_path / "saved.json")
    assert saved[DIGITS] == section
    assert list(saved[MOVIELENS].cells) == [other]


def test_page_says_what_is_not_caught() -> None:
    def cell(kind: str, rule: str, distribution: str = SEVERE) -> Cell:
        return Cell(DIGITS, distribution, 30, kind, rule)

    cells = {
        cell("scaled", "mean"): replace(NOTHING, pay=1.25, captured=0.4, auroc=0.1),
        cell("scaled", "mean", IID): replace(NOTHING, pay=1.0, captured=0.3, auroc=0.1),
        cell("scaled", "median"): replace(NOTHING, pay=0.4, captured=0.1, auroc=0.8),
        cell("zero", "mean"): replace(NOTHING, pay=0.0, captured=0.0, auroc=1.0),
        cell("noise", "mean"): replace(NOTHING, pay=0.1),
        cell("noise", "median"): replace(NOTHING, pay=0.6),
        cell("inflated-counts", "mean"): replace(NOTHING, pay=1.0),
        cell("sign-flip", "mean"): replace(NOTHING, quality=0.3, void=0.8),
        cell("sign-flip", "median"): replace(NOTHING, pay=0.0, quality=0.88, refused_honest=0.02),
    }
    controls = {control: NOTHING for one in cells for control in (one.all_honest(), one.without_them())}
    section = make_section(controls | cells)
    worst = find_worst(section, DIGITS, 30, "scaled", "mean")
    assert worst is not None
    assert worst[0].distribution == SEVERE
    text = render_failings({DIGITS: section})
    assert "`scaled` on Digits, Dirichlet 0.1: 1.25 of an honest node's pay" in text
    assert "below half under median" in text
    assert "`sign-flip` on Digits, Dirichlet 0.1: 60 points under the mean; held by median (2)" in text
    assert "not played" not in text
    assert "from 30 % of the nodes on: under mean" in text
    assert "2.0 % on Digits" in text
    assert "`median` on Digits: `noise` 0.60." in text
    assert "`zero`" not in text
    assert "`inflated-counts`" not in text
    page = render({DIGITS: section}, {})
    assert "| scaled | Honest work at the largest norm" in page
    assert "Not measured yet" in page


def test_page_says_where_no_other_rule_was_played() -> None:
    lost = Cell(DIGITS, SEVERE, 30, "sign-flip", "mean")
    section = make_section(
        {lost.all_honest(): NOTHING, lost.without_them(): NOTHING, lost: replace(NOTHING, quality=0.3)}
    )
    text = render_failings({DIGITS: section})
    assert "points under the mean (other rules not played there)." in text
