"""The learning rules of a job, from its spec."""

from __future__ import annotations

from learning.rules import LearningRules
from ledger.spec import JobSpec


def build_rules(spec: JobSpec) -> LearningRules:
    """The rules as `learning` takes them. Raises MalformedSpec when a number is out of range."""
    return LearningRules(
        clip_norm=spec.clip_norm,
        server_rate=spec.server_rate,
        server_momentum=spec.server_momentum,
        fraction_bits=spec.fraction_bits,
        sample_positions=spec.validation_positions,
        cohort_minimum=spec.cohort.minimum,
        aggregation_rule=spec.aggregation_rule,
        scoring_rule=spec.scoring_rule,
        aggregation_tolerance=spec.aggregation_tolerance,
    )
