"""Wrong things done with real commands: a sentence that says what was wrong, an exit code, and nothing changed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import calls
from client.demo.processes import find_free_ports
from client.home import Home
from client.wallet import read_address
from ledger.hexadecimal import to_address
from tests.chain.provider import Reply, Request, run_provider
from tests.e2e.gate import wait_until
from tests.e2e.programs import Program, run
from tests.e2e.world import World, run_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with run_world(tmp_path_factory.mktemp("refusals") / "world") as world:
        yield world


@pytest.fixture(scope="module")
def node(world: World) -> Program:
    """Node A, registered."""
    node = world.start_node()
    wait_until("node A present", lambda: any(view.present for view in world.api.fetch(calls.nodes())), 90)
    return node


def test_second_process_with_the_same_wallet_is_refused(world: World, node: Program) -> None:
    done = run(["tally", "node", "run", "--data", str(world.node_files[0])], world.client("node-a"))
    assert done.returncode == 1
    assert "another process is using it; stop that process first" in done.stderr
    node.check()


def test_claim_of_nothing_pays_nothing(world: World, node: Program) -> None:
    done = run(["tally", "node", "claim", "--json"], world.client("node-a"))
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_wrong_passphrase_changes_nothing(world: World, node: Program, tmp_path: Path) -> None:
    wrong = tmp_path / "passphrase"
    wrong.write_text("something else", encoding="utf-8")
    wallet = Home(world.folder / "requester").requester_wallet
    wallet.parent.mkdir(parents=True, exist_ok=True)
    wallet.write_bytes(Home(world.folder / "node-a").node_wallet.read_bytes())
    before = wallet.read_bytes()
    command = ["tally", "audit", "verify", "0x" + "00" * 32, "--ledger", "0x" + "11" * 20, "--wallet", str(wallet)]
    done = run([*command, "--passphrase-file", str(wrong)], world.client("requester"))
    assert done.returncode != 0
    assert f"wallet {wallet}: the passphrase is wrong; nothing was changed, try again" in done.stderr
    assert wallet.read_bytes() == before
    assert read_address(wallet) == world.node_a


def test_coordinator_that_is_not_there_is_told_and_waited_for(world: World, tmp_path: Path) -> None:
    (port,) = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    done = run(["tally", "job", "list"], {**world.client("nobody"), "TALLY_COORDINATOR": url})
    assert done.returncode == 1
    assert f"{url} does not answer (no connection); waiting and trying again" in done.stderr
    assert not (world.folder / "nobody" / "pins.json").exists()


def test_node_waits_for_its_coordinator_without_end(world: World) -> None:
    world.coordinator.kill()
    command = ["tally", "node", "run", "--data", str(world.node_files[1])]
    waiting = world.launch("waiting-node", command, world.client("waiting"))
    wait_until("a node that says so", lambda: "does not answer" in waiting.log.read_text(encoding="utf-8"))
    world.coordinator.start_again()
    wait_until("a node that went on", lambda: "answers again" in waiting.log.read_text(encoding="utf-8"), 90)
    waiting.check()
    waiting.stop()


def test_wrong_chain_is_named_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    world.wait_ready()

    def serve_another_chain(request: Request) -> Reply:
        if request["method"] != "eth_chainId":
            return None
        return 200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "0x1"}).encode()

    with run_provider(world.chain.url) as provider:
        provider.fault = serve_another_chain
        done = run(["tally", "job", "create", _write_job(tmp_path), "--yes", "--rpc", provider.url], _poor(world))
    assert done.returncode == 1
    assert "tally: expected chain id 31337, got 1: give the RPC address of chain 31337" in done.stderr
    assert "eth_sendRawTransaction" not in provider.requests
    assert world.api.fetch(calls.jobs()) == []


def test_job_without_funds_is_refused_with_what_is_missing(world: World, tmp_path: Path) -> None:
    world.wait_ready()
    done = run(["tally", "job", "create", _write_job(tmp_path), "--yes"], _poor(world))
    assert done.returncode == 1
    requester = to_address(read_address(Home(world.folder / "poor").requester_wallet))
    assert f"tally: expected {requester} to have 100 of the token" in done.stderr
    assert "got 0: send 100 more to that address" in done.stderr
    assert world.api.fetch(calls.jobs()) == []


def test_pickle_is_no_data(world: World, tmp_path: Path) -> None:
    data = tmp_path / "scans.pkl"
    data.write_bytes(b"\x80\x04.")
    done = run(["tally", "node", "run", "--data", str(data)], world.client("pickler"))
    assert done.returncode == 2
    assert "expected a .safetensors or .json file" in done.stderr


def test_unknown_kind_of_update_is_answered_with_the_list_before_anything_is_made(tmp_path: Path) -> None:
    command = ["tally", "node", "run", "--coordinator", "http://127.0.0.1:9", "--data", "scans.json"]
    done = run([*command, "--update", "nonsense"], {"TALLY_HOME": str(tmp_path / "home")})
    assert done.returncode == 2
    assert "--update nonsense: expected one of trained, inflated-counts, zero, " in done.stderr
    assert not (tmp_path / "home").exists()


def _poor(world: World) -> dict[str, str]:
    """A requester without a token; its wallet is made on the way."""
    return world.client("poor")


def _write_job(folder: Path) -> str:
    job = {"title": "Digits", "task": {"name": "digits"}, "scoringRule": "by-weight", "bond": "1"}
    file = folder / "job.json"
    file.write_text(json.dumps({**job, "rounds": 1, "budgetPerRound": "100", "window": 1}), encoding="utf-8")
    return str(file)
