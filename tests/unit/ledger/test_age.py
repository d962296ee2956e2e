"""Ages of models: one number for each model of a job, and reports that say another are refused."""

from dataclasses import replace
from random import Random

import pytest

from ledger.age import find_age, read_age, state_age, verify_age
from ledger.errors import VerificationError
from ledger.hexadecimal import to_hex
from ledger.spec import JobSpec, Staleness
from ledger.weights import compute_weight
from tests.simulated.terms import make_spec

FRESH, OLD, OLDER, OLDEST = (bytes([byte]) * 32 for byte in (1, 2, 3, 4))
BASES = (FRESH, OLD, OLDER, OLDEST)


def make_stale_spec(max_age: int = 2, discount: str = "0.5") -> JobSpec:
    return replace(make_spec(Random(1)), staleness=Staleness(max_age, discount))


def say(age: str, model: bytes) -> dict[str, str]:
    return {"age": age, "trainedFrom": to_hex(model)}


@pytest.mark.parametrize(("age", "model"), [(0, FRESH), (1, OLD), (2, OLDER)])
def test_honest_report_is_taken_at_its_age(age: int, model: bytes) -> None:
    spec = make_stale_spec()
    report = state_age(spec, age, model)
    verify_age(spec, report, BASES)
    assert read_age(spec, report) == age == find_age(model, BASES)


@pytest.mark.parametrize(
    "report",
    [
        say("0", OLD),
        say("1", OLDER),
        say("2", OLD),
        say("1", FRESH),
        say("3", OLDEST),
        say("2", OLDEST),
        say("1", bytes(32)),
        say("01", OLD),
        say("-1", OLD),
        say(" 1", OLD),
        say("", OLD),
        say("1.0", OLD),
        {"age": "1", "trainedFrom": OLD.hex()},
        {"age": "1", "trainedFrom": to_hex(b"\xab" * 32).upper()},
        {"age": "0"},
        {"trainedFrom": to_hex(FRESH)},
        {},
    ],
    ids=str,
)
def test_report_that_does_not_fit_the_history_is_refused(report: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as error:
        verify_age(make_stale_spec(), report, BASES)
    assert error.value.check == "age"
    assert error.value.expected is not None


def test_model_of_a_void_round_is_as_old_as_the_newest_round_that_began_with_it() -> None:
    """Trained in the first of three rounds of which two were void: the model has not changed since, nor aged."""
    spec = make_stale_spec(max_age=3)
    verify_age(spec, say("0", FRESH), (FRESH, FRESH, FRESH, OLD))
    verify_age(spec, say("1", OLD), (FRESH, OLD, OLD, OLDER))
    for age in ("1", "2"):
        with pytest.raises(VerificationError):
            verify_age(spec, say(age, FRESH), (FRESH, FRESH, FRESH, OLD))
    assert find_age(OLD, (FRESH, OLD, OLD)) == 1
    assert find_age(OLDER, (FRESH, OLD, OLD)) is None


def test_young_job_has_no_older_models() -> None:
    with pytest.raises(VerificationError):
        verify_age(make_stale_spec(), say("1", OLD), (FRESH,))


def test_job_without_stale_contributions_takes_reports_without_an_age_or_fresh_ones() -> None:
    spec = make_spec(Random(1))
    assert state_age(spec, 0, FRESH) == {}
    for report in ({}, {"age": "0"}, say("0", FRESH), {"loss": "1.5"}):
        verify_age(spec, report, (FRESH,))
        assert read_age(spec, report) == 0
    for report in ({"age": "1"}, say("1", OLD), say("0", OLD), {"age": ""}):
        with pytest.raises(VerificationError):
            verify_age(spec, report, (FRESH, OLD))


@pytest.mark.parametrize(("age", "weight"), [(0, 1024), (1, 512), (2, 256)])
def test_age_of_a_report_is_what_it_weighs_by(age: int, weight: int) -> None:
    spec = make_stale_spec()
    assert compute_weight(spec, age=read_age(spec, say(str(age), FRESH))) == weight
