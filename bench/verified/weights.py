"""What every node's update weighs, by the product's own rule; what a node says of itself is no argument of it."""

from dataclasses import replace

from learning.adversaries.examples import count_viewers
from learning.adversaries.groups import Cast
from learning.tasks import Task
from ledger.spec import Cohort, JobSpec, TaskChoice, Vouchers
from ledger.weights import compute_weight

_SAMPLES_PER_VIEWER = 1_000

_EQUAL = JobSpec(
    title="bench",
    description="",
    task=TaskChoice("digits", {}),
    initial_model=bytes(32),
    validation=bytes(32),
    validation_positions=1,
    cohort=Cohort(1, 1_000, 1_000),
    commit_seconds=60,
    reveal_seconds=60,
    weight_rule="equal",
    clip_norm="1",
    fraction_bits=12,
    server_rate="1",
    server_momentum="0",
    aggregation_rule="mean",
    scoring_rule="aumann-shapley",
    evidence_readers="public",
    retention_seconds=0,
    verifiable=False,
)
_VOUCHED = replace(_EQUAL, weight_rule="vouched-samples", vouchers=Vouchers(bytes(19) + b"\x01", _SAMPLES_PER_VIEWER))


def weigh(cast: Cast, task: Task) -> list[int]:
    """Each node's weight; the platform vouches for what it gave, once for each copy it gave."""
    spec = _VOUCHED if cast.vouched else _EQUAL
    return [compute_weight(spec, count_viewers(own), task.count_positions(own)) for own in cast.nodes]
