"""Laws of screening: exact however it is looked at, first come first known, and no victim of a copier is refused."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from learning.quantise import LARGEST, Update, compute_norm_squared
from learning.screening import likeness
from learning.screening.likeness import find_alike
from learning.screening.measures import compute_dot, compute_fourth_powers, is_beyond, write_cosine
from ledger.entry import Verdict
from ledger.errors import Malformed
from ledger.screening import Original, Reason, Rule, decode_reasons, encode_reasons
from ledger.spec import Screening
from tests.unit.learning.screening.rounds import Rounds, draw, near

elements = st.integers(-LARGEST, LARGEST) | st.integers(-3, 3)
matrices = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 40)).flatmap(
    lambda shape: st.tuples(
        arrays.arrays(np.int16, (shape[0], shape[2]), elements=elements),
        arrays.arrays(np.int16, (shape[1], shape[2]), elements=elements),
    )
)
cosines = st.decimals("0.01", "0.999999", places=6).map(str)


def exact(one: Update, other: Update, cosine: Fraction) -> bool:
    dot = sum(int(u) * int(v) for u, v in zip(one, other, strict=True))
    squares = sum(int(u) ** 2 for u in one) * sum(int(v) ** 2 for v in other)
    return dot > 0 and Fraction(dot * dot, squares) > cosine * cosine


@given(matrices, cosines, st.integers(1, 9))
def test_quick_look_misses_no_pair_and_integers_decide(
    pair: tuple[np.ndarray, np.ndarray], text: str, width: int
) -> None:
    """The candidates hold every pair whose cosine is greater, whatever the width of a piece."""
    ones, others = ([row for row in matrix if row.any()] for matrix in pair)
    cosine = Fraction(text)
    norms, other_norms = ([compute_norm_squared(row) for row in rows] for rows in (ones, others))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "_COLUMNS", width)
        found = set(find_alike(ones, others, norms, other_norms, cosine))
    for row, one in enumerate(ones):
        for column, other in enumerate(others):
            beyond = is_beyond(compute_dot(one, other), norms[row], other_norms[column], cosine)
            assert beyond is exact(one, other, cosine)
            assert not beyond or (row, column) in found


@given(arrays.arrays(np.int16, st.integers(1, 60), elements=elements))
def test_measures_are_exact(one: Update) -> None:
    """Σu⁴ over Python's integers; the cosine of a vector with itself is 1."""
    assert compute_fourth_powers(one) == sum(int(u) ** 4 for u in one)
    square = compute_norm_squared(one)
    if square:
        assert write_cosine(compute_dot(one, one), square, square) == "1.000000"


@pytest.mark.parametrize("later", list(permutations([2, 3, 4])))
def test_order_of_those_that_follow_changes_no_earlier_verdict(later: tuple[int, ...]) -> None:
    """Whoever comes after, in whatever order, an update's verdict is what it was when it came."""
    sent = {1: draw(1), 2: near(draw(1), 0.1), 3: draw(3), 4: near(draw(3), 0.1)}
    rounds = Rounds(Screening("0.9", 2, "0"))
    verdicts = rounds.play({node: sent[node] for node in (1, *later)})
    alone = Rounds(Screening("0.9", 2, "0"))
    for count in range(1, 4):
        again = alone = Rounds(Screening("0.9", 2, "0"))
        assert again.play({node: sent[node] for node in (1, *later[:count])}) == verdicts[: count + 1]
    assert alone.reasons == rounds.reasons
    assert verdicts[0] is Verdict.ACCEPTED


@given(
    st.lists(st.tuples(st.floats(0, 1.2), st.integers(0, 5), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(["0.8", "0.9", "0.97"]),
    st.integers(1, 3),
)
def test_victim_is_never_refused(copies: list[tuple[float, int, bool]], cosine: str, window: int) -> None:
    """A node whose updates go on as its own did is accepted in every round, whoever copies it in whatever way."""
    rounds = Rounds(Screening(cosine, window, "0"))
    base = draw(1)
    rounds.play({0: near(base, 0.05, seed=100)})
    for number, (noise, seed, first) in enumerate(copies):
        own = near(base, 0.05, seed=101 + number)
        copy = near(base, noise, seed=seed)
        sent = {9: copy, 0: own} if first else {0: own, 9: copy}
        verdicts = dict(zip(sent, rounds.play(sent), strict=True))
        assert verdicts[0] is Verdict.ACCEPTED


@given(st.floats(0, 0.97), st.floats(-0.97, 0.97), st.sampled_from(["0.8", "0.9", "0.97", "0.99"]), st.integers(1, 3))
def test_node_that_turns_by_less_than_twice_the_angle_is_refused_for_no_guess(
    turn: float, miss: float, cosine: str, earlier: int
) -> None:
    """Whoever knows a node's next update beforehand, as near as it likes, gets nobody refused by sending it first."""
    rounds = Rounds(Screening(cosine, 3, "0"))
    angle = math.acos(float(cosine))
    one, other = draw(1).astype(float), draw(2).astype(float)
    other -= one * (one @ other) / (one @ one)
    other *= np.linalg.norm(one) / np.linalg.norm(other)

    def point(heading: float) -> Update:
        return np.rint(math.cos(heading) * one + math.sin(heading) * other).astype(np.int16)

    for number in range(earlier):
        rounds.play({0: near(point(0), 0.002, seed=number)})
    own = near(point(2 * turn * angle), 0.002, seed=9)  # nobody guesses every element
    verdicts = rounds.play({9: point(2 * turn * angle + miss * angle), 0: own})
    assert verdicts[1] is Verdict.ACCEPTED


texts = st.none() | st.integers(0, 10**9).map(lambda value: f"{value // 10**6}.{value % 10**6:06d}")
originals = st.builds(Original, st.integers(0, 2**40), st.integers(0, 2**40), st.binary(min_size=20, max_size=20))
reasons = st.builds(
    Reason,
    seq=st.just(0),
    verdict=st.sampled_from(list(Verdict)),
    rule=st.sampled_from(list(Rule)),
    update=st.none() | st.binary(min_size=32, max_size=32),
    norm_squared=st.none() | st.integers(0, 2**70),
    kurtosis=texts,
    limit=texts,
    original=st.none() | originals,
    cosine=texts,
    detail=st.none() | st.text(max_size=20).filter(lambda text: text.isprintable()),
)


@given(st.integers(0, 2**50), reasons)
def test_account_is_read_back_and_written_the_same(clip: int, reason: Reason) -> None:
    """What was written is read, and no other bytes say the same."""
    content = encode_reasons(clip, [reason])
    assert decode_reasons(content) == (clip, [reason])


@given(st.binary(max_size=200), st.integers(0, 1 << 16), st.integers(1, 255))
def test_other_bytes_are_refused_or_read_as_what_they_are(noise: bytes, at: int, bits: int) -> None:
    """A byte changed, or noise: never anything but Malformed, and what is read is written back the same."""
    content = bytearray(encode_reasons(7, [Reason(0, Verdict.NORM, Rule.NORM, bytes(32), 60, None, "49")]))
    content[at % len(content)] ^= bits
    for candidate in (bytes(content), noise):
        try:
            clip, read = decode_reasons(candidate)
        except Malformed:
            continue
        assert encode_reasons(clip, read) == candidate
