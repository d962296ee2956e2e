"""Chain fixtures: the anvil of the test process, a deployment per module, a clean state per test.

A conftest elsewhere imports them as `tests/chain/conftest.py` does.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from contracts.chain import Chain
from contracts.deploy import deploy, plan_deployment
from contracts.deployment import Deployment
from contracts.devchain import DevChain
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from ledger.signatures import Signer

__all__ = ["Party", "TestChain", "clean_state", "deployment", "dev_chain", "gateway", "parties", "wait_mined"]

_MINED_SECONDS = 10.0


def wait_mined(rpc: Rpc) -> None:
    """Until what is in the pool is in a block, where transactions are mined at once: anvil answers before it mines."""
    deadline = time.monotonic() + _MINED_SECONDS
    while rpc.fetch("anvil_getAutomine") and int(rpc.fetch("txpool_status")["pending"], 16):
        assert time.monotonic() < deadline, f"a transaction in no block after {_MINED_SECONDS:g} s"
        time.sleep(0.002)


@dataclass(frozen=True)
class TestChain:
    """A dev chain that mines every transaction at once, and whose clock can be moved."""

    __test__ = False

    chain: DevChain
    rpc: Rpc

    @property
    def url(self) -> str:
        return self.chain.url

    def mine(self, blocks: int = 1) -> None:
        self.rpc.send("anvil_mine", hex(blocks))

    def pass_time(self, seconds: int) -> None:
        self.rpc.send("evm_increaseTime", hex(seconds))
        self.mine()

    def move_clock(self, at: int) -> None:
        """Mine a block at this time, in unix seconds."""
        self.rpc.send("evm_setNextBlockTimestamp", hex(at))
        self.mine()

    def save(self) -> str:
        snapshot: str = self.rpc.send("evm_snapshot")
        return snapshot

    def restore(self, snapshot: str) -> None:
        """Undo everything since. The clock goes on with the world's, unless it was ahead: anvil would set it back."""
        assert self.rpc.send("evm_revert", snapshot) is True
        head = self.rpc.fetch("eth_getBlockByNumber", "latest", False)
        self.rpc.send("evm_setTime", hex(max(int(time.time()), int(head["timestamp"], 16))))

    def stop_mining(self) -> None:
        self.rpc.send("evm_setAutomine", False)

    def resume_mining(self) -> None:
        self.rpc.send("evm_setAutomine", True)


@dataclass(frozen=True)
class Party:
    """Somebody with a key and native coin."""

    signer: Signer
    sender: Sender

    @property
    def address(self) -> bytes:
        return self.signer.address


@pytest.fixture(scope="session")
def dev_chain(dev_chain: DevChain) -> Iterator[TestChain]:
    """The anvil of this test process, with its clock and its mining in our hands."""
    with Rpc(dev_chain.url) as rpc:
        yield TestChain(dev_chain, rpc)


@pytest.fixture(scope="module")
def deployment(dev_chain: TestChain) -> Iterator[Deployment]:
    """Contracts of this module, paid for by the first account, which holds all tokens; gone afterwards."""
    snapshot = dev_chain.save()
    with Rpc(dev_chain.url) as rpc:
        sender = Sender(Chain(rpc, 31337), Signer(dev_chain.chain.accounts[0].private_key), poll_seconds=0.01)
        yield deploy(sender, plan_deployment(sender))
    dev_chain.restore(snapshot)


@pytest.fixture
def clean_state(dev_chain: TestChain, deployment: Deployment) -> Iterator[None]:
    """Undoes what the test does to the chain."""
    snapshot = dev_chain.save()
    yield
    dev_chain.resume_mining()
    dev_chain.restore(snapshot)


@pytest.fixture
def gateway(dev_chain: TestChain, deployment: Deployment, clean_state: None) -> Iterator[Gateway]:
    with Gateway.connect(dev_chain.url, deployment) as gateway:
        yield gateway


@pytest.fixture
def parties(dev_chain: TestChain, gateway: Gateway) -> Callable[[int], Party]:
    """Makes the party of a dev account by its number."""

    def make(number: int) -> Party:
        signer = Signer(dev_chain.chain.accounts[number].private_key)
        return Party(signer, Sender(gateway, signer, poll_seconds=0.01))

    return make
