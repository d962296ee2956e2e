"""Laws of vouched weight: viewers dealt out over more identities never weigh more, and are never paid more."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.round import RoundInputs, run_round
from learning.rules import LearningRules
from learning.score import ScoreRule
from learning.state import RoundState
from ledger.entry import Standing
from ledger.spec import Vouchers
from ledger.statements import Signed, Voucher
from ledger.tally import Judgement, compute_tally
from ledger.vouching import weigh
from tests.unit.learning.digits_job import digits_task, reveal
from tests.unit.ledger.test_spec import SPEC
from tests.vectors.golden_job import JOB_LEDGER, SIGNERS

BUDGET = 10**18
PLATFORM = SIGNERS["platform"]

# What an operator holds: the samples of each of its viewers, in heaps, one for each identity.
heaps = st.lists(st.lists(st.integers(1, 500), min_size=1, max_size=6), min_size=1, max_size=6)
caps = st.integers(1, 300)


def weigh_heap(heap: list[int], cap: int) -> int:
    """The weight of an identity that was given this heap, by a voucher and the spec's rule."""
    spec = replace(SPEC, weight_rule="vouched-samples", vouchers=Vouchers(PLATFORM.address, cap))
    voucher = Voucher(bytes(32), 1, b"\1" * 20, len(heap), sum(heap))
    return weigh(spec, Signed.issue(voucher, JOB_LEDGER, PLATFORM))


@given(dealt=heaps, cap=caps)
def test_dealing_viewers_out_never_weighs_more(dealt: list[list[int]], cap: int) -> None:
    """Σ weight(heap) ≤ weight(all heaps together): a cap for each viewer, and viewers cannot be cut in pieces."""
    together = [held for heap in dealt for held in heap]
    assert sum(weigh_heap(heap, cap) for heap in dealt) <= weigh_heap(together, cap)


@given(held=st.integers(1, 500), more=st.integers(0, 5), cap=caps)
def test_claiming_a_viewer_for_more_identities_needs_more_viewers(held: int, more: int, cap: int) -> None:
    """An identity without a viewer of its own weighs nothing, whatever samples it would be given."""
    spec = replace(SPEC, weight_rule="vouched-samples", vouchers=Vouchers(PLATFORM.address, cap))
    empty = Signed.issue(Voucher(bytes(32), 1, b"\1" * 20, 0, held + more), JOB_LEDGER, PLATFORM)
    assert weigh(spec, empty) == 0


@cache
def prepare_rounds() -> RoundInputs:
    """A by-weight job of the digits task before its first round."""
    task = digits_task()
    rules = LearningRules("10", "1", "0", scoring_rule="by-weight")
    base = task.initial_model(1)
    return RoundInputs(task, rules, base, RoundState.initial(base.size, rules, 0), None, bytes(32), ())


def pay(dealt: list[list[int]], others: list[int], cap: int, rounds: int) -> int:
    """What an operator with these identities earns beside others, by real rounds and tallies of a by-weight job."""
    weights = [*(weigh_heap(heap, cap) for heap in dealt), *others]
    inputs, standings, earned = prepare_rounds(), dict[bytes, Standing](), 0
    for number in range(1, rounds + 1):
        random = np.random.default_rng(number)
        updates = [random.integers(-9, 10, inputs.base.size).astype(np.int16) for _ in weights]
        outcome = run_round(replace(inputs, contributions=reveal(updates, weights)))
        judgements = [
            Judgement(bytes([1 + one.seq]) * 20, bytes([one.seq]) * 32, bytes(32), one.verdict, one.weight, one.score)
            for one in outcome.judged
        ]
        tally = compute_tally(BUDGET, BUDGET, judgements, standings, number)
        inputs, standings = replace(inputs, state=outcome.state, base=outcome.model), standings | tally.standings()
        earned = sum(entry.earned for entry in tally.entries[: len(dealt)])
    return earned


@settings(max_examples=25)
@given(dealt=heaps, others=st.lists(st.integers(1, 900), min_size=1, max_size=3), cap=caps)
def test_dealing_viewers_out_never_pays_more(dealt: list[list[int]], others: list[int], cap: int) -> None:
    """Σ earned(identities) ≤ earned(one identity with all), by whole rounds and tallies, to the base unit."""
    together = [[held for heap in dealt for held in heap]]
    assert pay(dealt, others, cap, 2) <= pay(together, others, cap, 2)


@given(
    product=st.integers(-(1 << 60), 1 << 60),
    weights=st.lists(st.integers(1, 1_000), min_size=1, max_size=8),
    others=st.integers(1, 10_000),
    rate=st.fractions(Fraction(1, 1000), 10),
)
def test_weight_split_over_identities_scores_no_more(
    product: int, weights: list[int], others: int, rate: Fraction
) -> None:
    """An update with w₁ + w₂ + … scores what its parts score: no more if it helps, within a unit each if not."""
    rule = ScoreRule(rate, sum(weights) + others, 12)
    whole = rule.compute_score(product * sum(weights), 20)
    parts = sum(rule.compute_score(product * weight, 20) for weight in weights)
    if whole >= 0:
        assert parts <= whole
    assert abs(parts - whole) < len(weights)
