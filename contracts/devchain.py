"""The dev chain: an anvil process on loopback, started, watched until it is ready, and stopped by its handle.

For development, tests and the demo. Its accounts come from a public phrase: nothing of value belongs on them.
"""

from __future__ import annotations

import json
import os
import platform
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from contracts.keeper import Keeper
from ledger.signatures import Signer

CHAIN_ID = 31337
PHRASE = "test test test test test test test test test test test junk"
"""The phrase every Ethereum dev chain uses, so that wallets and other tools know the accounts."""

FIRST_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Private key of the phrase's first account."""

ANVIL_VARIABLE = "TALLY_ANVIL"
READY = re.compile(r"Listening on (\S+:\d+)")
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}


class AnvilMissing(Exception):
    """There is no anvil program."""

    def __init__(self, searched: list[str]) -> None:
        self.searched = searched
        super().__init__(
            f"expected the program anvil at one of {', '.join(searched)}, got none: "
            "run `npm ci` in contracts/, install Foundry, or set TALLY_ANVIL to its path"
        )


class AnvilFailed(Exception):
    """Anvil ended or stayed silent before it was ready."""

    def __init__(self, waited_seconds: float, output: str) -> None:
        self.waited_seconds = waited_seconds
        self.output = output
        super().__init__(f"expected anvil to be ready within {waited_seconds:g} seconds, got: {output or 'no output'}")


class PortTaken(AnvilFailed):
    """Another program listens at the port that was asked for."""

    def __init__(self, port: int, waited_seconds: float, output: str) -> None:
        super().__init__(waited_seconds, output)
        self.port = port
        self.args = (f"port {port} is in use by another program: choose another one, or 0 for any that is free",)


@dataclass(frozen=True)
class DevAccount:
    """An account with native coin on the dev chain."""

    address: bytes
    private_key: bytes


class DevChain:
    """A running anvil. Use `DevChain.start`, then `stop`, or a `with` block.

    Attributes:
        url: address of its JSON-RPC provider.
        accounts: funded accounts, in the order of the phrase's derivation.
    """

    def __init__(
        self, process: subprocess.Popen[str], keeper: Keeper, url: str, accounts: tuple[DevAccount, ...]
    ) -> None:
        self._process, self._keeper = process, keeper
        self.url = url
        self.accounts = accounts

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        block_seconds: int | None = 1,
        accounts: int = 10,
        phrase: str = PHRASE,
        hardfork: str | None = None,
        ready_seconds: float = 30.0,
    ) -> Self:
        """Start anvil on loopback and return once it answers. Nothing is kept when it stops, and it never outlives us.

        Args:
            port: TCP port; a free one is chosen by the system where 0.
            block_seconds: seconds between blocks; None mines a block for every transaction.
            accounts: how many accounts have native coin.
            phrase: BIP-39 phrase they are derived from.
            hardfork: whose rules hold, such as "prague"; anvil's newest where None.
            ready_seconds: how long to wait for it.

        Raises:
            AnvilMissing: there is no such program.
            PortTaken: another program listens there.
            AnvilFailed: it did not come up.
        """
        arguments = [find_anvil(), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID)]
        # An epoch of one slot: blocks are final two blocks later, so that programs meet finality within seconds.
        arguments += ["--accounts", str(accounts), "--mnemonic", phrase, "--slots-in-an-epoch", "1"]
        arguments += [] if block_seconds is None else ["--block-time", str(block_seconds)]
        arguments += [] if hardfork is None else ["--hardfork", hardfork]
        with tempfile.TemporaryDirectory(prefix="tally-chain-") as folder:
            config = Path(folder) / "accounts.json"
            process = _start_process([*arguments, "--config-out", str(config)])
            try:
                address = _wait_until_ready(process, ready_seconds, port)
                return cls(process, Keeper(process.pid), f"http://{address}", _read_accounts(config))
            except BaseException:
                _end(process)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int:
        """Id of the anvil process."""
        return self._process.pid

    def wait(self) -> int:
        """Wait until anvil ends and return its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """Stop anvil; the chain is gone."""
        _end(self._process)
        self._keeper.close()


def load_dev_signer() -> Signer:
    """Return the signer of the first account of PHRASE, m/44'/60'/0'/0/0."""
    return Signer(bytes.fromhex(FIRST_KEY))


def find_anvil() -> str:
    """Return the path of anvil: TALLY_ANVIL, else the one npm installed in contracts/, else the one on PATH.

    Raises:
        AnvilMissing: none of them exists.
    """
    chosen = os.environ.get(ANVIL_VARIABLE)
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise AnvilMissing([f"{chosen} (TALLY_ANVIL)"])
        return found
    system, machine = SYSTEMS.get(platform.system(), ""), MACHINES.get(platform.machine().lower(), "")
    packages = Path(__file__).parent / "node_modules" / "@foundry-rs"
    installed = packages / f"anvil-{system}-{machine}" / "bin" / "anvil"
    found = shutil.which(installed) or shutil.which("anvil")
    if found is None:
        raise AnvilMissing([str(installed), "PATH"])
    return found


def _start_process(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def _wait_until_ready(process: subprocess.Popen[str], ready_seconds: float, port: int) -> str:
    """Return host and port once anvil says that it listens; its later output is read and dropped by a thread."""
    ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    lines: list[str] = []

    def drain(output: IO[str]) -> None:
        waiting = True
        with output:
            for line in output:
                found = READY.search(line) if waiting else None
                if waiting:
                    lines.append(line.rstrip())
                if found:
                    waiting = False
                    ready.put(found.group(1))
        ready.put(None)

    if process.stdout is not None:
        threading.Thread(target=drain, args=(process.stdout,), name="anvil-output", daemon=True).start()
    try:
        address = ready.get(timeout=ready_seconds)
    except queue.Empty:
        address = None
    if address is None:
        output = " ".join(line for line in lines[-5:] if line)
        raise PortTaken(port, ready_seconds, output) if "in use" in output else AnvilFailed(ready_seconds, output)
    return address


def _read_accounts(config: Path) -> tuple[DevAccount, ...]:
    value = json.loads(config.read_text(encoding="utf-8"))
    pairs = zip(value["available_accounts"], value["private_keys"], strict=True)
    return tuple(DevAccount(bytes.fromhex(address[2:]), bytes.fromhex(key[2:])) for address, key in pairs)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
