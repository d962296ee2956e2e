"""What the registry reports about nodes: frozen twins of the events in `INodeRegistry.sol`. Stake in base units."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.events import Event


@dataclass(frozen=True)
class NodeRegistered(Event):
    """A node belongs to an operator."""

    node: bytes
    operator: bytes
    payout: bytes


@dataclass(frozen=True)
class PayoutChanged(Event):
    """A node's claims go elsewhere from now on, those of past entries included."""

    node: bytes
    operator: bytes
    payout: bytes


@dataclass(frozen=True)
class RotationRequested(Event):
    """`successor` takes the node's place at `rotates_at`."""

    node: bytes
    successor: bytes
    rotates_at: int


@dataclass(frozen=True)
class NodeRotated(Event):
    """`successor` has taken the node's place, with its stake."""

    node: bytes
    successor: bytes
    staked: int


@dataclass(frozen=True)
class Staked(Event):
    """`sender` (Solidity: from) added to a node's stake."""

    node: bytes
    sender: bytes
    amount: int


@dataclass(frozen=True)
class UnstakeRequested(Event):
    """`amount` of the stake can be withdrawn from `leaves_at` on."""

    node: bytes
    amount: int
    leaves_at: int


@dataclass(frozen=True)
class Unstaked(Event):
    """Stake that had left went to the operator."""

    node: bytes
    to: bytes
    amount: int


@dataclass(frozen=True)
class NodeSlashed(Event):
    """A node that signed two contributions for one round lost `burned`."""

    job: bytes
    node: bytes
    burned: int
