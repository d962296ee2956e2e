from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from learning.rules import LearningRules
from learning.tasks import get_task
from ledger.errors import MalformedSpec
from ledger.spec import Cohort, JobSpec, TaskChoice

RULES = LearningRules(clip_norm="10", server_rate="3", server_momentum="0.6")


def test_numbers_are_exact() -> None:
    assert (RULES.rate, RULES.momentum, RULES.first_clip) == (Fraction(3), Fraction(3, 5), 40960)
    assert replace(RULES, clip_norm="0.3", fraction_bits=3).first_clip == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"clip_norm": "0"}, "clipNorm"),
        ({"clip_norm": "0.0001"}, "clipNorm"),
        ({"clip_norm": "1e3"}, "clipNorm"),
        ({"server_rate": "0"}, "serverRate"),
        ({"server_rate": "-1"}, "serverRate"),
        ({"server_momentum": "1"}, "serverMomentum"),
        ({"fraction_bits": 0}, "fractionBits"),
        ({"sample_positions": 0}, "validationPositions"),
        ({"cohort_minimum": 0}, "cohort.minimum"),
        ({"scoring_rule": "by-taste"}, "scoringRule"),
        ({"aggregation_rule": "mode"}, "aggregationRule"),
        ({"aggregation_rule": "trimmed-mean"}, "aggregationTolerance"),
        ({"aggregation_rule": "multi-krum", "aggregation_tolerance": "0.5"}, "aggregationTolerance"),
        ({"aggregation_tolerance": "0.1"}, "aggregationTolerance"),
        ({"aggregation_rule": "trust-weighted", "scoring_rule": "by-weight"}, "aggregationRule"),
    ],
)
def test_value_out_of_range_is_refused_by_its_name_in_the_spec(change: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedSpec, match=field):
        replace(RULES, **change)


def test_rules_come_from_the_spec() -> None:
    spec = JobSpec(
        title="Films",
        description="",
        task=TaskChoice("recommender", dict(get_task("recommender").config)),
        initial_model=bytes(32),
        validation=bytes(32),
        validation_positions=2500,
        cohort=Cohort(8, 1000),
        commit_seconds=60,
        reveal_seconds=60,
        weight_rule="equal",
        clip_norm="10",
        fraction_bits=12,
        server_rate="3",
        server_momentum="0.6",
        aggregation_rule="mean",
        scoring_rule="aumann-shapley",
        evidence_readers="public",
        retention_seconds=0,
        verifiable=False,
    )
    assert LearningRules.of(spec) == replace(RULES, cohort_minimum=8)


@pytest.mark.parametrize("name", ["digits", "recommender"])
def test_suggested_rules_and_configuration_fit_a_spec(name: str) -> None:
    task = get_task(name)
    assert task.suggested_rules().first_clip > 0
    assert TaskChoice(name, dict(task.config)).to_json()["config"] == dict(task.config)
    assert get_task(name, task.config).config == task.config
