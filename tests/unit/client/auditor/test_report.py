"""A report: its exit code, its words, its JSON. No error path prints a word of success."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from client.auditor.checks import ALL_CHECKS, RECOMPUTED_CHECKS
from client.auditor.report import Report
from client.auditor.screen import conclude, print_report
from ledger.verify.results import Outcome, Result

SUCCESS = ("passed", "verified", "success", "ok")


def make_report(*changes: Result, recomputed: bool = True) -> Report:
    changed = {change.check for change in changes}
    passes = [Result(check, Outcome.PASS, 1) for check in ALL_CHECKS if check not in changed]
    return Report(b"\1" * 32, 31337, b"\2" * 20, 77, 1, 3, recomputed, (*passes, *changes))


def show(report: Report, capsys: pytest.CaptureFixture[str]) -> str:
    print_report(report)
    return capsys.readouterr().out


def test_numbers_of_all_checks_are_consecutive_and_ids_are_kebab_words() -> None:
    assert [check.number for check in ALL_CHECKS.values()] == list(range(1, len(ALL_CHECKS) + 1))
    assert all(check.id == id_ and id_.replace("-", "").isalpha() for id_, check in ALL_CHECKS.items())
    assert all(check.meaning.endswith(".") and check.failing.endswith(".") for check in ALL_CHECKS.values())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ((), 0),
        ((Result("carry", Outcome.FAIL, 2, 4),), 1),
        ((Result("carry", Outcome.UNKNOWN, 2),), 3),
        ((Result("carry", Outcome.UNKNOWN, 2), Result("anchor", Outcome.FAIL, 2)), 1),
        ((Result("scores", Outcome.UNKNOWN, 2),), 3),
    ],
)
def test_exit_code_tells_false_from_unknown(changes: Sequence[Result], code: int) -> None:
    assert make_report(*changes).exit_code == code


def test_check_that_nobody_answered_is_not_checked() -> None:
    report = make_report()
    missing = replace(report, results=report.results[1:])
    assert missing.exit_code == 3


def test_recomputation_that_was_not_asked_for_is_not_required() -> None:
    unknown = [Result(check, Outcome.UNKNOWN) for check in RECOMPUTED_CHECKS]
    report = make_report(*unknown, recomputed=False)
    assert report.exit_code == 0
    assert "not recomputed" in conclude(report)


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNKNOWN])
def test_no_word_of_success_unless_everything_passed(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    every = [Result(check, outcome, 1, detail="why") for check in ALL_CHECKS]
    report = make_report(*every)
    text = show(report, capsys).lower()
    assert not [word for word in SUCCESS if word in text.split()]
    assert ("contradiction" in text) == (outcome is Outcome.FAIL)


def test_contradiction_is_shown_with_its_place_and_operands(capsys: pytest.CaptureFixture[str]) -> None:
    text = show(make_report(Result("carry", Outcome.FAIL, 2, 4, "credit does not follow", "5", "6")), capsys)
    assert "fail carry (round 2, seq 4): credit does not follow: expected 5, got 6" in text
    assert "CONTRADICTION, first in round 2: carry" in text


def test_passed_audit_says_so_and_as_of_which_block(capsys: pytest.CaptureFixture[str]) -> None:
    text = show(make_report(), capsys)
    assert "as of block 77" in text
    assert f"all {len(ALL_CHECKS)} required checks passed" in text


def test_words_of_the_coordinator_are_shown_as_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the coordinator says of itself: chainId 5" in show(make_report().quote({"chainId": "5"}), capsys)


def test_json_holds_every_check_and_everything_that_did_not_pass() -> None:
    report = json.loads(json.dumps(make_report(Result("carry", Outcome.FAIL, 2, 4)).to_json()))
    assert [check["id"] for check in report["checks"]] == list(ALL_CHECKS)
    assert {check["id"]: check["outcome"] for check in report["checks"]}["carry"] == "fail"
    assert [(result["check"], result["round"], result["seq"]) for result in report["results"]] == [("carry", 2, 4)]
    assert report["exitCode"] == 1
