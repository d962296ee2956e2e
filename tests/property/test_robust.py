"""Laws of the robust rules: exact, the same in any order, Σ c_k = S, and a minority cannot carry them off."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.payload import compute_update_digest
from learning.quantise import LARGEST, Update
from learning.robust.clipped import combine_clipped, compute_centre, find_radius, scale
from learning.robust.combination import Combination
from learning.robust.held import HeldUpdates
from learning.robust.krum import combine_krum
from learning.robust.selection import select_ranks
from learning.robust.trimmed import SHARES, combine_median, combine_trimmed
from learning.robust.trusted import Guide, combine_trusted

SIZE = 7
# Small values too, so that many updates share a coordinate's value.
elements = st.integers(-LARGEST, LARGEST) | st.integers(-2, 2)
updates = arrays.arrays(np.int16, SIZE, elements=elements)
cohorts = st.lists(updates, min_size=1, max_size=9)

Rule = Callable[[HeldUpdates], Combination]
CENTRE = np.array([5, -3, 0, 32_767, -32_767, 100, 1], np.int16)
REFERENCE = np.array([9_000_000, -70_000, 3, 0, 1_000_000, -2, 5_000_000], np.int32)
RULES: dict[str, Rule] = {
    "median": combine_median,
    "trimmed": lambda held: combine_trimmed(held, (len(held) - 1) // 3),
    "krum": lambda held: combine_krum(held, len(held) // 3),
    "norm-clipped": lambda held: combine_clipped(held, np.zeros(SIZE, np.int16)),
    "centred": lambda held: combine_clipped(held, CENTRE),
    "trusted": lambda held: combine_trusted(held, Guide(REFERENCE)),
}
rules = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


def hold(chosen: Sequence[Update], weights: Sequence[int] = (), memory_bytes: int = 1 << 20) -> HeldUpdates:
    held = HeldUpdates(chosen[0].size, memory_bytes)
    for place, update in enumerate(chosen):
        held.add(update, weights[place] if weights else 1, compute_update_digest(update))
    return held


def collect(combined: Combination) -> dict[int, list[int]]:
    """Every c_k by its place, in Python's integers."""
    return {
        place: [multiplier * int(value) for value in values] for place, values, multiplier in combined.contributions()
    }


@rules
@given(cohorts, st.data())
def test_contributions_sum_to_the_aggregate(rule: Rule, chosen: list[Update], data: st.DataObject) -> None:
    """Σ c_k, and what is public, is S exactly; who is excluded has no part; elements fit the scores' arithmetic."""
    weights = data.draw(st.lists(st.integers(1, 1000), min_size=len(chosen), max_size=len(chosen)))
    combined = rule(hold(chosen, weights))
    taken = collect(combined)
    public = [0] * SIZE if combined.public is None else combined.public.tolist()
    assert [sum(column) for column in zip(public, *taken.values(), strict=True)] == combined.aggregate.tolist()
    assert set(taken) == set(range(len(chosen))) - set(combined.excluded)
    assert all(abs(int(value)) < 2**24 for one in combined.contributions() for value in one.values)
    assert collect(combined) == taken, "contributions can be asked for again"


@rules
@given(cohorts, st.data())
def test_order_of_arrival_changes_nothing(rule: Rule, chosen: list[Update], data: st.DataObject) -> None:
    """Who comes first gets no more: S, exclusions and contributions follow the updates."""
    different = {compute_update_digest(update): update for update in chosen}
    chosen = list(different.values())
    order = data.draw(st.permutations(range(len(chosen))))
    one, other = rule(hold(chosen)), rule(hold([chosen[at] for at in order]))
    assert np.array_equal(one.aggregate, other.aggregate)
    assert one.divisor == other.divisor
    assert set(one.excluded) == {order[place] for place in other.excluded}
    assert collect(one) == {order[place]: values for place, values in collect(other).items()}


@rules
@given(updates, st.integers(1, 7))
def test_unanimous_nodes_get_what_they_sent(rule: Rule, update: Update, count: int) -> None:
    """The mean of equal updates is that update, whatever the rule; each holds an equal part, to a unit of 1/256."""
    combined = rule(hold([update] * count))
    if combined.public is None:
        assert combined.aggregate.tolist() == [int(value) * combined.divisor for value in update]
        parts = list(collect(combined).values())
        assert all(abs(a - b) <= 1 for one in parts for a, b in zip(one, parts[0], strict=True))


@rules
@given(cohorts)
def test_updates_on_disk_give_the_same(rule: Rule, chosen: list[Update]) -> None:
    """Where updates are held makes no difference."""
    memory, disk = rule(hold(chosen)), rule(hold(chosen, memory_bytes=SIZE * 2))
    assert np.array_equal(memory.aggregate, disk.aggregate)
    assert collect(memory) == collect(disk)


@given(cohorts)
def test_median_is_the_median(chosen: list[Update]) -> None:
    """In every coordinate, exactly."""
    combined = combine_median(hold(chosen))
    means = [Fraction(int(value), combined.divisor) for value in combined.aggregate]
    for column, mean in zip(zip(*chosen, strict=True), means, strict=True):
        ordered = sorted(map(int, column))
        assert mean == Fraction(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2], 2)


@given(cohorts, st.data())
def test_trimmed_mean_is_the_mean_of_what_is_kept(chosen: list[Update], data: st.DataObject) -> None:
    """In every coordinate, exactly; a coordinate belongs to nodes that hold a kept value, and to no others."""
    trim = data.draw(st.integers(0, (len(chosen) - 1) // 2))
    combined = combine_trimmed(hold(chosen), trim)
    taken = collect(combined)
    assert combined.divisor == SHARES * (len(chosen) - 2 * trim)
    for at, column in enumerate(zip(*chosen, strict=True)):
        kept = sorted(map(int, column))[trim : len(chosen) - trim]
        assert int(combined.aggregate[at]) == SHARES * sum(kept)
        assert all(taken[place][at] == 0 or int(value) in kept for place, value in enumerate(column))
        assert all(
            taken[place][at] == SHARES * value
            for place, value in enumerate(map(int, column))
            if kept[0] < value < kept[-1]
        )


@given(st.lists(updates, min_size=3, max_size=9), st.data())
def test_minority_carries_no_coordinate_off(honest: list[Update], data: st.DataObject) -> None:
    """Breakdown: with fewer liars than are trimmed, every mean stays within what honest nodes sent."""
    liars = data.draw(st.lists(updates, max_size=len(honest) - 1))
    chosen = data.draw(st.permutations([*honest, *liars]))
    low, high = np.min(honest, axis=0), np.max(honest, axis=0)
    for combined in (combine_median(hold(chosen)), combine_trimmed(hold(chosen), len(liars))):
        mean = combined.aggregate / combined.divisor
        assert np.all((low <= mean) & (mean <= high))


@given(updates, st.integers(3, 9), st.data())
def test_krum_excludes_a_distant_minority(update: Update, honest: int, data: st.DataObject) -> None:
    """With f liars far from m − f ≥ f + 3 alike, no liar is kept, even where the liars agree with each other."""
    liars = data.draw(st.integers(1, max(1, honest - 3)))
    near = [np.clip(update.astype(int) // 4 + at, -9000, 9000).astype(np.int16) for at in range(honest)]
    far = [np.full(SIZE, 30_000, np.int16)] * liars
    combined = combine_krum(hold([*near, *far]), liars)
    if honest >= liars + 3:
        assert set(combined.excluded) == set(range(honest, honest + liars))


@given(st.lists(updates, min_size=1, max_size=9), st.data())
def test_krum_ranks_by_exact_distances(chosen: list[Update], data: st.DataObject) -> None:
    """Kept are the m − f with the smallest sums, in Python's integers."""
    asked = data.draw(st.integers(0, 9))
    count = len(chosen)
    dishonest = max(0, min(asked, (count - 3) // 2))
    sums = []
    for one in chosen:
        distances = sorted(
            sum((int(a) - int(b)) ** 2 for a, b in zip(one, other, strict=True)) for other in chosen if other is not one
        )
        sums.append(sum(distances[: max(1, count - dishonest - 2)]))
    combined = combine_krum(hold(chosen), asked)
    assert len(combined.excluded) == dishonest
    kept = [place for place in range(count) if place not in combined.excluded]
    assert all(sums[place] <= sums[other] for place in kept for other in combined.excluded)


@given(st.lists(updates, min_size=3, max_size=9), updates, st.integers(0, 3))
def test_clipped_update_pulls_no_further_than_the_radius(chosen: list[Update], centre: Update, liars: int) -> None:
    """‖φ(u − centre)‖ is at most the median distance and rounding; so a minority's pull is bounded by honest norms."""
    away = [math.sqrt(sum((int(a) - int(b)) ** 2 for a, b in zip(u, centre, strict=True))) for u in chosen]
    combined = combine_clipped(hold(chosen), centre)
    pull = combined.aggregate - combined.divisor * centre.astype(np.int64)
    radius = find_radius([math.ceil(distance) for distance in away])
    # Two roundings of half a unit in each element, for each update.
    assert np.linalg.norm(pull) <= len(chosen) * (radius + math.sqrt(SIZE))


@given(updates, st.integers(0, 2**15))
def test_scaled_update_is_rounded_half_away_from_zero(update: Update, factor: int) -> None:
    """Exactly, and the opposite update scales to the opposite."""
    expected = [int(math.copysign((abs(value) * factor + 2**14) >> 15, value)) for value in map(int, update)]
    assert scale(update, factor).tolist() == expected
    assert np.array_equal(scale(-update, factor), -scale(update, factor))


@given(cohorts)
def test_zero_update_is_given_nothing(chosen: list[Update]) -> None:
    """Null player: who sends zeros holds no part of any sum."""
    for rule in RULES.values():
        taken = collect(rule(hold([*chosen, np.zeros(SIZE, np.int16)])))
        assert all(value == 0 for value in taken.get(len(chosen), []))


@given(arrays.arrays(np.int16, st.tuples(st.integers(1, 40), st.integers(1, 5)), elements=elements), st.data())
def test_network_selects_as_sorting_does(block: np.ndarray, data: st.DataObject) -> None:
    """Any ranks of any number of rows, all computed by the pruned network."""
    ranks = tuple(data.draw(st.lists(st.integers(0, len(block) - 1), min_size=1, max_size=3)))
    ordered = np.sort(block, axis=0)
    for rank, selected in zip(ranks, select_ranks(block.copy(), ranks), strict=True):
        assert np.array_equal(selected, ordered[rank])


@given(arrays.arrays(np.float64, SIZE, elements=st.floats(-1e6, 1e6)), st.fractions(0, Fraction(99, 100)))
def test_centre_is_the_decayed_momentum_in_units(momentum: np.ndarray, decay: Fraction) -> None:
    """rint((1 − β) · M · 2^f), kept in int16."""
    expected = np.clip(np.rint(momentum * float(1 - decay) * 4096.0), -LARGEST, LARGEST)
    assert np.array_equal(compute_centre(momentum, decay, 12), expected.astype(np.int16))


@pytest.mark.parametrize("trim", [-1, 2, 3])
def test_trimming_everything_is_refused(trim: int) -> None:
    with pytest.raises(ValueError, match="expected to trim fewer than half of 4 updates"):
        combine_trimmed(hold([np.zeros(SIZE, np.int16)] * 4), trim)
