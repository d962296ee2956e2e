from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from ledger.errors import Malformed, MalformedJson, MalformedSpec
from ledger.hashing import sha256
from ledger.spec import MAX_SPEC_BYTES, Adam, Cohort, JobSpec, Screening, Staleness, TaskChoice, Vouchers, parse_decimal

SPEC = JobSpec(
    title="Films",
    description="",
    task=TaskChoice("recommender", {"dimension": 32, "rates": ["0.5", "6"]}),
    initial_model=b"\x01" * 32,
    validation=b"\x02" * 32,
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
    evidence_readers="auditors",
    retention_seconds=2_592_000,
    verifiable=False,
)


def test_spec_goes_to_bytes_and_back() -> None:
    assert JobSpec.from_bytes(SPEC.to_bytes()) == SPEC
    assert JobSpec.from_json(SPEC.to_json()) == SPEC
    assert SPEC.digest() == sha256(SPEC.to_bytes())
    assert hash(JobSpec.from_bytes(SPEC.to_bytes())) == hash(SPEC)


def test_every_option_goes_to_bytes_and_back() -> None:
    spec = replace(
        SPEC,
        cohort=Cohort(8, 1000, 20),
        weight_rule="vouched-samples",
        vouchers=Vouchers(b"\x11" * 20, 100),
        aggregation_rule="trust-weighted",
        adam=Adam("0.99", "0.001"),
        screening=Screening("0.6", 3, "3.5"),
        staleness=Staleness(2, "0.5"),
        validation_holders=(b"\x22" * 20, b"\x33" * 20),
    )
    assert JobSpec.from_bytes(spec.to_bytes()) == spec
    assert hash(JobSpec.from_bytes(spec.to_bytes())) == hash(spec)
    assert replace(spec, validation_holders=()).to_json()["validationHolders"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weight_rule": "vouched-samples"}, "vouchers"),
        ({"vouchers": Vouchers(b"\x11" * 20, 1)}, "vouchers"),
        ({"scoring_rule": "by-weight", "validation": None, "validation_holders": ()}, "validationHolders"),
        ({"scoring_rule": "by-weight", "validation": None, "aggregation_rule": "trust-weighted"}, "aggregationRule"),
    ],
)
def test_options_that_contradict_each_other_are_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedSpec, match=field):
        replace(SPEC, **changes)


def test_numbers_are_exact() -> None:
    assert (SPEC.clip, SPEC.rate, SPEC.momentum) == (Fraction(10), Fraction(3), Fraction(3, 5))


def test_by_weight_goes_without_validation() -> None:
    spec = replace(SPEC, scoring_rule="by-weight", validation=None)
    assert JobSpec.from_bytes(spec.to_bytes()) == spec
    assert spec.to_json()["validation"] is None
    with pytest.raises(MalformedSpec, match="validation: expected null"):
        replace(SPEC, scoring_rule="by-weight")
    with pytest.raises(MalformedSpec, match="validation: expected a SHA-256"):
        replace(SPEC, validation=None)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("protocol", [0, 2, "1", True, None]),
        ("title", ["", "   ", "x" * 201, 5, None]),
        ("description", ["x" * 10_001, None]),
        ("task", [None, "recommender", {"name": "x"}, {"name": "x", "config": {}, "code": ""}]),
        ("initialModel", [None, "", "0x00", "0x" + "AB" * 32, "ab" * 32, 5]),
        ("validation", ["", 5, "0x" + "00" * 31]),
        ("validationPositions", [0, -1, "2500", 2500.0, True, 10_000_001]),
        (
            "cohort",
            [
                None,
                {"minimum": 1, "maximum": 2},
                {"minimum": 0, "maximum": 1, "closesAt": 0},
                {"minimum": 3, "maximum": 2, "closesAt": 0},
                {"minimum": "1", "maximum": 2, "closesAt": 0},
                {"minimum": 2, "maximum": 3, "closesAt": 1},
                {"minimum": 2, "maximum": 3, "closesAt": 4},
            ],
        ),
        ("commitSeconds", [0, -1, 60.0, "60", 2_592_001]),
        ("revealSeconds", [0, None, True]),
        ("weightRule", ["samples", None, 1, ["equal"]]),
        ("clipNorm", ["0", "-1", "1e3", 10, "010", "10.", "1.50", "", "+1", "inf", "0.0001", "1" * 19, "800000"]),
        ("fractionBits", [0, 15, "12", True]),
        ("serverRate", ["0", "-3", 3, "0.0"]),
        ("serverMomentum", ["1", "1.5", "-0.1", 0, ".6"]),
        ("aggregationRule", ["krum", None, ["mean"], "Median"]),
        ("aggregationTolerance", ["0.1", "-0", "0.0", 0, None]),
        ("scoringRule", ["loss", None]),
        ("evidenceReaders", ["nobody", None]),
        ("retentionSeconds", [-1, "0", 315_360_001]),
        ("verifiable", [0, "false", None]),
        ("vouchers", [{"platform": "0x" + "11" * 20, "samplesPerViewer": 1}, {}, 1]),
        ("adam", [{}, {"secondMomentum": "1", "epsilon": "1"}, {"secondMomentum": "0", "epsilon": "0"}, "adam"]),
        (
            "screening",
            [
                None,
                {},
                {"nearCopyCosine": "0", "nearCopyRounds": 0, "leastKurtosis": "0"},
                {"nearCopyCosine": "1.1", "nearCopyRounds": 0, "leastKurtosis": "0"},
                {"nearCopyCosine": "1", "nearCopyRounds": 33, "leastKurtosis": "0"},
                {"nearCopyCosine": "1", "nearCopyRounds": 0, "leastKurtosis": "-1"},
            ],
        ),
        (
            "staleness",
            [
                None,
                {"maxAge": 9, "discount": "1"},
                {"maxAge": 1, "discount": "0"},
                {"maxAge": 1, "discount": "1.5"},
                {"maxAge": 0, "discount": "0.5"},
                {"maxAge": 8, "discount": "0.4"},
                {"maxAge": 2, "discount": "0.03"},
            ],
        ),
        ("validationHolders", ["", [1], ["0x"], ["0x" + "ab" * 20], ["0x" + "11" * 20] * 2, ["0x" + "00" * 20]]),
    ],
)
def test_wrong_value_is_refused_by_field(key: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(MalformedSpec, match=key):
            JobSpec.from_json({**SPEC.to_json(), key: value})


@pytest.mark.parametrize("rule", ["trimmed-mean", "multi-krum"])
def test_rule_that_asks_for_a_tolerance_takes_less_than_half(rule: str) -> None:
    spec = replace(SPEC, aggregation_rule=rule, aggregation_tolerance="0.499")
    assert JobSpec.from_bytes(spec.to_bytes()) == spec
    for tolerance in ("0", "0.5", "1"):
        with pytest.raises(MalformedSpec, match=r"aggregationTolerance: expected above 0 and below 0\.5"):
            replace(spec, aggregation_tolerance=tolerance)


@pytest.mark.parametrize("rule", ["mean", "norm-clipped-mean", "centred-clipping", "median", "trust-weighted"])
def test_other_rules_take_no_tolerance(rule: str) -> None:
    assert JobSpec.from_bytes(replace(SPEC, aggregation_rule=rule).to_bytes()).aggregation_rule == rule
    with pytest.raises(MalformedSpec, match="aggregationTolerance: expected '0'"):
        replace(SPEC, aggregation_rule=rule, aggregation_tolerance="0.1")


def test_unsupported_rule_is_refused_with_the_list_of_what_is() -> None:
    with pytest.raises(MalformedSpec, match="one of 'aumann-shapley', 'by-weight', got 'shapley'"):
        replace(SPEC, scoring_rule="shapley")


@pytest.mark.parametrize("config", [{"a": 0.5}, {"a": 2**53}, {1: 2}, {"a": b""}, [], None, {"a": "\ud800"}])
def test_config_is_canonical_json(config: Any) -> None:
    with pytest.raises(MalformedSpec, match=r"task\.config"):
        TaskChoice("recommender", config)


@pytest.mark.parametrize("name", ["", "Recommender", "a b", "1x", "x" * 41, "../x", "os.system", None, 5])
def test_task_name_is_a_plain_word(name: Any) -> None:
    with pytest.raises(MalformedSpec, match=r"task\.name"):
        TaskChoice(name, {})


def test_config_is_a_copy_that_nobody_else_holds() -> None:
    config: dict[str, Any] = {"a": [1]}
    task = TaskChoice("x", config)
    config["a"].append(2)
    config["b"] = 1
    assert task.config == {"a": [1]}
    with pytest.raises(TypeError):
        task.config["a"] = 1  # type: ignore[index]  # the point of the test


def test_missing_and_unknown_fields_are_named() -> None:
    json = SPEC.to_json()
    with pytest.raises(MalformedSpec, match=r"missing: \['title'\], unknown: \['name'\]"):
        JobSpec.from_json({("name" if key == "title" else key): value for key, value in json.items()})
    wrong: list[Any] = [None, [], "spec", {}]
    for bad in wrong:
        with pytest.raises(MalformedSpec):
            JobSpec.from_json(bad)


def test_bytes_must_be_canonical_and_not_too_many() -> None:
    with pytest.raises(MalformedJson, match="RFC 8785"):
        JobSpec.from_bytes(b" " + SPEC.to_bytes())
    with pytest.raises(MalformedSpec, match=f"at most {MAX_SPEC_BYTES}"):
        JobSpec.from_bytes(b" " * (MAX_SPEC_BYTES + 1))
    with pytest.raises(Malformed, match=f"at most {MAX_SPEC_BYTES}"):
        replace(SPEC, task=TaskChoice("x", {"a": "x" * MAX_SPEC_BYTES}))


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("10", 10), ("0.6", Fraction(3, 5)), ("12.05", Fraction(241, 20))]
)
def test_decimal_has_one_form(text: str, value: Fraction) -> None:
    assert parse_decimal("x", text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "00", "1.0", "1.", ".5", "-1", "+1", "1e2", " 1", "1 ", "1_0", "１", "nan", 1, 0.5, None]
)
def test_decimal_of_another_form_is_refused(text: Any) -> None:
    with pytest.raises(MalformedSpec, match="decimal string"):
        parse_decimal("x", text)
