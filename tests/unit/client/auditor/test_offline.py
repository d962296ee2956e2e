"""`tally audit` on a bundle: what opens no connection, what is refused, and what the auditor's own policy decides."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.auditor.evidence.archive import write_archive
from client.cli import main
from ledger.hexadecimal import to_address
from tests.conformance.draft import Files
from tests.conformance.generate import POLICY
from tests.conformance.good import GOOD, draw_keys, load_good

NODE = to_address(draw_keys()[1][0].address)
HASH: str = json.loads(load_good()["chain/chain.json"])["blockHash"]
JOB: str = json.loads(load_good()["bundle.json"])["job"]

# Any look at the network ends the process: sockets, names, and the system calls of other libraries.
WATCHED = """
import sys
def refuse(event, arguments):
    if event.startswith(("socket.", "ssl.", "urllib.", "http.", "ftplib.", "smtplib.")) or event == "subprocess.Popen":
        sys.stderr.write(f"NETWORK {event} {arguments}")
        sys.stderr.flush()
        import os
        os._exit(99)
sys.addaudithook(refuse)
if sys.argv[1] == "--prove":
    import socket
    socket.create_connection(("127.0.0.1", 9))
from client.cli import main
sys.argv = ["tally", *sys.argv[1:]]
main()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An auditor who pinned what the good bundle is about."""
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    shutil.copy(POLICY, tmp_path / "auditor.json")
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["tally", "audit", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out + captured.err


def save(path: Path, files: Files) -> str:
    with path.open("wb") as target:
        write_archive(target, sorted(files.items()))
    return str(path)


def watch(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A real process in which nothing may touch the network."""
    command = [sys.executable, "-c", WATCHED, *words]
    environment = {"TALLY_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    "words",
    [
        ("verify", str(GOOD), "--offline", "--block-hash", HASH),
        ("explain", JOB, "2", NODE, "--bundle", str(GOOD), "--block-hash", HASH),
    ],
    ids=["verify", "explain"],
)
def test_nothing_touches_the_network(home: Path, words: tuple[str, ...]) -> None:
    done = watch(home, "audit", *words)
    assert done.returncode == 0, done.stderr
    assert "as of block 4321" in " ".join(done.stdout.split())


def test_watched_process_would_have_been_caught(home: Path) -> None:
    done = watch(home, "--prove")
    assert done.returncode == 99
    assert "NETWORK socket." in done.stderr


def test_good_bundle_ends_with_zero_and_says_as_of_which_block(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(monkeypatch, capsys, "verify", str(GOOD), "--offline", "--block-hash", HASH)
    assert code == 0
    assert "as of block 4321" in text
    assert "proven under the hash of block 4321" in text


def test_without_a_hash_it_is_not_checked_and_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(monkeypatch, capsys, "verify", str(GOOD), "--offline")
    assert code == 3
    assert "pass --block-hash" in text
    code, text = call(monkeypatch, capsys, "verify", str(GOOD), "--offline", "--no-chain", "--no-recompute")
    assert code == 0
    assert "nothing was compared with the chain" in text


def test_policy_inside_a_bundle_is_never_read(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither can it make a false bundle pass, nor a good one fail."""
    words = ("--offline", "--no-recompute", "--block-hash", HASH, "--json")
    lying = json.dumps({"chainId": 1, "jobLedger": "0x" + "09" * 20, "codeHash": None, "coordinator": None})
    path = save(home / "with.zip", {**load_good(), "policy.json": lying.encode()})
    reports = []
    for bundle in (str(GOOD), path):
        code, text = call(monkeypatch, capsys, "verify", bundle, *words)
        report = json.loads(text[text.index("{") :])
        reports.append((code, {**report, "seconds": None}))
    assert reports[0] == reports[1]
    assert reports[0][0] == 0
    # An auditor who pinned another coordinator is not talked out of it.
    pinned = json.loads((home / "auditor.json").read_text())
    (home / "auditor.json").write_text(json.dumps({**pinned, "coordinator": "0x" + "07" * 20}))
    honest = save(home / "with.zip", {**load_good(), "policy.json": json.dumps(pinned).encode()})
    code, text = call(monkeypatch, capsys, "verify", honest, *words)
    assert code == 1
    assert "another coordinator than you pinned" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("verify", str(GOOD), "--rpc", "http://127.0.0.1:1"), "add --offline"),
        (("verify", "nowhere.zip", "--offline"), "no file"),
        (("verify", str(GOOD), "--offline", "--block-hash", "0x12"), "--block-hash"),
        (("verify", JOB, "--block-hash", HASH, "--rpc", "http://127.0.0.1:1"), "go with --offline"),
        (("verify", str(GOOD), "--offline", "--rounds", "3-4"), "from 1 to 2"),
        (("explain", JOB, "2", "0x" + "05" * 20, "--bundle", str(GOOD)), "no entry of"),
        (("explain", JOB, "7", NODE, "--bundle", str(GOOD)), "no entry of"),
        (("explain", "0x" + "22" * 32, "1", NODE, "--bundle", str(GOOD)), "no job 0x2222"),
    ],
    ids=["not said", "no file", "hash", "online", "rounds", "node", "round", "job"],
)
def test_wrong_use_ends_with_two(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    code, text = call(monkeypatch, capsys, *words)
    assert code == 2, text
    assert sentence in text


def test_nothing_pinned_is_wrong_use(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "auditor.json").unlink()
    code, text = call(monkeypatch, capsys, "verify", str(GOOD), "--offline")
    assert (code, "which ledger do you trust" in text) == (2, True)
    code, text = call(monkeypatch, capsys, "verify", str(GOOD), "--offline", "--ledger", "0x" + "11" * 20)
    assert (code, "which chain do you trust" in text) == (2, True)


def test_explanation_from_a_bundle_says_every_step(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(monkeypatch, capsys, "explain", JOB, "2", NODE, "--bundle", str(GOOD), "--block-hash", HASH)
    assert code == 0
    for words in ("accepted", "Weight 1 of 4", "credit", "gain of", "pot is", "base unit", "TALLY", "claimable from"):
        assert words in text
    code, text = call(monkeypatch, capsys, "explain", JOB, "2", NODE, "--bundle", str(GOOD))
    assert code == 0
    assert "whether it is on chain is not known" in text


def test_token_of_other_decimals_is_shown_as_it_says(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = load_good()["chain/chain.json"]
    for decimals, budget in ((b"6", "1000000000000"), (b"0", "1000000000000000000")):
        changed = said.replace(b'"decimals":18', b'"decimals":' + decimals)
        path = save(home / "six.zip", {**load_good(), "chain/chain.json": changed})
        _, text = call(monkeypatch, capsys, "explain", JOB, "2", NODE, "--bundle", path, "--block-hash", HASH)
        assert f"budget {budget} TALLY" in text
    path = save(home / "none.zip", {**load_good(), "chain/chain.json": _without_token(said)})
    _, text = call(monkeypatch, capsys, "explain", JOB, "2", NODE, "--bundle", path, "--block-hash", HASH)
    assert "budget 1000000000000000000 base units" in text


def _without_token(said: bytes) -> bytes:
    return said.replace(b'"token":{"decimals":18,"symbol":"TALLY"}', b'"token":null')
