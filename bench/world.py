"""A whole Tallystick on loopback for a bench: dev chain, coordinator, nodes; each a real process, files on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from client import calls
from client.api import Api
from client.demo.processes import Stage, find_free_ports, find_program
from client.home import Home
from client.seed import Seed, save_seed
from client.wallet import encrypt_secret, save_keystore
from contracts.amounts import parse_amount
from contracts.chain import Chain
from contracts.deploy import deploy, plan_deployment
from contracts.deployment import Deployment
from contracts.devchain import DevChain
from contracts.escrow import deposit_bond
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from ledger.hexadecimal import parse_hex, to_address
from ledger.signatures import Signer
from ledger.wire import RoundView

PASSPHRASE = "of a bench"  # noqa: S105 -- of wallets that are thrown away
KEYSTORE_WORK = 1_024
PHASE_SECONDS = 600
TOKENS = "100000"

_PEOPLE = ("owner", "coordinator", "requester", "a", "b", "c", "d")
_LOOK_SECONDS = 0.5
_OPERATOR = b"\x77" * 20


class World:
    """What runs for one bench. Everything it started ends with its stack.

    Args:
        folder: holds all files; on a disk, or its fsyncs cost nothing.
        chain: the dev chain.
        stage: runs the programs.
        stack: what else is to be ended.
    """

    def __init__(self, folder: Path, chain: DevChain, stage: Stage, stack: ExitStack) -> None:
        self.folder, self.chain, self.stage = folder, chain, stage
        (self.port,) = find_free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.passphrase_file = folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE, encoding="utf-8")
        self.deployment = self._deploy()
        self.gateway: Gateway = stack.enter_context(Gateway.connect(chain.url, self.deployment))
        self._fund()
        self.api: Api = stack.enter_context(Api(self.url))

    def start_coordinator(self, **settings: str) -> None:
        """`tally-coordinator serve`, with settings by name."""
        folder = self.folder / "coordinator"
        save_keystore(
            folder / "coordinator.keystore.json", encrypt_secret(self.secret("coordinator"), PASSPHRASE, KEYSTORE_WORK)
        )
        values = {
            "DEV": "true",
            "DATA_DIR": str(folder),
            "DEPLOYMENT": str(self.folder / "deployment.json"),
            "RPC_URL": self.chain.url,
            "PORT": str(self.port),
            "PASSPHRASE_FILE": str(self.passphrase_file),
            "CONFIRMATIONS": "0",
            "MIN_WINDOW_SECONDS": "1",
            "COMPUTE_THREADS": "1",
            "MAX_UNANCHORED_ROUNDS": "100000",
            "PRESENCE_SECONDS": str(PHASE_SECONDS),
            **settings,
        }
        environment = {f"TALLY_COORDINATOR_{name}": value for name, value in values.items()}
        self.stage.start("coordinator", [find_program("tally-coordinator"), "serve"], environment)
        self.stage.wait_until("coordinator", self._is_ready, 60)

    def start_node(self, name: str, data: Path) -> None:
        """`tally node run`, one node in a process of its own."""
        secret = encrypt_secret(self.secret(name), PASSPHRASE, KEYSTORE_WORK)
        save_keystore(Home(self.folder / name).node_wallet, secret)
        self.stage.start(name, self._node("run", data), self.client(name))

    def start_fleet(self, name: str, count: int, data: Path, number: int = 1) -> None:
        """`tally node fleet`, `count` nodes in one process; fleets of another number have other keys."""
        seed = Seed(bytes([number, *range(1, 32)]))
        save_seed(Home(self.folder / name).fleet_seed, seed, PASSPHRASE, KEYSTORE_WORK)
        self.stage.start(name, [*self._node("fleet", data), "--count", str(count)], self.client(name))

    def wait_joined(self, count: int, seconds: float = 300) -> None:
        """Until so many nodes are present."""

        def are_present() -> bool:
            self.stage.check()
            return sum(node.present for node in self.api.fetch(calls.nodes())) >= count

        self.stage.wait_until("coordinator", are_present, seconds)

    def create_job(self, rules: Mapping[str, Any]) -> bytes:
        """`tally job create`; returns the job's id."""
        home = Home(self.folder / "requester")
        if not home.requester_wallet.exists():
            save_keystore(home.requester_wallet, encrypt_secret(self.secret("requester"), PASSPHRASE, KEYSTORE_WORK))
        job = {
            "title": "bench",
            "commitSeconds": PHASE_SECONDS,
            "revealSeconds": PHASE_SECONDS,
            "evidenceReaders": "public",
            "budgetPerRound": "1",
            "bond": "50000",
            "window": 1,
            "anchorSeconds": 86_400,
            **rules,
        }
        file = self.folder / "job.json"
        file.write_text(json.dumps(job), encoding="utf-8")
        command = [find_program("tally"), "job", "create", str(file), "--yes", "--json"]
        made = self.stage.run("job", command, self.client("requester"))
        return parse_hex(json.loads(made)["job"], 32)

    def wait_sealed(self, job: bytes, rounds: int, seconds: float) -> None:
        """Until so many rounds are sealed; looks seldom and at one row, so as not to disturb."""

        def is_done() -> bool:
            self.stage.check()
            time.sleep(_LOOK_SECONDS)
            return self.api.fetch(calls.job(job)).rounds_sealed >= rounds

        self.stage.wait_until("coordinator", is_done, seconds)

    def list_rounds(self, job: bytes) -> list[RoundView]:
        """A job's rounds."""
        return self.api.fetch(calls.rounds(job))

    def client(self, name: str) -> dict[str, str]:
        """The environment of one person's programs."""
        return {
            "TALLY_HOME": str(self.folder / name),
            "TALLY_COORDINATOR": self.url,
            "TALLY_RPC": self.chain.url,
            "TALLY_PASSPHRASE_FILE": str(self.passphrase_file),
            "TALLY_KEYSTORE_WORK": str(KEYSTORE_WORK),
        }

    def secret(self, name: str) -> bytes:
        """A person's private key."""
        return self.chain.accounts[_PEOPLE.index(name)].private_key

    def _node(self, command: str, data: Path) -> list[str]:
        options = ["--operator", to_address(_OPERATOR), "--payout", "node", "--threads", "1"]
        return [find_program("tally"), "node", command, "--data", str(data), "--max-ahead", "100000", *options]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _deploy(self) -> Deployment:
        with Rpc(self.chain.url) as rpc:
            owner = Sender(Chain(rpc, 31337), Signer(self.secret("owner")), poll_seconds=0.01)
            deployment = deploy(owner, plan_deployment(owner))
            deployment.save(self.folder / "deployment.json")
        return deployment

    def _fund(self) -> None:
        """Tokens, the coordinator's bond; from then on a block every second."""
        owner = Sender(self.gateway, Signer(self.secret("owner")), poll_seconds=0.01)
        for name in ("coordinator", "requester"):
            owner.execute(self.gateway.calls.transfer(Signer(self.secret(name)).address, parse_amount(TOKENS)))
        coordinator = Sender(self.gateway, Signer(self.secret("coordinator")), poll_seconds=0.01)
        deposit_bond(self.gateway, coordinator, parse_amount(TOKENS))
        self.gateway.rpc.send("evm_setAutomine", False)
        self.gateway.rpc.send("evm_setIntervalMining", 1)


@contextmanager
def run_world(folder: Path) -> Iterator[World]:
    """A world on free ports; everything that it started is ended afterwards."""
    with ExitStack() as stack:
        chain = stack.enter_context(DevChain.start(block_seconds=None))
        stage = stack.enter_context(Stage(folder / "logs"))
        yield World(folder, chain, stage, stack)
