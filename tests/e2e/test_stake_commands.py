"""A node's stake by real commands against a real coordinator: put, asked back, withdrawn; and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.home import Home
from client.node.operator.staking import StakeTooSmall, TransactionPending, ask_back, fetch_stakes, raise_stakes
from client.wallet import encrypt_secret, read_address, save_keystore
from contracts.amounts import parse_amount
from contracts.escrow import InsufficientTokens
from contracts.sender import Sender
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from tests.e2e.programs import run, run_well
from tests.e2e.world import KEYSTORE_WORK, PASSPHRASE, World, run_world

DELAY_SECONDS = 15 * 86_400
TOKENS = parse_amount("1")


class Staker:
    """An operator with 150 tokens and two nodes, each with a home of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = Signer(world.chain.accounts[4].private_key)
        self.home = self._prepare("staker")
        self.node = self._join("staker")
        self._prepare("second")
        self.second = self._join("second")
        owner = Sender(world.gateway, Signer(world.chain.accounts[0].private_key), poll_seconds=0.05)
        owner.execute(world.gateway.calls.transfer(self.operator.address, 150 * TOKENS))

    def _prepare(self, name: str) -> Home:
        home = Home(self.world.folder / name)
        secret = encrypt_secret(self.world.chain.accounts[4].private_key, PASSPHRASE, KEYSTORE_WORK)
        save_keystore(home.operator_wallet, secret)
        return home

    def _join(self, name: str) -> bytes:
        run_well(["tally", "node", "join"], self.world.client(name))
        return read_address(Home(self.world.folder / name).node_wallet)

    def call(self, *arguments: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = json.loads(
            run_well(["tally", "node", *arguments, "--json"], self.world.client("staker"))
        )
        return told

    def fail(self, *arguments: str) -> str:
        done = run(["tally", "node", *arguments], self.world.client("staker"))
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    def count_tokens(self) -> int:
        return self.world.gateway.fetch_token_balance(self.operator.address) // TOKENS

    def read_stake(self, node: bytes) -> int:
        return self.world.gateway.fetch_stake(node) // TOKENS


@pytest.fixture(scope="module")
def staker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staker]:
    with run_world(tmp_path_factory.mktemp("stakes") / "world") as world:
        world.gateway.rpc.send("evm_setAutomine", True)  # nobody here looks at blocks
        yield Staker(world)


def test_stake_is_put_once_however_often_it_is_asked_for(staker: Staker) -> None:
    (before,) = staker.call("stake")
    assert (before["node"], before["atStake"], before["leavesAt"]) == (to_address(staker.node), "0", None)
    (first,) = staker.call("stake", "60")
    (again,) = staker.call("stake", "60")
    (more,) = staker.call("stake", "75.5")
    assert first["transaction"] != more["transaction"]
    assert again["transaction"] is None
    assert more["atStake"] == str(parse_amount("75.5"))
    assert staker.world.gateway.fetch_stake(staker.node) == parse_amount("75.5")
    registry = staker.world.gateway.deployment.node_registry
    assert staker.world.gateway.fetch_allowance(staker.operator.address, registry) == 0


def test_what_is_asked_back_counts_no_more_and_comes_after_the_delay(staker: Staker) -> None:
    run_well(["tally", "node", "stake", "75.5"], staker.world.client("staker"))
    had = staker.count_tokens()
    (leaving,) = staker.call("unstake", "--all")
    (again,) = staker.call("unstake", "--all")
    assert (leaving["atStake"], leaving["leaving"]) == ("0", str(parse_amount("75.5")))
    assert again["transaction"] is None, "asking again would start the delay anew"
    assert again["leavesAt"] == leaving["leavesAt"]
    assert "stake is leaving, the first of it on" in staker.fail("withdraw-stake")
    rpc = staker.world.gateway.rpc
    rpc.send("evm_increaseTime", hex(DELAY_SECONDS))
    rpc.send("anvil_mine", "0x1")
    assert "run `tally node withdraw-stake` first" in staker.fail("unstake", "5")
    shown = run_well(["tally", "node", "withdraw-stake"], staker.world.client("staker"))
    assert shown == f"{to_address(staker.node)}: 0 at stake; 75.5 sent to its operator\n"
    assert staker.world.gateway.fetch_token_balance(staker.operator.address) // TOKENS == had + 76
    assert "no stake of these nodes is leaving" in staker.fail("withdraw-stake")


def test_stake_that_leaves_can_stay_after_all(staker: Staker) -> None:
    staker.call("stake", "10")
    staker.call("unstake", "4")
    assert staker.read_stake(staker.node) == 6
    staker.call("unstake", "0")
    assert staker.read_stake(staker.node) == 10


def test_several_nodes_are_staked_for_all_or_none(staker: Staker) -> None:
    gateway, nodes = staker.world.gateway, [staker.node, staker.second]
    sender = Sender(gateway, staker.operator, poll_seconds=0.05)
    staker.call("stake", "10")
    with pytest.raises(InsufficientTokens) as error:
        list(raise_stakes(gateway, sender, nodes, 100 * TOKENS))
    assert error.value.needed == 190 * TOKENS
    assert staker.read_stake(staker.second) == 0
    told = list(raise_stakes(gateway, sender, nodes, 20 * TOKENS))
    assert [found.at_stake for found in told] == [20 * TOKENS] * 2
    with pytest.raises(StakeTooSmall):
        list(ask_back(gateway, sender, [staker.node, staker.second], 21 * TOKENS))
    assert {found.leaves_at for found in fetch_stakes(gateway, nodes)} == {None}


def test_what_waits_to_be_mined_is_not_staked_twice(staker: Staker) -> None:
    gateway = staker.world.gateway
    sender = Sender(gateway, staker.operator, poll_seconds=0.05)
    gateway.rpc.send("evm_setAutomine", False)
    try:
        sender.broadcast(sender.sign(gateway.calls.approve(bytes([9]) * 20, 1)))
        with pytest.raises(TransactionPending):
            list(raise_stakes(gateway, sender, [staker.node], 30 * TOKENS))
    finally:
        gateway.rpc.send("evm_setAutomine", True)
        gateway.rpc.send("anvil_mine", "0x1")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("stake", "1000"), "send "),
        (("stake", "ten"), "expected an amount such as 12 or 0.5"),
        (("unstake", "1000"), "ask for less, or for --all"),
        (("unstake",), "either an AMOUNT, or --all"),
        (("stake", "5", "--node", "0x" + "12" * 20), "nobody: run `tally node join` first"),
    ],
)
def test_wrong_wishes_cost_nothing(staker: Staker, arguments: tuple[str, ...], sentence: str) -> None:
    had, staked = staker.count_tokens(), staker.read_stake(staker.node)
    assert sentence in staker.fail(*arguments)
    assert (staker.count_tokens(), staker.read_stake(staker.node)) == (had, staked)


def test_somebody_elses_node_gets_none_of_our_tokens(staker: Staker, tmp_path: Path) -> None:
    """The stake would come back to its operator, not to us."""
    stranger = tmp_path / "stranger.json"
    save_keystore(stranger, encrypt_secret(staker.world.chain.accounts[5].private_key, PASSPHRASE, KEYSTORE_WORK))
    assert "expected the wallet of the operator of node" in staker.fail("stake", "5", "--keystore", str(stranger))
