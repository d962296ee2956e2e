"""Splitting a weight over identities: under as many names as one likes, the same weight scores and earns the same."""

from collections.abc import Sequence

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from learning.quantise import Update
from learning.round import RoundOutcome
from ledger.entry import Standing, Verdict
from ledger.hashing import sha256
from ledger.tally import Judgement, Tally, compute_tally
from tests.property.digits_rounds import get_inputs, run, score_all, train

few = settings(max_examples=12)
seeds = st.integers(0, 5)


@few
@given(
    seed=seeds,
    parts=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    differences=st.lists(st.integers(-60, 60), min_size=4, max_size=4),
)
def test_splitting_a_weight_over_identities_gains_nothing(seed: int, parts: list[int], differences: list[int]) -> None:
    """The same weight under many names, whatever each of them sends: the parts' scores are the whole's, a unit each."""
    update, others = _halve(train(2, seed)[0]), train(2, seed)[1:]
    shares = _split(update, parts, differences)
    total = sum(parts)
    whole = run(2, "mean", [*others, update], [10] * len(others) + [total], seed)
    split = run(2, "mean", [*others, *shares], [10] * len(others) + parts, seed)
    assert {one.verdict for one in split.judged} == {Verdict.ACCEPTED}
    assert split.model_bytes == whole.model_bytes
    assert score_all(split)[: len(others)] == score_all(whole)[: len(others)], "nobody else notices"
    assert abs(sum(score_all(split)[len(others) :]) - score_all(whole)[-1]) <= len(parts)


def _halve(update: Update) -> Update:
    """Within the clip there is then room for parts that differ."""
    halved: Update = update // 2
    return halved


def _split(update: Update, weights: Sequence[int], differences: Sequence[int]) -> list[Update]:
    """Updates that differ and whose weighted sum is that of `update` at all the weight."""
    shares = [update.astype(np.int64) for _ in weights]
    for place in range(1, len(weights)):
        step = differences[(place - 1) % len(differences)] or 1
        shares[place][place] += weights[0] * step
        shares[0][place] -= weights[place] * step
    clip = get_inputs(2).state.clip
    assume(all(int((share * share).sum()) <= clip * clip for share in shares))
    assume(all(np.abs(share).max() <= 32_767 for share in shares))
    return [share.astype(np.int16) for share in shares]


@few
@given(
    seed=seeds,
    parts=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    differences=st.lists(st.integers(-3, 3), min_size=4, max_size=4),
)
def test_splitting_a_weight_over_identities_is_paid_no_more_in_a_job(
    seed: int, parts: list[int], differences: list[int]
) -> None:
    """Three rounds through the tally: what the names earn together is what the one earned, a unit a name and round.

    As long as no name is dropped with a loss on it. Names that cost nothing could be: +v under one, −v under another,
    and only the one that was lucky is kept; what a name costs (stake, vouched samples) is what stands against that.
    """
    total, names = sum(parts), [b"part %15d" % number for number in range(len(parts))]
    whole: dict[bytes, Standing] = {}
    split: dict[bytes, Standing] = {}
    for number in range(1, 4):
        update, others = _halve(train(2, seed + number)[0]), train(2, seed + number)[1:]
        honest = [b"node %15d" % other for other in range(len(others))]
        one = run(2, "mean", [*others, update], [10] * len(others) + [total], number)
        many = run(2, "mean", [*others, *_split(update, parts, differences)], [10] * len(others) + parts, number)
        assume(min(score_all(many)) >= 0)
        whole |= _pay(number, [*honest, b"whole".ljust(20)], one, whole).standings()
        split |= _pay(number, [*honest, *names], many, split).standings()
    earned = sum(split[name].earned for name in names)
    assert abs(earned - whole[b"whole".ljust(20)].earned) <= _UNITS * 3 * len(parts)


_PRICE = 10**18
# A unit of a score is 2^-40 nats: so many base units at this price; the tally floors one more.
_UNITS = _PRICE // 2**40 + 2


def _pay(number: int, nodes: Sequence[bytes], outcome: RoundOutcome, standings: dict[bytes, Standing]) -> Tally:
    judgements = [
        Judgement(node, sha256(node + b"%d" % number), bytes(32), one.verdict, one.weight, one.score)
        for node, one in zip(nodes, outcome.judged, strict=True)
    ]
    return compute_tally(100 * _PRICE, _PRICE, judgements, standings, number)
