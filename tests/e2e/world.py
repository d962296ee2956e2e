"""A whole Tallystick on loopback: chain, provider, coordinator, gate, nodes, requester, auditor; every key is fixed.

Clients reach the coordinator through the gate, the coordinator the chain through the provider: both can fail on
command. Two worlds with the same job file have the same job, down to its id.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from client import calls
from client.api import Api
from client.demo.processes import find_free_ports
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
from tests.chain.provider import Provider, run_provider
from tests.e2e.gate import Gate, run_gate, wait_until
from tests.e2e.programs import Program, run_well
from tests.e2e.scans import write_scans

PASSPHRASE = "a passphrase of tests"
KEYSTORE_WORK = 1_024
FLEET_NODES = 2
WINDOW_SECONDS = 1
# Long: on a slow machine no phase may end, and no node count as absent, while a test holds requests.
PHASE_SECONDS = 300
BOND_TOKENS = "10000"
BUDGET_TOKENS = "100.000000000000000007"

_OPERATOR = b"\x77" * 20
_FLEET_SEED = Seed(bytes(range(1, 33)))


class World:
    """Everything that runs for one job. Node A has a process of its own, the fleet has two nodes.

    Args:
        folder: holds all files.
        chain: the dev chain.
        stack: what is to be ended.
        single_worker: whether `serve` runs the worker; else it is a process of its own.
    """

    def __init__(self, folder: Path, chain: DevChain, stack: ExitStack, *, single_worker: bool) -> None:
        self.folder, self.chain, self._stack = folder, chain, stack
        self.provider: Provider = stack.enter_context(run_provider(chain.url))
        (self.port,) = find_free_ports(1)
        self.gate: Gate = stack.enter_context(run_gate(self.port))
        self._programs: list[Program] = []
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.passphrase_file = folder / "passphrase"
        self.passphrase_file.write_text(PASSPHRASE, encoding="utf-8")
        self.node_files, self.validation, self.holdout = write_scans(folder / "scans", 1 + FLEET_NODES)
        self.deployment = self._prepare_chain()
        self.gateway: Gateway = stack.enter_context(Gateway.connect(chain.url, self.deployment))
        self._deposit()
        self.coordinator, self.worker = self._start_coordinator(single_worker=single_worker)
        self.wait_ready()
        # Past the gate: what a test asks is never held.
        self.api: Api = stack.enter_context(Api(f"http://127.0.0.1:{self.port}"))

    @property
    def node_a(self) -> bytes:
        """The node with a process of its own."""
        return self._key("a").address

    @property
    def nodes(self) -> list[bytes]:
        """All nodes."""
        return [self.node_a, *(signer.address for signer in _FLEET_SEED.derive(FLEET_NODES))]

    def start_node(self, *options: str) -> Program:
        """Node A: `tally node run`."""
        home = Home(self.folder / "node-a")
        save_keystore(home.node_wallet, encrypt_secret(self._secret("a"), PASSPHRASE, KEYSTORE_WORK))
        return self.launch("node-a", [*self._node("run", self.node_files[0]), *options], self.client("node-a"))

    def start_fleet(self) -> Program:
        """The fleet: `tally node fleet`."""
        save_seed(Home(self.folder / "fleet").fleet_seed, _FLEET_SEED, PASSPHRASE, KEYSTORE_WORK)
        files = self.folder / "fleet-scans"
        files.mkdir()
        for path in self.node_files[1:]:
            (files / path.name).write_bytes(path.read_bytes())
        return self.launch("fleet", [*self._node("fleet", files), "--count", str(FLEET_NODES)], self.client("fleet"))

    def wait_joined(self) -> None:
        """Until all nodes are there. Raises ProgramFailed when one of the programs has ended instead."""

        def are_present() -> bool:
            for program in self._programs:
                program.check()
            return self._count_present() == len(self.nodes)

        wait_until("all nodes present", are_present, 90)

    def create_job(self, rules: Mapping[str, Any]) -> bytes:
        """`tally job create` by a requester who has exactly the escrow."""
        home = Home(self.folder / "requester")
        save_keystore(home.requester_wallet, encrypt_secret(self._secret("requester"), PASSPHRASE, KEYSTORE_WORK))
        job = {
            "title": "Which digit is this",
            "task": {"name": "digits", "config": {"hidden": 8, "epochs": 1}},
            "cohort": {"minimum": len(self.nodes), "maximum": 10},
            "commitSeconds": PHASE_SECONDS,
            "revealSeconds": PHASE_SECONDS,
            "evidenceReaders": "public",
            "budgetPerRound": BUDGET_TOKENS,
            "window": WINDOW_SECONDS,
            "anchorSeconds": 600,
            "bond": "1000",
            "nonce": 7,
            **rules,
        }
        file = self.folder / "job.json"
        file.write_text(json.dumps(job), encoding="utf-8")
        made = run_well(["tally", "job", "create", str(file), "--yes", "--json"], self.client("requester"))
        return parse_hex(json.loads(made)["job"], 32)

    def look(self, job: bytes, number: int) -> RoundView | None:
        """A round as it stands, None before it is opened."""
        return next((view for view in self.api.fetch(calls.rounds(job)) if view.round == number), None)

    def wait_final(self, job: bytes, rounds: int, seconds: float = 90) -> list[RoundView]:
        """Until so many rounds are final."""

        def is_done() -> bool:
            views = self.api.fetch(calls.rounds(job))
            return len(views) == rounds and all(view.state == "final" for view in views)

        wait_until(f"{rounds} final rounds", is_done, seconds)
        return self.api.fetch(calls.rounds(job))

    def wait_ready(self) -> None:
        """Until the coordinator answers."""

        def is_ready() -> bool:
            self.coordinator.check()
            try:
                return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2, trust_env=False).is_success
            except httpx.TransportError:
                return False

        wait_until("a ready coordinator", is_ready)

    def start_claims(self) -> list[Program]:
        """`tally node claim` in both homes at once."""
        command = ["tally", "node", "claim", "--json"]
        return [self.launch(f"claim-{home}", command, self.client(home)) for home in ("node-a", "fleet")]

    def claim_all(self) -> None:
        """The same, to their ends."""
        for claim in self.start_claims():
            claim.wait()

    def audit(self, job: bytes) -> dict[str, Any]:
        """What `tally audit verify` reports to someone who knows the ledger. Raises ProgramFailed unless it passed."""
        where = ["--ledger", to_address(self.deployment.job_ledger), "--json"]
        report = run_well(["tally", "audit", "verify", f"0x{job.hex()}", *where], self.client("auditor"))
        read: dict[str, Any] = json.loads(report)
        return read

    def audit_bundle(self, job: bytes) -> dict[str, Any]:
        """The same by `tally audit bundle`, then offline by `verify --offline`, with nobody there to ask."""
        ledger, file = to_address(self.deployment.job_ledger), self.folder / "job.zip"
        write = ["tally", "audit", "bundle", f"0x{job.hex()}", "-o", str(file), "--payloads", "--ledger", ledger]
        written = json.loads(run_well([*write, "--json"], self.client("auditor")))
        where = ["--ledger", ledger, "--chain-id", str(self.deployment.chain_id)]
        trusted = [*where, "--block-hash", written["blockHash"], "--json"]
        nobody = self.client("auditor") | {"TALLY_COORDINATOR": "", "TALLY_RPC": ""}
        read: dict[str, Any] = json.loads(
            run_well(["tally", "audit", "verify", str(file), "--offline", *trusted], nobody)
        )
        return read

    def launch(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
        """Starts a program that is ended with the world."""
        program = Program(name, command, environment, self.logs)
        self._stack.callback(program.stop)
        self._programs.append(program)
        return program

    def client(self, name: str) -> dict[str, str]:
        """The environment of one person's programs."""
        return {
            "TALLY_HOME": str(self.folder / name),
            "TALLY_COORDINATOR": self.gate.url,
            "TALLY_RPC": self.chain.url,
            "TALLY_PASSPHRASE_FILE": str(self.passphrase_file),
            "TALLY_KEYSTORE_WORK": str(KEYSTORE_WORK),
        }

    def _node(self, command: str, data: Path) -> list[str]:
        options = ["--operator", to_address(_OPERATOR), "--payout", "node", "--threads", "1"]
        return ["tally", "node", command, "--data", str(data), *options]

    def _count_present(self) -> int:
        return sum(node.present for node in self.api.fetch(calls.nodes()))

    def _prepare_chain(self) -> Deployment:
        """Contracts, tokens and gas with a block for each transaction; from then on a block every second."""
        with Rpc(self.chain.url) as rpc:
            owner = Sender(Chain(rpc, 31337), self._key("owner"), poll_seconds=0.01)
            deployment = deploy(owner, plan_deployment(owner))
            deployment.save(self.folder / "deployment.json")
        return deployment

    def _deposit(self) -> None:
        owner = Sender(self.gateway, self._key("owner"), poll_seconds=0.01)
        for name in ("coordinator", "requester"):
            owner.execute(self.gateway.calls.transfer(self._key(name).address, parse_amount(BOND_TOKENS)))
        coordinator = Sender(self.gateway, self._key("coordinator"), poll_seconds=0.01)
        deposit_bond(self.gateway, coordinator, parse_amount(BOND_TOKENS))
        self.gateway.rpc.send("evm_setAutomine", False)
        self.gateway.rpc.send("evm_setIntervalMining", 1)

    def _start_coordinator(self, *, single_worker: bool) -> tuple[Program, Program]:
        secret = encrypt_secret(self._secret("coordinator"), PASSPHRASE, KEYSTORE_WORK)
        save_keystore(self.folder / "coordinator" / "coordinator.keystore.json", secret)
        values = {
            "DEV": "true",
            "DATA_DIR": str(self.folder / "coordinator"),
            "DEPLOYMENT": str(self.folder / "deployment.json"),
            "RPC_URL": self.provider.url,
            "PUBLIC_URL": self.gate.url,
            "PORT": str(self.port),
            "PASSPHRASE_FILE": str(self.passphrase_file),
            "CONFIRMATIONS": "0",
            "SETTLEMENT_SECONDS": "0.2",
            "MIN_WINDOW_SECONDS": str(WINDOW_SECONDS),
            "COMPUTE_THREADS": "1",
            "PRESENCE_SECONDS": str(PHASE_SECONDS),
        }
        environment = {f"TALLY_COORDINATOR_{name}": value for name, value in values.items()}
        if single_worker:
            served = self.launch("coordinator", ["tally-coordinator", "serve"], environment)
            return served, served
        served = self.launch("coordinator", ["tally-coordinator", "serve", "--no-worker"], environment)
        return served, self.launch("worker", ["tally-coordinator", "worker"], environment)

    def _secret(self, name: str) -> bytes:
        return self.chain.accounts[("owner", "coordinator", "requester", "a").index(name)].private_key

    def _key(self, name: str) -> Signer:
        return Signer(self._secret(name))


@contextmanager
def run_world(folder: Path, *, single_worker: bool = True) -> Iterator[World]:
    """A world on free ports; everything that it started is ended afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        chain = stack.enter_context(DevChain.start(block_seconds=None))
        yield World(folder, chain, stack, single_worker=single_worker)
