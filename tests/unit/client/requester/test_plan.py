"""Plans: a job file becomes spec, terms and files that fit each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.errors import UsageRefused
from client.pins import Pin
from client.requester.cli_create import describe_plan
from client.requester.job_file import load_job_file
from client.requester.opening import Funds
from client.requester.plan import JobPlan, plan_job
from client.tokens import Unit
from contracts.amounts import MalformedAmount
from learning.tasks import Examples, get_task
from ledger.errors import Malformed, MalformedSpec
from ledger.hashing import sha256
from ledger.spec import Adam

PIN = Pin(31337, bytes([1]) * 20, bytes([2]) * 20, bytes([3]) * 20, bytes([4]) * 20)
REQUESTER = bytes([5]) * 20
TOKEN = 10**18


@pytest.fixture
def validation(tmp_path: Path) -> Path:
    task = get_task("digits", {})
    examples: Examples = {"pixels": np.zeros((4, 64), np.float32), "labels": np.arange(4, dtype=np.int64)}
    path = tmp_path / "validation.safetensors"
    path.write_bytes(task.write_examples(examples))
    return path


def plan(decimals: int = 18, **options: Any) -> JobPlan:
    base = {"title": "t", "task": {"name": "digits"}, "rounds": 3, "budgetPerRound": "2"}
    return plan_job(load_job_file(None, base | options), PIN, REQUESTER, decimals, randbits=lambda _: 77)


def test_terms_carry_the_spec_and_the_pin(validation: Path) -> None:
    made = plan(validation=validation, holdout=validation)
    terms = made.terms
    assert terms.spec_digest == made.spec.digest()
    assert (terms.requester, terms.coordinator, terms.token) == (REQUESTER, PIN.coordinator, PIN.token)
    assert (terms.rounds, terms.budget_per_round, terms.price_per_nat) == (3, 2 * TOKEN, 2 * TOKEN)
    assert (made.escrow, terms.bond, terms.nonce) == (6 * TOKEN, 20 * TOKEN, 77)
    assert made.job == terms.job_id() == made.request().terms.job_id()


def test_amounts_are_in_the_tokens_own_base_units() -> None:
    terms = plan(decimals=6, budgetPerRound="2.5", pricePerNat="0.000001", bond="7").terms
    assert (terms.budget_per_round, terms.price_per_nat, terms.bond) == (2_500_000, 1, 7_000_000)
    with pytest.raises(MalformedAmount, match="at most 6 decimals"):
        plan(decimals=6, budgetPerRound="0.0000001")


def test_files_are_those_the_spec_names(validation: Path) -> None:
    made = plan(validation=validation, holdout=validation)
    assert made.spec.validation == made.holdout == sha256(validation.read_bytes())
    assert set(made.files) == {made.spec.initial_model, made.spec.validation}
    assert all(sha256(content) == digest for digest, content in made.files.items())


@pytest.mark.parametrize("key", ["validation", "holdout", "initialModel"])
def test_file_of_another_kind_is_named(tmp_path: Path, key: str) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"a text of some length that is no safetensors file")
    with pytest.raises(UsageRefused, match=r"wrong\.safetensors .* of the task digits"):
        plan(**{key: Path(wrong)})  # type: ignore[arg-type]  # options by name


@pytest.mark.parametrize("key", ["validation", "holdout"])
def test_file_without_anything_to_measure_is_named(tmp_path: Path, key: str) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    with pytest.raises(UsageRefused, match=r"empty\.json .* at least one position"):
        plan(**{key: Path(empty)})  # type: ignore[arg-type]  # options by name


def test_without_validation_pay_goes_by_weight(validation: Path) -> None:
    made = plan()
    assert (made.spec.scoring_rule, made.spec.validation) == ("by-weight", None)
    assert made.list_notes()[0].startswith("by-weight: no effect is measured")
    lines = describe_plan(made, Funds(0, 0, 0, 0), Unit(18))
    assert any(line.endswith("tokens for each unit of weight") for line in lines)
    measured = describe_plan(plan(validation=validation), Funds(0, 0, 0, 0), Unit(18))
    assert any(line.endswith("tokens for each nat that the validation loss falls") for line in measured)


def test_same_file_and_nonce_make_the_same_job(validation: Path) -> None:
    assert plan(validation=validation).job == plan(validation=validation).job
    assert plan(validation=validation).job != plan(validation=validation, nonce=1).job


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"task": {"name": "unknown"}}, "task.name"),
        ({"clipNorm": "zero"}, "clipNorm"),
        ({"cohort": {"minimum": 5, "maximum": 2}}, "cohort.maximum"),
        ({"scoringRule": "aumann-shapley"}, "validation"),
        ({"fractionBits": 60}, "fractionBits"),
    ],
)
def test_field_that_no_job_can_have_is_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as error:
        plan(**options)
    assert error.value.subject == field


def test_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="cannot be read"):
        plan(validation=tmp_path / "none.safetensors")
    (tmp_path / "broken.json").write_text("[")
    with pytest.raises(UsageRefused, match="not JSON"):
        plan(validation=tmp_path / "broken.json")
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04\x95 not safetensors")
    with pytest.raises(UsageRefused, match=r"pickle.safetensors holds no examples of the task digits"):
        plan(validation=tmp_path / "pickle.safetensors")


def test_adam_brings_a_server_rate_of_its_own(validation: Path) -> None:
    """A task's rate is for plain means: Adam's steps of that size would void every round."""
    spec = plan(validation=validation, adam={}).spec
    assert (spec.adam, spec.server_rate) == (Adam("0.99", "0.001"), "0.01")
    assert plan(validation=validation, adam={}, serverRate="0.05").spec.server_rate == "0.05"
    assert plan(validation=validation).spec.server_rate == "1"


def test_rule_that_needs_a_validation_set_is_refused_without_one(validation: Path) -> None:
    assert plan(validation=validation, aggregationRule="trust-weighted").spec.aggregation_rule == "trust-weighted"
    with pytest.raises(MalformedSpec, match="another rule where there is no validation set"):
        plan(aggregationRule="trust-weighted")


def test_pull_of_the_task_is_part_of_the_spec_and_bounded(validation: Path) -> None:
    task = {"name": "digits", "config": {"proximal": "0.5"}}
    assert plan(validation=validation, task=task).spec.task.config["proximal"] == "0.5"
    with pytest.raises(MalformedSpec, match=r"task\.config\.proximal"):
        plan(validation=validation, task={"name": "digits", "config": {"proximal": "11"}})


def test_job_without_stake_or_vouchers_is_noted(validation: Path) -> None:
    (scored,) = plan(validation=validation).list_notes()
    assert "throwaway keys escape debt" in scored
    _, unscored = plan().list_notes()
    assert "one operator may count as many" in unscored
    assert "debt" not in unscored
    assert plan(validation=validation).to_json()["notes"] == [scored]


@pytest.mark.parametrize(
    "options", [{"minStake": "1"}, {"vouchers": {"platform": "0x" + "11" * 20, "samplesPerViewer": 50}}], ids=str
)
def test_job_with_stake_or_vouchers_needs_no_note(validation: Path, options: dict[str, Any]) -> None:
    assert plan(validation=validation, **options).list_notes() == []


@pytest.mark.parametrize("rule", ["median", "trimmed-mean"])
def test_vouchers_under_a_rule_that_counts_every_update_once_are_noted(validation: Path, rule: str) -> None:
    vouchers = {"platform": "0x" + "11" * 20, "samplesPerViewer": 50}
    options: dict[str, Any] = {
        "aggregationRule": rule,
        "aggregationTolerance": "0.3" if rule == "trimmed-mean" else "0",
    }
    (note,) = plan(validation=validation, vouchers=vouchers, **options).list_notes()
    assert note.startswith(f"[vouchers] weigh nothing under {rule}")
    assert plan(validation=validation, minStake="1", **options).list_notes() == []


def test_note_is_shown_to_people_beside_the_cost() -> None:
    made = plan()
    funds = Funds(made.escrow, 1, 0, made.terms.bond)
    assert describe_plan(made, funds, Unit(18))[-1].startswith("NOTE     no stake and no vouchers")
