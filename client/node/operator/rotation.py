"""Replacing a node's hot key in two steps, since the registry makes a successor wait; both can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client.errors import UsageRefused
from client.home import Home
from client.node.operator.joining import Enrolment
from client.node.operator.operating import complete_rotation, start_rotation
from client.node.operator.wallets import Keyring
from client.wallet import lock_wallet, read_address
from contracts.gateway import Gateway
from contracts.sender import Sender
from ledger.signatures import Signer


@dataclass(frozen=True, slots=True)
class Rotation:
    """A step that was taken; `due_at` in seconds UTC, 0 once the successor works.

    `transaction` is None where an earlier call had sent it.
    """

    node: bytes
    successor: bytes
    due_at: int
    transaction: bytes | None


def prepare_rotation(
    home: Home,
    keyring: Keyring,
    gateway: Gateway,
    sender: Sender,
    register: Callable[[Signer, Enrolment], None],
) -> Rotation:
    """Makes the successor's key, has it registered to the same operator, and starts the delay."""
    node = read_address(home.node_wallet)
    state = gateway.fetch_node(node)
    payout = sender.address if state is None else state.payout
    successor = keyring.open(_next_wallet(home), "new node wallet")
    register(successor, Enrolment(sender.address, payout, insisted=True))
    mined, due_at = start_rotation(gateway, sender, node, successor.address)
    return Rotation(node, successor.address, due_at, None if mined is None else mined.hash)


def finish_rotation(home: Home, gateway: Gateway, sender: Sender) -> Rotation:
    """Completes the rotation on chain, then puts the new wallet in the old one's place; the old one is kept beside it.

    Raises:
        UsageRefused: no rotation was started here.
        RotationPending: the delay has not passed.
        WalletInUse: the node is running.
    """
    if not _next_wallet(home).exists():
        raise UsageRefused("no rotation was started in this TALLY_HOME: run `tally node rotate` first")
    with lock_wallet(home.node_wallet):
        node, successor = read_address(home.node_wallet), read_address(_next_wallet(home))
        state = gateway.fetch_node(node)
        # After a crash between the chain's step and ours only ours is left.
        done = state is not None and state.retired
        transaction = None if done else complete_rotation(gateway, sender, node).hash
        home.node_wallet.replace(home.node_wallet.with_name(f"node-{node.hex()}.json"))
        _next_wallet(home).replace(home.node_wallet)
    return Rotation(node, successor, 0, transaction)


def _next_wallet(home: Home) -> Path:
    return home.node_wallet.with_name("node-next.json")
