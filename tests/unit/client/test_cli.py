"""The program's surface: help is quick and imports nothing heavy, errors are sentences, JSON stays JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from client import cli
from client.edge import is_told, report
from client.errors import UsageRefused
from client.node.cli import app as node_app
from client.output import format_amount, shorten_amount
from client.requester.cli import app as job_app
from client.requester.model_cli import app as model_app
from ledger.errors import VerificationError

HEAVY = ("torch", "web3", "httpx", "eth_account", "numpy", "fastapi", "sqlmodel", "structlog")


def run(*arguments: str, home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "TALLY_HOME": str(home), **environment}
    command = [sys.executable, "-m", "client.cli", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["node", "--help"], ["node", "run", "--help"], ["job", "create", "-h"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['tally', *sys.argv[1:]]\n"
        "from client import cli\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"found = sorted(name for name in {HEAVY!r} if name in sys.modules)\n"
        "sys.exit(f'imported {found}' if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_help_lists_every_program() -> None:
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in cli.PROGRAMS)


OPERATING = "payout stake unstake withdraw-stake"


@pytest.mark.parametrize(
    ("app", "names"),
    [
        (node_app, f"run fleet init join status earnings claim explain {OPERATING} rotate receipts backup"),
        (job_app, "create list show watch nodes close"),
        (model_app, "download"),
    ],
)
def test_every_command_has_help_and_json(app: object, names: str) -> None:
    group = get_command(app)  # type: ignore[arg-type]  # a Typer app
    commands = getattr(group, "commands")  # noqa: B009 -- Typer's own groups
    assert list(commands) == names.split()
    for command in commands.values():
        assert len(command.help) > 40
        assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_missing_choice_is_a_sentence_without_a_traceback(tmp_path: Path) -> None:
    done = run("node", "run", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "tally: which coordinator? Give --coordinator URL, or set TALLY_COORDINATOR\n"


def test_error_of_a_json_command_is_json_too(tmp_path: Path) -> None:
    done = run("job", "list", "--json", "--coordinator", "ftp://x", home=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["error"]) == (2, "UsageRefused")


def test_wrong_setting_is_named(tmp_path: Path) -> None:
    done = run("node", "init", home=tmp_path, TALLY_MAX_AHEAD="none")
    assert done.returncode == 2
    assert "TALLY_MAX_AHEAD" in done.stderr


def test_init_makes_both_wallets_once(tmp_path: Path) -> None:
    settings = {"TALLY_PASSPHRASE": "secret", "TALLY_KEYSTORE_WORK": "1024"}
    first = run("node", "init", "--json", home=tmp_path, **settings)
    again = run("node", "init", "--json", home=tmp_path, **settings)
    assert first.returncode == again.returncode == 0, first.stderr
    assert json.loads(first.stdout) == json.loads(again.stdout)
    wrong = run("node", "init", home=tmp_path, **{**settings, "TALLY_PASSPHRASE": "other"})
    assert (wrong.returncode, "passphrase is wrong" in wrong.stderr) == (1, True)


def test_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    empty = dict.fromkeys(("TALLY_PASSPHRASE_FILE", "TALLY_RPC", "TALLY_MAX_AHEAD", "TALLY_COORDINATOR"), "")
    done = run("node", "init", home=tmp_path, TALLY_PASSPHRASE="secret", TALLY_KEYSTORE_WORK="1024", **empty)
    assert done.returncode == 0, done.stderr


def test_our_bugs_leave_a_traceback_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    assert report(ZeroDivisionError("division by zero")) == 1
    assert "ZeroDivisionError" in (tmp_path / "crash.log").read_text()
    assert is_told(VerificationError("pin", "differs"))
    assert report(UsageRefused("wrong")) == 2


@pytest.mark.parametrize(
    ("amount", "exact", "short"),
    [
        (0, "0", "0"),
        (1, "0.000000000000000001", "0…"),
        (10**18, "1", "1"),
        (-(3 * 10**18) // 2, "-1.5", "-1.5"),
        (29420479751934180966, "29.420479751934180966", "29.420479…"),
    ],
)
def test_amounts_are_exact_or_marked_as_cut(amount: int, exact: str, short: str) -> None:
    assert (format_amount(amount), shorten_amount(amount)) == (exact, short)
