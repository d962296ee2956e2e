"""A node's stake: what an operator puts at stake, asks back, and draws once the delay is over.

Amounts are base units of the deployment's token, times seconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from client.errors import ClientError
from client.node.operator.operating import load_own
from client.output import format_time
from contracts.amounts import format_amount
from contracts.escrow import allow, stake, verify_tokens
from contracts.gateway import Gateway
from contracts.sender import Sender
from contracts.state import NodeState
from ledger.hexadecimal import to_address, to_hex


class StakeTooSmall(ClientError):
    """More is asked back than is at stake."""

    def __init__(self, node: bytes, wanted: int, staked: int, decimals: int) -> None:
        self.node, self.wanted, self.staked = node, wanted, staked
        super().__init__(
            f"expected node {to_address(node)} to have at least {format_amount(wanted, decimals)} at stake, "
            f"got {format_amount(staked, decimals)}: ask for less, or for --all"
        )


class NodeReplaced(ClientError):
    """Another key has taken the node's place, and its stake."""

    def __init__(self, node: bytes, successor: bytes) -> None:
        self.node, self.successor = node, successor
        super().__init__(
            f"node {to_address(node)} was replaced by {to_address(successor)}, which has its stake: name that one"
        )


class StakeHasLeft(ClientError):
    """Stake can be withdrawn; asking for more now would start its delay anew."""

    def __init__(self, node: bytes, leaving: int, decimals: int) -> None:
        self.node, self.leaving = node, leaving
        super().__init__(
            f"{format_amount(leaving, decimals)} of node {to_address(node)} has left, and its delay would start anew: "
            "run `tally node withdraw-stake` first"
        )


class TransactionPending(ClientError):
    """The operator's wallet has sent something that is in no block yet, which may be a stake."""

    def __init__(self, operator: bytes) -> None:
        self.operator = operator
        super().__init__(
            f"a transaction of {to_address(operator)} waits to be mined, and may be a stake that is not counted yet: "
            "try again once it is in a block"
        )


class NothingToWithdraw(ClientError):
    """No stake is leaving, or none of it has left yet."""

    def __init__(self, leaves_at: int | None) -> None:
        self.leaves_at = leaves_at
        if leaves_at is None:
            super().__init__("no stake of these nodes is leaving: `tally node unstake AMOUNT` asks for it back")
        else:
            super().__init__(f"stake is leaving, the first of it on {format_time(leaves_at)}: try again then")


@dataclass(frozen=True, slots=True)
class Stake:
    """What a node has at stake, and the transaction that made it so; None where nothing had to be sent.

    Attributes:
        at_stake: what counts for jobs; nothing of what is leaving.
        leaving: what can be withdrawn from `leaves_at` on, and slashed until then.
        leaves_at: None where nothing leaves.
        withdrawn: what the transaction sent to the operator.
    """

    node: bytes
    at_stake: int
    leaving: int
    leaves_at: int | None
    transaction: bytes | None = None
    withdrawn: int = 0

    def to_json(self) -> dict[str, object]:
        """The stake with hex and decimal strings."""
        return {
            "node": to_address(self.node),
            "atStake": str(self.at_stake),
            "leaving": str(self.leaving),
            "leavesAt": self.leaves_at,
            "withdrawn": str(self.withdrawn),
            "transaction": None if self.transaction is None else to_hex(self.transaction),
        }


def fetch_stakes(gateway: Gateway, nodes: Sequence[bytes]) -> Iterator[Stake]:
    """What these nodes have at stake; those that nobody has registered have none."""
    for node in nodes:
        yield _describe(node, gateway.fetch_node(node))


def raise_stakes(gateway: Gateway, sender: Sender, nodes: Sequence[bytes], amount: int) -> Iterator[Stake]:
    """Brings what each node has at stake up to an amount; one that has as much is left as it is, so repeating is safe.

    1. All are the sender's, who has what is missing in all; before that nothing is sent.
    2. The registry may take it, allowed once for all.
    3. A transaction a node.

    What is leaving does not count, and goes on leaving. Nodes that others have replaced are passed over.

    Raises:
        NotYourNode: one has another operator, or none.
        NodeReplaced: all of them were replaced.
        TransactionPending: it cannot be said what is missing.
        InsufficientTokens: the sender has less than is missing.
    """
    # 1. Nodes and funds
    if sender.fetch_next_nonce() != sender.fetch_mined_nonce():
        raise TransactionPending(sender.address)
    active = _load_active(gateway, sender, nodes)
    missing = {node: max(0, amount - _count_staying(state)) for node, state in active.items()}
    total = sum(missing.values())
    verify_tokens(gateway, sender.address, gateway.deployment.tally_token, total)
    # 2. Allowance
    if total:
        allow(gateway, sender, gateway.deployment.node_registry, total)
    # 3. Stakes
    for node, part in missing.items():
        mined = stake(gateway, sender, node, part) if part else None
        yield _describe(node, gateway.fetch_node(node), None if mined is None else mined.hash)


def ask_back(gateway: Gateway, sender: Sender, nodes: Sequence[bytes], amount: int | None) -> Iterator[Stake]:
    """Lets an amount of each node's stake leave after the delay, in place of what was asked for before.

    None asks for all, 0 lets nothing leave. Where as much is leaving already nothing is sent: asking again would only
    start the delay anew.

    Raises:
        NotYourNode, NodeReplaced: as above.
        StakeTooSmall: one has less at stake; nothing was sent for any.
        StakeHasLeft: of one; likewise.
    """
    states = _load_active(gateway, sender, nodes)
    decimals, now = gateway.fetch_decimals(gateway.deployment.tally_token), gateway.fetch_head().timestamp
    for node, state in states.items():
        if state.leaving and state.leaves_at <= now and amount not in (0, state.leaving):
            raise StakeHasLeft(node, state.leaving, decimals)
        if amount is not None and amount > state.staked:
            raise StakeTooSmall(node, amount, state.staked, decimals)
    for node, state in states.items():
        wanted = state.staked if amount is None else amount
        mined = None if wanted == state.leaving else sender.execute(gateway.calls.unstake(node, wanted))
        yield _describe(node, gateway.fetch_node(node), None if mined is None else mined.hash)


def withdraw_stakes(gateway: Gateway, sender: Sender, nodes: Sequence[bytes]) -> Iterator[Stake]:
    """Sends the stake that has left to the nodes' operator, whoever asks; also of nodes that others have replaced.

    Raises:
        NothingToWithdraw: of no node; it says from when there is some.
    """
    leaving = [found for found in fetch_stakes(gateway, nodes) if found.leaves_at is not None]
    now = gateway.fetch_head().timestamp
    due = [found for found in leaving if found.leaves_at is not None and found.leaves_at <= now]
    if not due:
        raise NothingToWithdraw(min((found.leaves_at for found in leaving if found.leaves_at), default=None))
    for found in due:
        mined = sender.execute(gateway.calls.withdraw_stake(found.node))
        yield _describe(found.node, gateway.fetch_node(found.node), mined.hash, found.leaving)


def _load_active(gateway: Gateway, sender: Sender, nodes: Sequence[bytes]) -> dict[bytes, NodeState]:
    states = {node: load_own(gateway, sender, node) for node in nodes}
    active = {node: state for node, state in states.items() if not state.retired}
    if not active:
        for node, state in states.items():
            raise NodeReplaced(node, state.successor)
    return active


def _count_staying(state: NodeState) -> int:
    return state.staked - state.leaving


def _describe(node: bytes, state: NodeState | None, transaction: bytes | None = None, withdrawn: int = 0) -> Stake:
    if state is None:
        return Stake(node, 0, 0, None)
    leaves_at = state.leaves_at if state.leaving else None
    return Stake(node, _count_staying(state), state.leaving, leaves_at, transaction, withdrawn)
