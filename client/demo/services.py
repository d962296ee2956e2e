"""The demo's long-running programs and their places: chain, platform, coordinator, nodes, fleet, requester."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from client.demo.material import Material
from client.demo.pretence import COPYING
from client.demo.processes import Stage, find_free_ports, find_program
from client.home import Home
from client.wallet import read_address
from contracts.deployment import Deployment
from contracts.gateway import Gateway
from ledger.hexadecimal import to_address, to_hex

HONEST_NODES = 8
DISHONEST_NODES = {"node-zero": "zero", "node-copy": COPYING}
"""What each of them sends, as `--update` names it: nothing, and an update of somebody else of the round before."""
SINGLE_NODES = HONEST_NODES + len(DISHONEST_NODES)
"""Nodes with a process of their own; all further ones share one."""

WINDOW_SECONDS = 5
GAS_COINS = "10"
# Light keystores: the wallets of a demo guard nothing, and ten scrypt runs of a second each would be seen.
KEYSTORE_WORK = 4_096


@dataclass
class Services:
    """Starts the programs of one run, each with a folder of its own below `folder`."""

    stage: Stage
    folder: Path
    material: Material

    def __post_init__(self) -> None:
        self.chain_port, self.platform_port, self.coordinator_port = find_free_ports(3)

    @property
    def rpc_url(self) -> str:
        """The dev chain's provider."""
        return f"http://127.0.0.1:{self.chain_port}"

    @property
    def platform_url(self) -> str:
        """The video platform."""
        return f"http://127.0.0.1:{self.platform_port}"

    @property
    def coordinator_url(self) -> str:
        """The coordinator."""
        return f"http://127.0.0.1:{self.coordinator_port}"

    @property
    def deployment_file(self) -> Path:
        """Where the contracts are."""
        return self.folder / "deployment.json"

    def connect(self) -> Gateway:
        """A connection to the chain of the demo's own, for reading what is true."""
        return Gateway.connect(self.rpc_url, Deployment.load(self.deployment_file))

    def start(self, bond_tokens: str) -> None:
        """Chain, platform and coordinator."""
        self.start_platform()
        self.start_chain()
        self.start_coordinator(bond_tokens)
        self.stage.wait_until("platform", lambda: _answers(f"{self.platform_url}/v1/items"), 60)

    def start_chain(self) -> None:
        """An anvil that mines every second, with the contracts deployed."""
        command = [find_program("tally-chain"), "dev", "--deploy", "--port", str(self.chain_port)]
        self.stage.start("chain", [*command, "--out", str(self.deployment_file)])
        self.stage.wait_until("chain", self.deployment_file.is_file, 60)

    def start_platform(self) -> None:
        """The video platform."""
        command = [sys.executable, "-m", "client.demo.platform", "--data", str(self.material.data)]
        secrets = ["--secret-file", str(self.material.platform_secret), "--key-file", str(self.material.platform_key)]
        register = ["--register", str(self.folder / "platform.sqlite")]
        self.stage.start("platform", [*command, *secrets, *register, "--port", str(self.platform_port)])

    def start_coordinator(self, bond_tokens: str) -> None:
        """The coordinator: its key, gas and bond, then the service."""
        program = find_program("tally-coordinator")
        made = json.loads(self.stage.run("coordinator-init", [program, "init", "--json"], self._coordinator))
        self.fund(made["address"], tokens=bond_tokens)
        self.stage.run("coordinator-deposit", [program, "deposit", bond_tokens, "--json"], self._coordinator)
        self.stage.start("coordinator", [program, "serve"], self._coordinator)
        self.stage.wait_until("coordinator", lambda: _answers(f"{self.coordinator_url}/readyz"), 60)

    def fund(self, address: str, tokens: str) -> None:
        """Native coin for gas, and tokens, from the dev chain's first account."""
        where = ["--rpc", self.rpc_url, "--deployment", str(self.deployment_file)]
        amounts = ["--coins", GAS_COINS, "--tokens", tokens]
        self.stage.run("fund", [find_program("tally-chain"), "fund", address, *where, *amounts, "--json"])

    def start_node(self, number: int) -> None:
        """One node in a process of its own: honest, or dishonest in its own way."""
        name = self.name_node(number)
        command = [*self._node_command("run"), "--platform-token-file", str(self.material.token_file(number))]
        command += ["--update", DISHONEST_NODES.get(name, "trained")]
        self.stage.start(name, command, self.client(name))

    def start_fleet(self, count: int) -> None:
        """All further nodes, in one process."""
        command = [*self._node_command("fleet"), "--platform-token-file", str(self.material.fleet_tokens)]
        self.stage.start("fleet", [*command, "--count", str(count)], self.client("fleet"))

    def claim(self, home: str) -> None:
        """`tally node claim` for every node of a home; a node that has earned nothing has nothing to claim."""
        self.stage.run(f"claim-{home}", [find_program("tally"), "node", "claim", "--json"], self.client(home))

    def audit(self, job: bytes) -> str:
        """`tally audit verify --json`, with the ledger's address from the auditor's own knowledge."""
        ledger = to_address(Deployment.load(self.deployment_file).job_ledger)
        command = [find_program("tally"), "audit", "verify", to_hex(job), "--ledger", ledger, "--json"]
        return self.stage.attempt("audit", command, self.client("auditor")).stdout.decode()

    def read_address(self, name: str) -> bytes:
        """The node of a home that has one."""
        return read_address(Home(self.folder / name).node_wallet)

    def client(self, name: str) -> dict[str, str]:
        """The environment of one person's programs."""
        return {
            "TALLY_HOME": str(self.folder / name),
            "TALLY_COORDINATOR": self.coordinator_url,
            "TALLY_RPC": self.rpc_url,
            "TALLY_PASSPHRASE_FILE": str(self.material.passphrase),
            "TALLY_KEYSTORE_WORK": str(KEYSTORE_WORK),
        }

    def name_node(self, number: int) -> str:
        """Name of a node's process and folder."""
        dishonest = [*DISHONEST_NODES]
        return f"node-{number + 1:02d}" if number < HONEST_NODES else dishonest[number - HONEST_NODES]

    def list_homes(self) -> Sequence[str]:
        """Everyone who runs nodes."""
        return [*(self.name_node(number) for number in range(SINGLE_NODES)), "fleet"]

    def _node_command(self, command: str) -> list[str]:
        program = [find_program("tally"), "node", command, "--platform", self.platform_url]
        return [*program, "--payout", "node", "--threads", "1"]

    @property
    def _coordinator(self) -> dict[str, str]:
        values = {
            "DEV": "true",
            "NAME": "Tallystick demo",
            "DATA_DIR": str(self.folder / "coordinator"),
            "DEPLOYMENT": str(self.deployment_file),
            "RPC_URL": self.rpc_url,
            "PORT": str(self.coordinator_port),
            "PASSPHRASE_FILE": str(self.material.passphrase),
            "KEYSTORE_WORK": str(KEYSTORE_WORK),
            "CONFIRMATIONS": "0",
            "SETTLEMENT_SECONDS": "0.5",
            "MIN_WINDOW_SECONDS": str(WINDOW_SECONDS),
        }
        return {f"TALLY_COORDINATOR_{name}": value for name, value in values.items()}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).is_success
    except httpx.TransportError:
        return False
