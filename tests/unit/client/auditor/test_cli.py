"""`tally audit` at its edges: exit codes 2 and 3, one sentence, and no word of success."""

import json
import socket
import sys
from pathlib import Path

import pytest

from client.cli import main

LEDGER = "0x" + "11" * 20
JOB = "0x" + "22" * 32
NOWHERE = "http://127.0.0.1:1"
SUCCESS = ("passed", "verified", "success", "ok")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["tally", "audit", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert not [word for word in SUCCESS if word in text.lower().split()]
    return int(ended.value.code or 0), text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("verify", JOB, "--coordinator", NOWHERE, "--ledger", LEDGER), "--rpc URL of a provider that you trust"),
        (("verify", JOB, "--coordinator", NOWHERE, "--rpc", NOWHERE), "which ledger do you trust"),
        (("verify", JOB, "--rpc", NOWHERE, "--ledger", LEDGER), "which coordinator"),
        (("verify", "0x12", "--coordinator", NOWHERE, "--rpc", NOWHERE, "--ledger", LEDGER), "JOB"),
        (("verify", JOB, "--rounds", "3-1", "--rpc", NOWHERE, "--ledger", LEDGER), "--rounds"),
        (("verify", JOB, "--coordinator", "tally", "--rpc", NOWHERE, "--ledger", LEDGER), "http"),
        (("explain", JOB, "1", "me", "--coordinator", NOWHERE, "--rpc", NOWHERE, "--ledger", LEDGER), "address"),
        (("pin", "0x12", "5"), "address"),
        (("verify",), "JOB"),
    ],
    ids=["no rpc", "no ledger", "no coordinator", "job", "rounds", "url", "node", "pin", "no job"],
)
def test_wrong_use_ends_with_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    code, text = call(monkeypatch, capsys, *words)
    assert code == 2
    assert sentence in text


@pytest.mark.parametrize("command", [("verify", JOB), ("explain", JOB, "1", LEDGER)], ids=["verify", "explain"])
def test_coordinator_that_does_not_answer_ends_with_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    code, text = call(monkeypatch, capsys, *command, "--coordinator", url, "--rpc", url, "--ledger", LEDGER, "--json")
    assert code == 3
    assert "no connection" in text
    assert json.loads(text[text.index("{") : text.index("}") + 1])["error"] == "TransportUnreachable"


def test_pinned_ledger_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(monkeypatch, capsys, "pin", LEDGER, "5")
    assert code == 0
    assert str(tmp_path) in text
    code, text = call(monkeypatch, capsys, "verify", JOB, "--rpc", NOWHERE, "--coordinator", NOWHERE, "--chain-id", "6")
    assert code == 2
    assert "expected chain 5" in text
