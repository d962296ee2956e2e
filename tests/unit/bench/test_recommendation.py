"""The recommendation bench: no leak, ranks counted right, baselines that are what they are called."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.recommendation.baselines import count_pairs, ease, ease_from_pairs, item_knn, lay_out, popularity
from bench.recommendation.federation import find_last_positions, score_with
from bench.recommendation.ours import Setting, build_federation, count_nodes
from bench.recommendation.ranking import measure, measure_each
from bench.recommendation.views import MalformedViews, Question, Views, ask, cut_last
from learning.tasks import get_task

ITEMS = 130
SETTING = Setting({"dimensions": 2, "recentDimensions": 2, "steps": 2, "batch": 16}, rounds=2, single=True, cohort=4)


def make_views(last: int = 0, viewers: int = 9) -> Views:
    """Random histories of a dozen items; another `last` changes nothing but every viewer's last item."""
    generator = np.random.default_rng(5)
    orders = [generator.permutation(ITEMS) for _ in range(viewers)]
    histories = [np.append(order[:11], order[11 + last]) for order in orders]
    return Views("random", [f"v{number}" for number in range(viewers)], histories, ITEMS)


def train(views: Views, setting: Setting = SETTING) -> bytes:
    *_, outcome = build_federation(views, setting, seed=1).run(setting.rounds)
    return outcome.model_bytes


def test_training_is_the_same_whatever_the_test_items_are() -> None:
    assert train(make_views(last=0)) == train(make_views(last=7))


def test_training_differs_with_what_it_may_see() -> None:
    views = make_views()
    histories = [np.roll(history, 1) for history in views.histories]
    assert train(views) != train(Views(views.name, views.viewers, histories, views.items))


def test_no_node_holds_the_last_two_items() -> None:
    views = make_views()
    for history, node in zip(views.histories, build_federation(views, SETTING, 1).nodes, strict=True):
        assert node["items"].tolist() == history[:-2].tolist()


@pytest.mark.parametrize("back", [1, 2])
def test_negatives_were_never_watched(back: int) -> None:
    views = make_views()
    question = ask(views, back)
    for viewer, history in enumerate(views.histories):
        negatives = question.negatives[viewer]
        assert len(set(negatives.tolist())) == 99
        assert not set(negatives.tolist()) & set(history.tolist())
        assert question.targets[viewer] == history[-back]
        assert question.given[viewer].tolist() == history[:-back].tolist()


def test_rank_counts_the_better_and_the_equal_but_not_what_was_watched() -> None:
    scores = np.arange(ITEMS, dtype=np.float64)
    question = Question(
        given=[np.array([ITEMS - 1]), np.array([0])],
        targets=np.array([ITEMS - 3, ITEMS - 12]),
        negatives=[np.array([0, 1, ITEMS - 2]), np.array([1, 2, 3])],
    )
    quality = measure(lambda given: np.tile(scores, (len(given), 1)), question)
    # Sampled: one above the first target, none above the second. Full: one (the other was watched), and eleven.
    assert quality.hit_rate == 1.0
    assert quality.ndcg == pytest.approx((1 / np.log2(3) + 1) / 2)
    assert quality.full_hit_rate == 0.5
    assert quality.full_ndcg == pytest.approx(1 / np.log2(3) / 2)
    assert measure_each(lambda _: scores, question) == quality
    nothing = measure(lambda given: np.zeros((len(given), ITEMS)), ask(make_views(), 1))
    assert nothing.hit_rate == nothing.full_hit_rate == 0.0


def test_full_ranking_is_the_tasks_own() -> None:
    views = make_views()
    federation = build_federation(views, SETTING, 1)
    model = federation.task.initial_model(3)
    theirs = federation.task.evaluate(model, federation.task.read_records([one.tolist() for one in views.histories]), 1)
    ours = measure(score_with(federation.task, model), ask(views, 1))
    assert theirs["fullHitRate10"] == ours.full_hit_rate
    assert theirs["fullNdcg10"] == pytest.approx(ours.full_ndcg, rel=1e-12)


def test_ease_is_ridge_regression_of_each_item_on_the_others() -> None:
    known = cut_last(make_views().histories, 2)
    rows, penalty, item = lay_out(known, ITEMS), 3.0, int(known[0][0])
    others = np.delete(rows, item, axis=1)
    weights = np.linalg.solve(others.T @ others + penalty * np.eye(ITEMS - 1), others.T @ rows[:, item])
    assert ease(known, ITEMS, penalty)(known)[:, item] == pytest.approx(others @ weights, abs=1e-10)


def test_ease_of_counts_added_up_over_nodes_is_the_centralised_one_to_the_bit() -> None:
    known = cut_last(make_views(viewers=12).histories, 2)
    parts = [count_pairs(known[node::4], ITEMS) for node in range(4)]
    assert np.array_equal(parts[0] + parts[1] + parts[2] + parts[3], count_pairs(known, ITEMS))
    added = ease_from_pairs(parts[3] + parts[2] + parts[1] + parts[0], 5.0)(known)
    assert added.tobytes() == ease(known, ITEMS, 5.0)(known).tobytes()


def test_popularity_and_neighbours_know_what_was_watched_together() -> None:
    known = [np.array([0, 1]), np.array([0, 1]), np.array([0, 2]), np.array([3, 4])]
    assert popularity(known, 5)(known)[0].tolist() == [3, 2, 1, 1, 1]
    scores = item_knn(known, 5, 5)([np.array([0]), np.array([3])])
    assert scores[0].argmax() == 1
    assert scores[1].argmax() == 4
    assert np.count_nonzero(item_knn(known, 5, 1)([np.array([0])])) < np.count_nonzero(scores[0]) + 1


def test_everyone_has_a_turn_before_anyone_has_another() -> None:
    turns = build_federation(make_views(), SETTING, 1)._take_turns()
    taken = [next(turns) for _ in range(9 * 8)]
    assert all(len(set(taken[start : start + 4])) == 4 for start in range(0, len(taken), 4))
    counts = np.bincount(taken[:64], minlength=9)
    assert counts.max() - counts.min() <= 2


def test_last_positions_are_the_last_items() -> None:
    task = get_task("recommender", {"items": ITEMS})
    examples = task.read_records([[1, 2, 3], [4], [], [5, 6]])
    # Positions: 2 and 3 of the first viewer, 6 of the last.
    assert find_last_positions(examples).tolist() == [1, 2]


def test_nodes_hold_about_500_samples() -> None:
    views = make_views()
    assert count_nodes(views, SETTING) == 9
    assert count_nodes(views, Setting()) == 1


def write(path: Path, rows: Sequence[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_csv_is_read_in_order_of_time_and_repeats_count_once(tmp_path: Path) -> None:
    rows = ["viewer,item,time", "a,x,3", "a,y,1", "a,z,2", "a,y,9", "a,w,4.5", "b,x,1"]
    views = Views.of_csv(write(tmp_path / "views.csv", rows))
    # Items by name: w, x, y, z. The second viewer has too few.
    assert views.viewers == ["a"]
    assert views.histories[0].tolist() == [2, 3, 1, 0]
    assert views.items == 4


@pytest.mark.parametrize(
    ("rows", "message"),
    [(["a,x"], "line 1: 2 columns"), (["a,x,soon"], "line 1: the time 'soon'"), (["a,x,1"], "no viewer has 4")],
)
def test_file_that_is_no_table_of_views_is_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(MalformedViews, match=message):
        Views.of_csv(write(tmp_path / "views.csv", rows))
