"""Rounds of the digits task under each robust rule: they learn, are paid for what was taken, and are recomputed."""

from dataclasses import replace

import numpy as np
import pytest

from learning.quantise import compute_next_clip, quantise
from learning.round import RoundInputs, run_round
from ledger.entry import SCORE_BITS, Verdict
from tests.unit.learning.digits_job import DigitsJob, make_job, reveal


@pytest.fixture(scope="module")
def job() -> DigitsJob:
    return make_job()


@pytest.fixture(scope="module")
def first(job: DigitsJob) -> RoundInputs:
    begin = job.begin()
    updates = job.train(begin.base, begin.state.clip, 1)
    zero = np.zeros_like(updates[0])
    return replace(begin, contributions=reveal([*updates, zero, zero]))


ROBUST = {
    "norm-clipped-mean": "0",
    "centred-clipping": "0",
    "median": "0",
    "trimmed-mean": "0.25",
    "multi-krum": "0.25",
    "trust-weighted": "0",
}
robust = pytest.mark.parametrize(("rule", "tolerance"), ROBUST.items(), ids=ROBUST)


@robust
def test_robust_round_learns_and_scores_share_the_fall(
    job: DigitsJob, first: RoundInputs, rule: str, tolerance: str
) -> None:
    rules = replace(job.rules, aggregation_rule=rule, aggregation_tolerance=tolerance)
    outcome = run_round(replace(first, rules=rules))
    assert outcome.void is None
    assert outcome.loss_before is not None
    assert outcome.loss_after is not None
    fall = outcome.loss_before - outcome.loss_after
    assert fall > 0.05
    assert sum(one.score for one in outcome.judged) / 2**SCORE_BITS == pytest.approx(fall, abs=1e-3)
    zeros = [one for one in outcome.judged[5:] if one.verdict is Verdict.ACCEPTED]
    assert all(one.score == 0 for one in zeros)
    assert outcome.total_weight == sum(one.weight for one in outcome.judged)


@robust
def test_robust_round_is_recomputed_from_its_published_gradient(
    job: DigitsJob, first: RoundInputs, rule: str, tolerance: str
) -> None:
    rules = replace(job.rules, aggregation_rule=rule, aggregation_tolerance=tolerance)
    inputs = replace(first, rules=rules)
    outcome = run_round(inputs)
    audited = run_round(inputs, outcome.gradient, outcome.reference)
    assert audited.judged == outcome.judged
    assert audited.model_bytes == outcome.model_bytes
    assert audited.check is not None
    assert audited.check.agrees


@robust
def test_robust_round_in_another_order_is_the_same_round(
    job: DigitsJob, first: RoundInputs, rule: str, tolerance: str
) -> None:
    rules = replace(job.rules, aggregation_rule=rule, aggregation_tolerance=tolerance)
    # Only one of the two zero updates: between equal ones multi-krum keeps the one that came first.
    inputs = replace(first, rules=rules, contributions=first.contributions[:-1])
    outcome = run_round(inputs)
    reordered = run_round(replace(inputs, contributions=list(reversed(inputs.contributions))))
    assert reordered.model_bytes == outcome.model_bytes
    assert [replace(one, seq=0) for one in reversed(reordered.judged)] == [replace(o, seq=0) for o in outcome.judged]


def test_krum_excludes_a_scaled_flip_and_gives_it_nothing(job: DigitsJob, first: RoundInputs) -> None:
    updates = job.train(first.base, first.state.clip, 1)
    rules = replace(job.rules, aggregation_rule="multi-krum", aggregation_tolerance="0.2")
    flipped = quantise(-4 * updates[0].astype(np.float64) / 4096, 12, first.state.clip)
    outcome = run_round(replace(first, rules=rules, contributions=reveal([*updates, flipped])))
    last = outcome.judged[-1]
    assert (last.verdict, last.weight, last.score) == (Verdict.EXCLUDED, 0, 0)
    assert "nearest" in last.detail
    assert outcome.total_weight == 5
    norms = [int(np.sum(update.astype(np.int64) ** 2)) for update in updates]
    assert outcome.state.clip == compute_next_clip(first.state.clip, norms, first.base.size)


@robust
def test_robust_rule_keeps_a_flipped_minority_from_undoing_the_round(
    job: DigitsJob, first: RoundInputs, rule: str, tolerance: str
) -> None:
    """A large flipped update: the robust model is nearer to the honest one than the plain mean's is."""
    updates = job.train(first.base, first.state.clip, 1)
    flipped = quantise(-20 * updates[0].astype(np.float64) / 4096, 12, first.state.clip)
    # The plain mean of these moves uphill, which only a round that is not scored keeps.
    by_weight = replace(job.rules, scoring_rule="by-weight")
    honest = run_round(replace(first, rules=by_weight, validation=None, contributions=reveal(updates)))
    attacked = replace(first, contributions=reveal([*updates, flipped]))
    plain = run_round(replace(attacked, rules=by_weight, validation=None))
    rules = replace(job.rules, aggregation_rule=rule, aggregation_tolerance=tolerance)
    if rule == "trust-weighted":
        guarded = run_round(replace(attacked, rules=rules))
    else:
        guarded = run_round(replace(attacked, rules=replace(rules, scoring_rule="by-weight"), validation=None))
    distance = [float(np.linalg.norm(outcome.model - honest.model)) for outcome in (guarded, plain)]
    assert distance[0] < distance[1]
