"""`tally-chain` as people and programs run it: real processes, results on stdout, errors as one sentence."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from eth_keyfile.keyfile import create_keyfile_json

from contracts.deployment import Deployment
from contracts.devchain import DevChain
from contracts.gateway import Gateway
from tests.chain.fixtures import TestChain

COMMAND = [sys.executable, "-m", "contracts.cli"]


def run(repository: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=repository,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    printed: dict[str, Any]
    file: Path


@pytest.fixture(scope="module")
def running(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`tally-chain dev --deploy`, in the foreground of its own process."""
    out = tmp_path_factory.mktemp("chain") / "deployment.json"
    process = subprocess.Popen(
        [*COMMAND, "dev", "--deploy", "--out", str(out), "--block-time", "0", "--json"],
        cwd=repository,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Running(process, json.loads(process.stdout.readline()), out)
        finally:
            process.kill()


def test_dev_prints_where_it_is_and_writes_the_deployment(repository: Path, running: Running) -> None:
    assert running.printed["deployment"] == json.loads(running.file.read_text())
    shown = run(repository, "status", "--rpc", running.printed["rpcUrl"], "--deployment", str(running.file), "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["JobLedger"] == running.printed["deployment"]["jobLedger"]


def test_fund_sends_exact_amounts(repository: Path, running: Running) -> None:
    url, to = running.printed["rpcUrl"], "0x" + "77" * 20
    place = ["--rpc", url, "--deployment", str(running.file)]
    done = run(repository, "fund", to, *place, "--coins", "0.000000000000000001", "--tokens", "12.5")
    assert done.returncode == 0, done.stderr
    with Gateway.connect(url, Deployment.load(running.file)) as gateway:
        assert gateway.fetch_balance(b"\x77" * 20) == 1
        assert gateway.fetch_token_balance(b"\x77" * 20) == 125 * 10**17


def test_terminated_dev_chain_leaves_no_process(repository: Path, running: Running) -> None:
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert any("anvil" in child.name() for child in children)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=20) == 0
    assert not any(child.is_running() for child in children)


def test_deploy_pays_from_a_keystore_and_refuses_a_second_time(
    repository: Path, dev_chain: TestChain, clean_state: None, tmp_path: Path
) -> None:
    key, out = tmp_path / "key.json", tmp_path / "deployment.json"
    account: DevChain = dev_chain.chain
    key.write_text(json.dumps(create_keyfile_json(account.accounts[4].private_key, b"secret", iterations=2)))
    words = ["deploy", "--rpc", dev_chain.url, "--keystore", str(key), "--out", str(out), "--json"]

    wrong = run(repository, *words, "--yes", TALLY_PASSPHRASE="wrong")
    assert wrong.returncode == 2
    assert "does not open" in json.loads(wrong.stdout)["detail"]

    dry = run(repository, *words, "--dry-run", TALLY_PASSPHRASE="secret")
    assert dry.returncode == 0, dry.stderr
    assert not out.exists()

    done = run(repository, *words, "--yes", TALLY_PASSPHRASE="secret")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jobLedger"] == json.loads(dry.stdout)["JobLedger"]
    assert Deployment.load(out).to_json() == json.loads(done.stdout)

    again = run(repository, *words, "--yes", TALLY_PASSPHRASE="secret")
    assert again.returncode == 2
    assert "never overwritten" in again.stderr


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["status", "--rpc", "http://127.0.0.1:9", "--deployment", "{file}"], 3, "expected an answer from the chain"),
        (["status", "--rpc", "{url}", "--deployment", "{key}"], 2, "expected the file to be an object"),
        (["deploy", "--rpc", "{url}", "--out", "{new}"], 2, "expected one key that pays, got 0"),
        (["deploy", "--rpc", "{url}", "--out", "{new}", "--private-key-file", "{file}"], 2, "holds no private key"),
        (["fund", "0x12", "--rpc", "{url}", "--deployment", "{file}", "--coins", "1"], 2, "40 hex digits"),
        (["fund", "{to}", "--rpc", "{url}", "--deployment", "{file}", "--coins", "-1"], 2, "expected an amount"),
        (["status", "--rpc", "{url}", "--deployment", "{other}"], 1, "expected chain id 1, got 31337"),
    ],
)
def test_wrong_use_is_one_sentence(
    repository: Path,
    dev_chain: TestChain,
    deployment: Deployment,
    tmp_path: Path,
    words: list[str],
    code: int,
    sentence: str,
) -> None:
    files = {name: tmp_path / name for name in ("file", "key", "other", "new")}
    deployment.save(files["file"])
    files["other"].write_text(json.dumps({**deployment.to_json(), "chainId": 1}))
    files["key"].write_text("11" * 32)
    filled = [word.format(url=dev_chain.url, to="0x" + "12" * 20, **files) for word in words]
    done = run(repository, *filled)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_help_needs_no_web3(repository: Path) -> None:
    check = "import sys; import contracts.cli; assert not {'web3', 'requests', 'rich.console'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], cwd=repository, check=True)
