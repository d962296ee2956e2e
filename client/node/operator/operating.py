"""What only a node's operator may change on chain: where earnings go, and which key works. Each is a transaction."""

from __future__ import annotations

from client.errors import ClientError
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.state import Mined, NodeState
from ledger.hexadecimal import to_address


class NotYourNode(ClientError):
    """The node belongs to another operator, or to nobody yet."""

    def __init__(self, node: bytes, expected: bytes | None, got: bytes) -> None:
        self.node, self.expected, self.got = node, expected, got
        owner = "nobody: run `tally node join` first" if expected is None else to_address(expected)
        super().__init__(
            f"expected the wallet of the operator of node {to_address(node)}, which is {owner}; "
            f"got the wallet of {to_address(got)}"
        )


class RotationPending(ClientError):
    """A rotation waits for its delay."""

    def __init__(self, node: bytes, rotates_at: int, left_seconds: int) -> None:
        self.node, self.rotates_at, self.left_seconds = node, rotates_at, left_seconds
        super().__init__(
            f"the rotation of node {to_address(node)} is due in {left_seconds} s: "
            "run `tally node rotate --complete` then"
        )


def change_payout(gateway: Gateway, sender: Sender, node: bytes, payout: bytes) -> Mined:
    """Sends future claims elsewhere. Raises NotYourNode, or what the chain says."""
    load_own(gateway, sender, node)
    return sender.execute(gateway.calls.set_payout(node, payout))


def start_rotation(gateway: Gateway, sender: Sender, node: bytes, successor: bytes) -> tuple[Mined | None, int]:
    """Names the key that takes the node's place after the delay; returns when that is, in seconds UTC.

    A rotation to the same key that runs already goes on: naming it again would only start its delay anew.
    """
    state = load_own(gateway, sender, node)
    if state.rotates_at and state.successor == successor:
        return None, state.rotates_at
    mined = sender.execute(gateway.calls.rotate_node(node, successor))
    return mined, load_own(gateway, sender, node).rotates_at


def complete_rotation(gateway: Gateway, sender: Sender, node: bytes) -> Mined:
    """Puts the successor in the node's place. Raises RotationPending before the delay has passed."""
    state = load_own(gateway, sender, node)
    left = state.rotates_at - gateway.fetch_head().timestamp
    if state.rotates_at and left > 0:
        raise RotationPending(node, state.rotates_at, left)
    return sender.execute(gateway.calls.complete_rotation(node))


def load_own(gateway: Gateway, sender: Sender, node: bytes) -> NodeState:
    """What the registry keeps of a node of the sender's. Raises NotYourNode."""
    state = gateway.fetch_node(node)
    if state is None or state.operator != sender.address:
        raise NotYourNode(node, None if state is None else state.operator, sender.address)
    return state
