"""What decides about nodes is told before anyone takes part."""

from dataclasses import replace

from client.requester.rules import describe_rules
from client.tokens import Unit
from ledger.hexadecimal import to_address
from ledger.spec import Adam, Cohort, JobSpec, Screening, Staleness, Vouchers
from ledger.statements import Terms
from tests.unit.client.requester.test_plan import plan

PLATFORM, HOLDER = b"\x07" * 20, b"\x08" * 20


def describe(spec: JobSpec, terms: Terms) -> dict[str, str]:
    return describe_rules(spec, terms, Unit(18))


def test_plain_job() -> None:
    made = plan(cohort={"minimum": 3, "maximum": 9})
    rules = describe(made.spec, made.terms)
    assert (rules["cohort"], rules["stake"], rules["weight"]) == ("3 to 9 nodes", "none is asked for", "all alike")
    assert rules["age"] == "trained from the newest model only"
    assert rules["score"] == "by weight, nothing is measured"
    assert "validation" not in rules


def test_everything_that_a_job_can_ask_for() -> None:
    made = plan()
    spec = replace(
        made.spec,
        cohort=Cohort(2, 9, 5),
        staleness=Staleness(3, "0.5"),
        screening=Screening("0.6", 4, "3.5"),
        vouchers=Vouchers(PLATFORM, 40),
        weight_rule="vouched-samples",
        aggregation_rule="trimmed-mean",
        aggregation_tolerance="0.2",
        adam=Adam("0.99", "0.001"),
        scoring_rule="aumann-shapley",
        validation=b"\x01" * 32,
        validation_holders=(HOLDER,),
    )
    rules = describe(spec, replace(made.terms, min_stake=15 * 10**17))
    assert rules["cohort"] == "2 to 9 nodes; a round closes at 5 contributions"
    assert rules["stake"] == "1.5 at least"
    assert rules["age"] == "trained from a model at most 3 rounds older, 0.5 of the weight for each"
    assert "near copies of this or 4 earlier rounds above a cosine of 0.6" in rules["screening"]
    assert "noise below a kurtosis of 3.5" in rules["screening"]
    assert rules["weight"] == f"vouched by {to_address(PLATFORM)}, 40 samples of a viewer at most"
    assert rules["aggregation"].startswith("trimmed-mean, told to expect 0.2 dishonest, with Adam")
    assert rules["score"] == "by effect on the loss"
    assert rules["validation"] == f"private until the job ends; held by {to_address(HOLDER)}"
