"""The scores bench: the exact value is exact, and cheats do what they are said to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.scoring.game import Game, compute_shapley, correlate, correlate_ranks
from bench.scoring.payroll import Job
from learning.adversaries import ADVERSARIES, Behaviour, Sight, work_honestly
from learning.parameters import Vector64
from learning.quantise import Update, compute_norm_squared
from learning.rules import LearningRules
from learning.tasks import Examples, Task, get_task

ITEMS, NODES = 30, 6
RULES = LearningRules(clip_norm="10", server_rate="1", server_momentum="0.6", sample_positions=50)


@dataclass(frozen=True)
class Bowl:
    """A quadratic loss ½ xᵀAx + bᵀx."""

    curvature: NDArray[np.float64]
    slope: Vector64

    def loss(self, vector: Vector64) -> float:
        return float(vector @ self.curvature @ vector / 2 + self.slope @ vector)

    def gradient(self, vector: Vector64) -> Vector64:
        return np.asarray(self.curvature @ vector + self.slope)


def make_game(players: int = 5) -> Game:
    generator = np.random.default_rng(2)
    root = generator.normal(size=(8, 8))
    updates = generator.integers(-3000, 3000, (players, 8)).astype(np.int16)
    objective = Bowl(root @ root.T, generator.normal(size=8))
    base = generator.normal(size=8).astype(np.float32)
    return Game(objective, base, list(updates), [[one] for one in range(players)], Fraction(1), 12)


def test_shapley_of_the_glove_game() -> None:
    # One left glove (player 0), two right ones: a pair is worth 1.
    values = np.array([float(coalition & 1 and coalition > 1) for coalition in range(8)])
    assert compute_shapley(values) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_shapley_is_efficient_and_gives_nothing_for_nothing() -> None:
    generator = np.random.default_rng(1)
    values = np.concatenate([[0.0], generator.normal(size=7)])
    with_idler = np.concatenate([values, values])
    shares = compute_shapley(with_idler)
    assert shares.sum() == pytest.approx(values[-1])
    assert shares[3] == pytest.approx(0.0, abs=1e-15)


def test_straight_line_is_exact_where_the_loss_is_quadratic() -> None:
    game = make_game()
    exact = compute_shapley(game.enumerate_values())
    assert game.share(3) == pytest.approx(exact, rel=1e-10)
    assert game.score() == pytest.approx(exact, rel=1e-5, abs=1e-7)


def test_group_scores_what_its_members_do() -> None:
    game = make_game(4)
    grouped = Game(game.objective, game.base, game.updates, [[0, 1], [2, 3]], game.rate, 12)
    assert grouped.score() == pytest.approx(game.score().reshape(2, 2).sum(1), rel=1e-12)


def test_correlations() -> None:
    left = np.array([1.0, 2.0, 3.0, 4.0])
    assert correlate(left, 2 * left) == pytest.approx(1.0)
    assert correlate_ranks(left, np.exp(left)) == 1.0
    assert correlate_ranks(left, np.array([1.0, 2.0, 4.0, 3.0])) == 1 - 6 * 2 / (4 * 15)


def make_task() -> Task:
    config = {"items": ITEMS, "dimensions": 2, "recentDimensions": 2, "steps": 2, "batch": 8}
    return get_task("recommender", config)


def make_examples(seed: int) -> Examples:
    generator = np.random.default_rng(seed)
    return make_task().read_records([generator.permutation(ITEMS)[:12].tolist() for _ in range(2)])


def see(rounds: int) -> Sight:
    task = make_task()
    own = [make_examples(node) for node in range(NODES)]
    sights: list[Sight] = []

    def watch(sight: Sight) -> Update:
        sights.append(sight)
        return work_honestly(sight)

    job = Job(task, RULES, own, [work_honestly] * (NODES - 1) + [watch], make_examples(99), 1)
    list(job.run(rounds + 1))
    return sights[-1]


@pytest.mark.parametrize("kind", ADVERSARIES)
def test_cheats_send_what_passes_the_norm(kind: str) -> None:
    for rounds in (0, 1, 6):
        sight = see(rounds)
        update = ADVERSARIES[kind](sight)
        assert update.dtype == np.int16
        assert update.shape == (sight.models[-1].size,)
        assert compute_norm_squared(update) <= sight.clip**2


def test_cheat_that_trains_trains_on_something_else() -> None:
    sight = see(1)
    honest = work_honestly(sight)
    for kind in ("label-flip", "shuffled", "half-hearted"):
        assert not np.array_equal(ADVERSARIES[kind](sight), honest)


def test_job_pays_by_the_tally_and_zeros_earn_exactly_nothing() -> None:
    own = [make_examples(node) for node in range(NODES)]
    behaviours = [work_honestly] * (NODES - 2) + [ADVERSARIES["zero"], ADVERSARIES["recycled"]]
    first, *_, last = Job(make_task(), RULES, own, behaviours, make_examples(99), 1).run(4)
    assert last.earned[-2] == 0
    assert sum(last.earned[:-2]) > 0
    assert all(late >= early for early, late in zip(first.earned, last.earned, strict=True))
    assert last.refused[-1] > 0
    assert not any(last.refused[:-1])


def make_series(node: int) -> Examples:
    """Viewers who watch one item after the other: something to learn."""
    starts = np.random.default_rng(node).integers(ITEMS, size=8).tolist()
    return make_task().read_records([[(start + item) % ITEMS for item in range(14)] for start in starts])


def hire(behaviour: Behaviour, *, throwaway: bool = False, weights: Sequence[int] = ()) -> int:
    """What the last of six nodes has earned after four rounds."""
    own = [make_series(node) for node in range(NODES)]
    behaviours = [work_honestly] * (NODES - 1) + [behaviour]
    fleeting = (NODES - 1,) if throwaway else ()
    job = Job(make_task(), RULES, own, behaviours, make_series(99), 1, weights=weights, throwaway=fleeting)
    *_, books = job.run(4)
    return books.earned[-1]


def test_debts_stay_with_the_key_and_go_with_it() -> None:
    def work_and_undo(sight: Sight) -> Update:
        honest = work_honestly(sight)
        return honest if len(sight.models) % 2 else -honest

    assert hire(work_and_undo, throwaway=True) > hire(work_and_undo) > 0


def test_weight_of_nothing_earns_nothing() -> None:
    assert hire(work_honestly, weights=[1] * (NODES - 1) + [0]) == 0
    assert hire(work_honestly, weights=[1] * (NODES - 1) + [3]) > hire(work_honestly)
