"""Every broken bundle is caught by the check it is named after, by the real command, with the exit code it says."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from client.auditor.checks import ALL_CHECKS, POPULATION_CHECKS, RECOMPUTED_CHECKS
from client.auditor.evidence.archive import write_archive
from client.cli import main
from tests.conformance.generate import CASES, POLICY, apply, list_cases, pack, render
from tests.conformance.good import FOLDER, GOOD, load_good, prove_good

SUCCESS = ("passed", "verified", "success", "ok")
NAMES = sorted(path.stem for path in CASES.glob("*.json"))

# What only a live chain or coordinator can break: nothing in a bundle can.
ELSEWHERE: set[str] = set(POPULATION_CHECKS)

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verify:
    """`tally audit verify FILE --offline` by an auditor with the policy of these bundles."""
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    shutil.copy(POLICY, tmp_path / "auditor.json")

    def run(path: Path, *options: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["tally", "audit", "verify", str(path), "--offline", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def read_case(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return case


def build(name: str, path: Path) -> Path:
    """The broken bundle, as the README tells other implementations to build it."""
    case, good = read_case(name), load_good()
    if "archive" in case:
        path.write_bytes(apply(pack(good), case["archive"]))
        return path
    files = dict(good)
    for file, edit in case["files"].items():
        if edit is None:
            del files[file]
        else:
            files[file] = apply(good.get(file, b""), edit)
    with path.open("wb") as target:
        write_archive(target, sorted(files.items()))
    return path


def list_outcomes(report: Mapping[str, Any], outcome: str) -> set[str]:
    return {check["id"] for check in report["checks"] if check["outcome"] == outcome}


def test_good_bundle_passes_every_check(verify: Verify) -> None:
    said = json.loads(load_good()["chain/chain.json"])
    code, text = verify(GOOD, "--block-hash", said["blockHash"], "--json")
    report = json.loads(text)
    assert list_outcomes(report, "pass") == set(ALL_CHECKS) - ELSEWHERE
    assert (code, report["payments"]) == (0, [])


@pytest.mark.parametrize("name", NAMES)
def test_broken_bundle_is_caught_by_the_check_it_is_named_after(name: str, verify: Verify, tmp_path: Path) -> None:
    case = read_case(name)
    path = build(name, tmp_path / "broken.zip")
    code, text = verify(path, "--block-hash", case.get("blockHash", "0x" + "00" * 32), "--json")
    report = json.loads(text)
    assert code == case["exitCode"], text[-3000:]
    if case["outcome"] == "unreadable":
        assert report["error"] == "MalformedBundle"
        return
    caught = list_outcomes(report, case["outcome"])
    assert case["check"] in caught
    if case["outcome"] == "unknown":
        assert not list_outcomes(report, "fail")
    elif case["othersMayFail"] != "any":
        excused = set(RECOMPUTED_CHECKS) if case["othersMayFail"] == "learning" else set()
        assert caught - excused - {case["check"]} == set()


def test_good_bundle_follows_the_storage_layout_of_the_ledger() -> None:
    assert load_good() == load_good() | prove_good(), "run `python -m tests.conformance.generate`"


def test_cases_are_as_generated() -> None:
    texts = render()
    committed = {f"cases/{path.name}" for path in CASES.glob("*.json")} | {"policy.json"}
    assert committed == set(texts)
    for name, text in texts.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run `python -m tests.conformance.generate`"


def test_names_are_told_apart_and_every_check_has_a_bundle_it_must_catch() -> None:
    cases = list_cases()
    assert len({case.name for case in cases}) == len(cases)
    caught = {case.check for case in cases if case.outcome == "fail"}
    assert caught == set(ALL_CHECKS) - ELSEWHERE


def test_whole_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name.startswith(("carry--earned", "archive--b", "trust--a"))]
)
def test_no_word_of_success_is_printed_for_people(name: str, verify: Verify, tmp_path: Path) -> None:
    case = read_case(name)
    _, text = verify(build(name, tmp_path / "broken.zip"), "--block-hash", case.get("blockHash", "0x" + "00" * 32))
    assert not [word for word in SUCCESS if word in text.lower().split()]
