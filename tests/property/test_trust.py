"""Laws of trust weighting: exact, blind to length, deaf to what points away, drawn from positions that do not pay."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.quantise import LARGEST, Update, compute_norm_squared
from learning.robust.combination import Combination
from learning.robust.trusted import Guide, combine_trusted, rescale
from learning.sampling import draw_reference, draw_sample
from learning.screening.rules import LEAST_JUDGED
from ledger.weights import TRUST_BITS
from tests.property.test_robust import SIZE, collect, hold, updates

references = arrays.arrays(np.int32, SIZE, elements=st.integers(1 - 2**24, 2**24 - 1) | st.integers(-2, 2))
cohorts = st.lists(updates, min_size=1, max_size=6)
weights = st.integers(1, 1 << 20)


def combine_slowly(
    chosen: Sequence[Update], weighed: Sequence[int], reference: np.ndarray
) -> tuple[list[int], int, dict[int, list[int]]]:
    """S, W and c_k, by the formulas of the protocol in Python's integers and fractions."""
    length = sum(int(r) ** 2 for r in reference)
    norms = [sum(int(u) ** 2 for u in update) for update in chosen]
    trust = []
    for update, norm in zip(chosen, norms, strict=True):
        product = sum(int(u) * int(r) for u, r in zip(update, reference, strict=True))
        squared = Fraction(product**2, norm * length) if product > 0 else Fraction(0)
        trust.append(math.isqrt(math.floor(squared * 4**TRUST_BITS)))
    known = sorted(norm for norm, amount in zip(norms, trust, strict=True) if amount)
    known = [norm for norm in known if norm >= LEAST_JUDGED] or known
    common = known[(len(known) - 1) // 2] if known else 0
    taken = {}
    for place, (update, norm) in enumerate(zip(chosen, norms, strict=True)):
        if trust[place]:
            factor = math.isqrt(math.floor(Fraction(common << 30, norm)))
            factor = factor if norm >= LEAST_JUDGED else min(factor, 2**15)
            sizes = [min(LARGEST, (abs(int(u)) * factor + 2**14) >> 15) for u in update]
            multiplier = trust[place] * weighed[place]
            taken[place] = [
                multiplier * size * (1 if u > 0 else -1) for size, u in zip(sizes, update.tolist(), strict=True)
            ]
    total = [sum(column) for column in zip([0] * SIZE, *taken.values(), strict=True)]
    return total, sum(trust[place] * weighed[place] for place in taken), taken


@given(cohorts, references, st.data())
def test_trust_weighting_is_what_the_protocol_says(
    chosen: list[Update], reference: np.ndarray, data: st.DataObject
) -> None:
    """To the last unit, against the same in fractions; who is not trusted is excluded, and told why."""
    weighed = data.draw(st.lists(weights, min_size=len(chosen), max_size=len(chosen)))
    combined = combine_trusted(hold(chosen, weighed), Guide(reference))
    total, divisor, taken = combine_slowly(chosen, weighed, reference)
    assert (combined.aggregate.tolist(), combined.divisor) == (total, divisor)
    assert collect(combined) == taken
    assert set(combined.excluded) == set(range(len(chosen))) - set(taken)
    assert all(combined.excluded.values())


@given(cohorts, references)
def test_opposite_of_a_trusted_update_gets_nothing(chosen: list[Update], reference: np.ndarray) -> None:
    """Of u and −u at most one counts, and no flipped update is in S."""
    combined = combine_trusted(hold([*chosen, *(-update for update in chosen)]), Guide(reference))
    count = len(chosen)
    assert all(place in combined.excluded or place + count in combined.excluded for place in range(count))


@given(arrays.arrays(np.int16, SIZE, elements=st.integers(-300, 300)), cohorts, references, st.integers(2, 100))
def test_length_of_an_update_gains_nothing(
    update: Update, others: list[Update], reference: np.ndarray, times: int
) -> None:
    """Trust is the same for u and its multiples, and so is c_k, to the rounding of one element at the common norm."""
    longer = (times * update.astype(np.int64)).astype(np.int16)
    short, long = (combine_trusted(hold([one, *others, *others]), Guide(reference)) for one in (update, longer))
    assert short.trust == long.trust
    # The common norm may be this update's own, or move with it: brought to one norm, both point the same way.
    if 0 not in short.excluded:
        assert cosine(collect(short)[0], collect(long)[0]) > 0.999 or small(short, long)


def cosine(one: Sequence[int], other: Sequence[int]) -> float:
    lengths = math.hypot(*map(float, one)) * math.hypot(*map(float, other))
    return sum(a * b for a, b in zip(map(float, one), map(float, other), strict=True)) / lengths if lengths else 0.0


def small(*combinations: Combination) -> bool:
    """Whether rounding to whole units, or the bound of int16, is what is left of a direction."""
    sizes = [max(abs(int(value)) for value in next(iter(one.contributions())).values) for one in combinations]
    return min(sizes) < 300 or max(sizes) == LARGEST


@given(cohorts, references, references)
def test_own_reference_decides_nothing(chosen: list[Update], reference: np.ndarray, own: np.ndarray) -> None:
    """An auditor's own reference is measured beside the published one; the sum is the published one's."""
    alone = combine_trusted(hold(chosen), Guide(reference))
    beside = combine_trusted(hold(chosen), Guide(reference, own.astype(np.int64)))
    assert np.array_equal(alone.aggregate, beside.aggregate)
    assert beside.own_trust == combine_trusted(hold(chosen), Guide(own)).trust


@given(updates, st.integers(0, 1 << 40))
def test_rescaled_update_is_rounded_half_away_from_zero_and_stays_in_int16(update: Update, factor: int) -> None:
    """Exactly, for every factor whose product with the norm is below 2^62."""
    if int(np.sum(update.astype(np.int64) ** 2)) * factor**2 >= 1 << 124:
        return
    expected = [
        int(math.copysign(min(LARGEST, (abs(value) * factor + 2**14) >> 15), value)) for value in map(int, update)
    ]
    assert rescale(update, factor).tolist() == expected


@given(st.integers(1, 60), st.integers(1, 40), st.binary(min_size=32, max_size=32))
def test_reference_is_drawn_from_positions_that_do_not_pay(positions: int, count: int, beacon: bytes) -> None:
    """As many as the sample, all different, and none of the sample's while there are others."""
    sample = draw_sample(np.arange(positions, dtype=np.int64), positions, count, beacon).sample
    drawn = draw_reference(sample, positions, count, beacon)
    assert drawn.size == min(count, positions)
    assert np.unique(drawn).tolist() == drawn.tolist()
    assert 0 <= drawn.min() <= drawn.max() < positions
    assert np.intersect1d(drawn, sample).size == max(0, drawn.size - (positions - sample.size))


def test_tiny_updates_are_not_brought_up_to_the_common_norm() -> None:
    """They are exempt from the rules on copies, so many times the same must stay as small as it is."""
    rest = [0] * (SIZE - 1)
    large, tiny = np.array([1000, *rest], np.int16), np.array([7, *rest], np.int16)
    assert compute_norm_squared(tiny) < LEAST_JUDGED
    combined = combine_trusted(hold([large, tiny, tiny, tiny], [1] * 4), Guide(np.array([5, *rest], np.int32)))
    taken = collect(combined)
    assert taken[0][0] == 1000 << TRUST_BITS
    assert [taken[place][0] for place in (1, 2, 3)] == [7 << TRUST_BITS] * 3
