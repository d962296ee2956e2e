"""Dishonest nodes do what their names say, on every task, and pass the norm bound."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bench.scoring.payroll import Job
from learning.adversaries import ADVERSARIES, Sight, work_honestly
from learning.adversaries.collusion import DEVIATIONS, estimate_honest
from learning.adversaries.examples import count_viewers, flip_labels, keep_tenth, shuffle, split
from learning.adversaries.groups import COMPOSITIONS, KINDS, choose_places, compose
from learning.parameters import Vector64
from learning.quantise import Update, compute_norm_squared
from learning.tasks import Examples, Task, get_task
from tests.unit.learning.digits_job import load_scans, take

NODES, ITEMS, VIEWERS = 6, 30, 8
TASKS = ("digits", "recommender")
CONFIGS: dict[str, dict[str, int | str]] = {
    "digits": {"hidden": 6, "epochs": 2},
    "recommender": {
        "items": ITEMS,
        "dimensions": 4,
        "recentDimensions": 4,
        "steps": 6,
        "batch": 16,
        "rate": "1",
        "spread": "0.3",
    },
}


def make_task(name: str) -> Task:
    return get_task(name, CONFIGS[name])


def make_examples(name: str, node: int) -> Examples:
    if name == "digits":
        return take(load_scans(), slice(node * 40, node * 40 + 40))
    starts = np.random.default_rng(node).integers(ITEMS, size=VIEWERS).tolist()
    return make_task(name).read_records([[(start + item) % ITEMS for item in range(14)] for start in starts])


@cache
def see(name: str, rounds: int, group: tuple[int, ...] = ()) -> Sight:
    """What the last node sees after so many rounds of honest work."""
    task = make_task(name)
    sights: list[Sight] = []

    def watch(sight: Sight) -> Update:
        sights.append(sight)
        return work_honestly(sight)

    rules = replace(task.suggested_rules(), sample_positions=30, server_rate="1")
    nodes = [make_examples(name, node) for node in range(NODES)]
    behaviours = [work_honestly] * (NODES - 1) + [watch]
    list(Job(task, rules, nodes, behaviours, make_examples(name, 20), 1, group).run(rounds + 1))
    return sights[-1]


def measure_cosine(left: Vector64, right: Vector64) -> float:
    return float(left @ right / np.sqrt((left @ left) * (right @ right)))


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_update_is_the_sights_own_and_passes_the_norm(name: str, rounds: int) -> None:
    sight = see(name, rounds, (NODES - 2, NODES - 1))
    for behave in ADVERSARIES.values():
        update = behave(sight)
        assert update.dtype == np.int16
        assert update.shape == (sight.models[-1].size,)
        assert compute_norm_squared(update) <= sight.clip**2
        assert np.array_equal(update, behave(sight))


@pytest.mark.parametrize("name", TASKS)
def test_two_members_of_a_group_do_not_send_the_same(name: str) -> None:
    sight = see(name, 3, (NODES - 2, NODES - 1))
    other = replace(sight, seed=sight.seed + 1)
    for kind in ("noise", "replayed-move", "replayed-gradient", "copied-noise", "little-is-enough", "inner-product"):
        assert not np.array_equal(ADVERSARIES[kind](sight), ADVERSARIES[kind](other)), kind


@pytest.mark.parametrize("name", TASKS)
def test_opposite_of_honest_work_is_exactly_that(name: str) -> None:
    sight = see(name, 1)
    assert np.array_equal(ADVERSARIES["sign-flip"](sight), -work_honestly(sight))


@pytest.mark.parametrize("name", TASKS)
def test_scaled_work_points_where_honest_work_does_at_full_norm(name: str) -> None:
    sight = see(name, 1)
    scaled, honest = (sight.dequantise(one) for one in (ADVERSARIES["scaled"](sight), work_honestly(sight)))
    assert measure_cosine(scaled, honest) > 0.999
    longest = sight.clip / 2**sight.fraction_bits
    assert 0.97 * longest < np.sqrt(scaled @ scaled) <= longest


@pytest.mark.parametrize("name", TASKS)
def test_a_little_stays_within_its_deviations_of_the_groups_mean(name: str) -> None:
    sight = replace(see(name, 1, (2, 3, 4, NODES - 1)), clip=1 << 20)
    population = estimate_honest(sight)
    assert population.shape == (4, sight.models[-1].size)
    away = sight.dequantise(ADVERSARIES["little-is-enough"](sight)) - population.mean(0)
    rounding = 0.5 / 2**sight.fraction_bits
    assert np.all(away <= rounding)
    assert np.all(-away <= DEVIATIONS * population.std(0) + rounding)
    assert -away.sum() > 0.5 * population.std(0).sum()


@pytest.mark.parametrize("name", TASKS)
def test_inner_product_with_the_honest_mean_is_negative(name: str) -> None:
    sight = see(name, 1, (2, 3, 4, NODES - 1))
    attack = sight.dequantise(ADVERSARIES["inner-product"](sight))
    assert measure_cosine(attack, estimate_honest(sight).mean(0)) < -0.9
    # What the honest outside the group learn from the same model.
    others = [sight.task.train(sight.models[-1], make_examples(name, node), 5).move for node in (0, 1)]
    assert measure_cosine(attack, np.mean(others, axis=0, dtype=np.float64)) < -0.1


def test_member_that_is_alone_estimates_from_public_updates_or_its_own() -> None:
    late = see("digits", 2)
    assert len(estimate_honest(late)) == NODES
    early = see("digits", 0)
    assert np.array_equal(estimate_honest(early)[0], early.dequantise(work_honestly(early)))


def test_noisy_copy_is_no_near_copy_and_still_a_copy() -> None:
    sight = see("recommender", 2)
    copy = sight.dequantise(ADVERSARIES["copied-noise"](sight))
    likeness = max(measure_cosine(copy, sight.dequantise(one)) for one in sight.updates[-1])
    limit = float(sight.screening.copy_cosine)
    assert limit < 1
    assert limit - 0.1 < likeness < limit


def test_exact_copy_is_someones_update_of_the_round_before() -> None:
    sight = see("digits", 2)
    copy = ADVERSARIES["recycled"](sight)
    assert any(np.array_equal(copy, one) for one in sight.updates[-1])


def test_digits_are_flipped_shuffled_and_left_out() -> None:
    task, own = make_task("digits"), make_examples("digits", 0)
    assert np.array_equal(flip_labels(task, own)["labels"], 9 - own["labels"])
    assert np.array_equal(keep_tenth(task, own)["pixels"], own["pixels"][-4:])
    mixed = shuffle(task, own, np.random.default_rng(1))
    assert sorted(mixed["labels"].tolist()) == sorted(own["labels"].tolist())
    assert not np.array_equal(mixed["labels"], own["labels"])
    assert np.array_equal(mixed["pixels"], own["pixels"])


def test_histories_are_flipped_shuffled_and_left_out() -> None:
    task, own = make_task("recommender"), make_examples("recommender", 0)
    assert np.array_equal(flip_labels(task, own)["items"], ITEMS - 1 - own["items"])
    assert keep_tenth(task, own)["items"].tolist() == [
        own["items"][end - 2 + k] for end in range(14, 14 * VIEWERS + 1, 14) for k in (0, 1)
    ]
    mixed = shuffle(task, own, np.random.default_rng(1))
    assert sorted(mixed["items"][:14].tolist()) == sorted(own["items"][:14].tolist())
    assert not np.array_equal(mixed["items"], own["items"])


@pytest.mark.parametrize("name", TASKS)
def test_splitting_gives_every_part_something_and_loses_nothing(name: str) -> None:
    task, own = make_task(name), make_examples(name, 0)
    parts = split(task, own, 3, repeat=True)
    assert sum(count_viewers(part) for part in parts) == count_viewers(own)
    many = count_viewers(own) + 2
    assert all(count_viewers(part) for part in split(task, own, many, repeat=True))
    assert [count_viewers(part) for part in split(task, own, many, repeat=False)] == [1] * (many - 2) + [0] * 2


def test_places_follow_the_seed_and_the_share() -> None:
    assert len(choose_places(24, 0.45, 1)) == 11
    assert choose_places(24, 0.3, 1) == choose_places(24, 0.3, 1) != choose_places(24, 0.3, 2)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_composition_leaves_the_honest_as_they_are(name: str, kind: str) -> None:
    nodes = [make_examples(name, node) for node in range(NODES)]
    cast = compose(kind, make_task(name), nodes, [1, 4])
    assert list(cast.dishonest) == [1, 4]
    for place in (0, 2, 3, 5):
        assert cast.nodes[place] is nodes[place]
        assert cast.behaviours[place] is work_honestly


def play(name: str, kind: str, rounds: int = 2) -> list[list[Update]]:
    """What the dishonest two of six send, by round."""
    task = make_task(name)
    cast = compose(kind, task, [make_examples(name, node) for node in range(NODES)], [1, 4])
    sent: dict[int, list[Update]] = {place: [] for place in cast.dishonest}

    def record(place: int) -> None:
        behave = cast.behaviours[place]

        def watch(sight: Sight) -> Update:
            sent[place].append(behave(sight))
            return sent[place][-1]

        behaviours[place] = watch

    behaviours = list(cast.behaviours)
    for place in cast.dishonest:
        record(place)
    rules = replace(task.suggested_rules(), sample_positions=30, server_rate="1")
    list(Job(task, rules, cast.nodes, behaviours, make_examples(name, 20), 1, cast.dishonest).run(rounds))
    return list(sent.values())


@pytest.mark.parametrize("name", TASKS)
def test_pairs_send_opposites_that_change_from_round_to_round(name: str) -> None:
    forwards, backwards = play(name, "plus-minus")
    assert all(np.array_equal(one, -other) for one, other in zip(forwards, backwards, strict=True))
    assert not np.array_equal(forwards[0], forwards[1])


@pytest.mark.parametrize("name", TASKS)
def test_followers_send_the_leaders_work_under_noise(name: str) -> None:
    leader, follower = play(name, "pooled-noise")
    for one, other in zip(leader, follower, strict=True):
        limit = float(make_task(name).suggested_rules().screening.copy_cosine)
        assert limit - 0.1 < measure_cosine(one.astype(np.float64), other.astype(np.float64)) < limit


def test_operators_and_inflated_counts_are_named() -> None:
    nodes, task = [make_examples("digits", node) for node in range(NODES)], make_task("digits")
    copied = compose("operator-copied", task, nodes, [1, 4])
    assert copied.nodes[1] is copied.nodes[4] is nodes[4]
    halves = compose("operator-split", task, nodes, [1, 4])
    assert [count_viewers(halves.nodes[place]) for place in (1, 4)] == [20, 20]
    assert compose("operator-split-vouched", task, nodes, [1, 4]).vouched
    assert compose("inflated-counts", task, nodes, [1, 4]).inflation > 1
    assert compose("plus-minus", task, nodes, [1, 4]).throwaway
    assert set(COMPOSITIONS).isdisjoint(ADVERSARIES)
