"""Rounds of a small digits job for the axioms of the scores: honest rounds before, any updates in the last one."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np

from learning.quantise import Update
from learning.round import RoundInputs, RoundOutcome, run_round
from ledger.entry import SCORE_BITS
from ledger.hashing import sha256
from tests.unit.learning.digits_job import DigitsJob, make_job, reveal

NODES, HIDDEN = 5, 2
RULES = {
    "mean": "0",
    "norm-clipped-mean": "0",
    "centred-clipping": "0",
    "median": "0",
    "trimmed-mean": "0.25",
    "multi-krum": "0.25",
    "trust-weighted": "0",
}


@cache
def get_job() -> DigitsJob:
    return make_job(nodes=NODES, hidden=HIDDEN, server_momentum="0.5")


@cache
def get_inputs(round_number: int) -> RoundInputs:
    """The inputs of a round after honest rounds before it, without contributions."""
    job = get_job()
    inputs = job.begin()
    for number in range(1, round_number):
        outcome = run_round(replace(inputs, contributions=reveal(job.train(inputs.base, inputs.state.clip, number))))
        assert outcome.void is None
        inputs = replace(inputs, base=outcome.model, state=outcome.state, beacon=sha256(b"%d" % number))
    return inputs


@cache
def train(round_number: int, seed: int) -> tuple[Update, ...]:
    inputs = get_inputs(round_number)
    return tuple(get_job().train(inputs.base, inputs.state.clip, 100 + seed))


def run(
    round_number: int, rule: str, updates: Sequence[Update], weights: Sequence[int] = (), sample: int = 0
) -> RoundOutcome:
    """A round of these updates on one of several samples."""
    inputs = get_inputs(round_number)
    rules = replace(inputs.rules, aggregation_rule=rule, aggregation_tolerance=RULES[rule])
    beacon = sha256(b"sample %d" % sample)
    return run_round(replace(inputs, rules=rules, beacon=beacon, contributions=reveal(updates, weights)))


def score_all(outcome: RoundOutcome) -> list[int]:
    return [one.score for one in outcome.judged]


def score_exactly(outcome: RoundOutcome, values: np.ndarray) -> Fraction:
    """What a vector of integers scores in this round, as an exact rational."""
    assert outcome.gradient is not None
    product = sum(map(int.__mul__, outcome.gradient.values.tolist(), values.tolist()))
    rules = get_job().rules
    above = -product * rules.rate / 2**outcome.halvings * 2**SCORE_BITS
    return Fraction(above) / (outcome.divisor * Fraction(2) ** (rules.fraction_bits + outcome.gradient.scale))
