"""The dev chain's process: ready when it says so, gone when it is stopped."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from contracts.devchain import AnvilMissing, DevChain, PortTaken, find_anvil, load_dev_signer
from contracts.errors import ChainUnreachable
from contracts.keeper import Keeper
from contracts.rpc import Rpc
from ledger.signatures import Signer
from tests.chain.fixtures import TestChain


def test_chain_mines_by_itself_and_is_gone_after_stop() -> None:
    with DevChain.start(block_seconds=1, accounts=3) as chain, Rpc(chain.url, attempts=1) as rpc:
        assert len(chain.accounts) == 3
        assert int(rpc.fetch("eth_getBalance", "0x" + chain.accounts[2].address.hex(), "latest"), 16) == 10**22
        deadline = time.monotonic() + 10
        while int(rpc.fetch("eth_blockNumber"), 16) < 2:
            assert time.monotonic() < deadline, "no block in ten seconds"
            time.sleep(0.1)
        process = chain.process_id
    assert not psutil.pid_exists(process)
    with Rpc(chain.url, attempts=1) as rpc, pytest.raises(ChainUnreachable):
        rpc.fetch("eth_blockNumber")


def test_chain_of_a_killed_program_ends_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "contracts.cli", "dev", "--block-time", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = json.loads(program.stdout.readline())["rpcUrl"]
        (anvil,) = [child for child in psutil.Process(program.pid).children() if "anvil" in child.name()]
        with Rpc(url, attempts=1) as rpc:
            assert rpc.fetch("eth_chainId") == "0x7a69"
        program.kill()
    gone, alive = psutil.wait_procs([anvil], timeout=20)
    assert (len(gone), alive) == (1, [])


def test_keeper_of_a_process_that_has_ended_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with Keeper(ended.pid) as keeper:
            keeper._process.wait(20)


def test_taken_port_is_told() -> None:
    with DevChain.start(block_seconds=None) as chain:
        port = int(chain.url.rpartition(":")[2])
        with pytest.raises(PortTaken, match=f"port {port} is in use by another program: choose another one"):
            DevChain.start(port=port)


def test_accounts_are_those_of_the_phrase() -> None:
    with DevChain.start(block_seconds=None, accounts=2) as chain:
        for account in chain.accounts:
            assert Signer(account.private_key).address == account.address
        assert load_dev_signer().address == chain.accounts[0].address


def test_missing_program_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_ANVIL", "no-such-program")
    with pytest.raises(AnvilMissing, match="npm ci"):
        find_anvil()


def test_restored_chain_tells_the_present_time(dev_chain: TestChain) -> None:
    snapshot = dev_chain.save()
    dev_chain.pass_time(5000)
    dev_chain.restore(snapshot)
    dev_chain.mine()
    block = dev_chain.rpc.fetch("eth_getBlockByNumber", "latest", False)
    assert abs(int(block["timestamp"], 16) - time.time()) < 10
