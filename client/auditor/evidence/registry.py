"""The registry as its events tell it: who was registered with which stake, as of any block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.errors import ProviderRefused
from contracts.events import Event
from contracts.gateway import Gateway
from contracts.job_events import JobOpened
from contracts.node_events import NodeRegistered, NodeRotated, NodeSlashed, Staked, Unstaked, UnstakeRequested
from contracts.state import Block

KINDS: Final = (NodeRegistered, NodeRotated, Staked, UnstakeRequested, Unstaked, NodeSlashed)


@dataclass(slots=True)
class RegisteredNode:
    """A node as of some block: where it was registered, its stake in base units, whose place it took, who took its."""

    block: int
    staked: int = 0
    leaving: int = 0
    predecessor: bytes | None = None
    successor: bytes | None = None

    def is_eligible(self, min_stake: int, past: frozenset[bytes]) -> bool:
        """Whether it may join a job in which the nodes in `past` have entries."""
        return self.successor is None and self.staked - self.leaving >= min_stake and self.predecessor not in past


@dataclass
class Registry:
    """The registry's events from its first block on.

    Attributes:
        events: registrations, rotations and changes of stakes, in chain order.
        opened: number and hash of the block that opened the job; None where it was not found.
        find_block: a block of the auditor's own chain by number, None beyond its head.
        through: the block up to which `events` were read.
        gap: why events may be missing before the first; empty where none can be.
    """

    events: Sequence[Event]
    opened: tuple[int, bytes] | None
    find_block: Callable[[int], Block | None]
    through: int
    gap: str = ""
    _nodes: dict[bytes, RegisteredNode] = field(default_factory=dict, init=False, repr=False)
    _applied: int = field(default=0, init=False)

    def read_at(self, block: int) -> dict[bytes, RegisteredNode]:
        """Every node that was ever registered, as of a block. Reading in order costs only what happened between."""
        if self._applied and self.events[self._applied - 1].place.block > block:
            self._nodes, self._applied = {}, 0
        while self._applied < len(self.events) and self.events[self._applied].place.block <= block:
            _apply(self._nodes, self.events[self._applied])
            self._applied += 1
        return self._nodes

    def read_each(self, first: int, last: int) -> Iterator[dict[bytes, RegisteredNode]]:
        """The same as of `first`, and after each later block up to `last` in which something happened."""
        yield self.read_at(first)
        for block in sorted({event.place.block for event in self.events if first < event.place.block <= last}):
            yield self.read_at(block)


def read_registry(gateway: Gateway, job: bytes, at: Block, *, whole: bool = False) -> Registry:
    """Reads the registry's events up to a block, and when the job was opened.

    Args:
        gateway: the auditor's own view of the chain.
        job: the job.
        at: the block.
        whole: whether the auditor says that nothing lies before the first block that is read. Else its word is the
            coordinator's, which may want to hide registrations: then the registry must not have existed before it.
    """
    first = gateway.deployment.block
    events = gateway.fetch_events(first, at.number, KINDS)
    opened = gateway.fetch_events(first, at.number, (JobOpened,), job)
    place = opened[0].place if opened else None
    gap = "" if whole else find_gap(gateway)
    return Registry(
        events, None if place is None else (place.block, place.block_hash), gateway.fetch_block, at.number, gap
    )


class RegistryReader:
    """Reads the registry again and again: each time only what is new, unless the chain reorganised meanwhile.

    Args:
        gateway: the auditor's own view of the chain.
        job: the job.
        whole: as `read_registry` takes it.
    """

    def __init__(self, gateway: Gateway, job: bytes, *, whole: bool = False) -> None:
        self._gateway, self._job, self._whole = gateway, job, whole
        self._known: tuple[Block, Registry] | None = None

    def read(self) -> Registry:
        """The registry up to the newest block. Raises ChainUnreachable."""
        head = self._gateway.fetch_head()
        if self._known is not None:
            last, registry = self._known
            still = self._gateway.fetch_block(last.number)
            if registry.opened is not None and still is not None and still.hash == last.hash:
                more = self._gateway.fetch_events(last.number + 1, head.number, KINDS) if head != last else ()
                events, opened = (*registry.events, *more), registry.opened
                self._known = (head, Registry(events, opened, registry.find_block, head.number, registry.gap))
                return self._known[1]
        self._known = (head, read_registry(self._gateway, self._job, head, whole=self._whole))
        return self._known[1]


def find_gap(gateway: Gateway) -> str:
    """Why the registry may have reported something before the first block that is read; empty where it cannot."""
    first, registry = gateway.deployment.block, gateway.deployment.node_registry
    hint = "say with --from-block where to begin"
    if first <= 1:
        return ""
    try:
        code = gateway.fetch_code(registry, first - 1)
    except ProviderRefused:
        return f"your provider does not tell whether the registry is older than block {first}: {hint}"
    return f"the registry is older than block {first}, where reading began: {hint}" if code else ""


def _apply(nodes: dict[bytes, RegisteredNode], event: Event) -> None:
    """What `NodeRegistry.sol` does where it emits the event."""
    if isinstance(event, NodeRegistered):
        nodes[event.node] = RegisteredNode(event.place.block)
        return
    node = nodes.get(getattr(event, "node", b""))
    if node is None:
        return
    if isinstance(event, Staked):
        node.staked += event.amount
    elif isinstance(event, UnstakeRequested):
        node.leaving = event.amount
    elif isinstance(event, Unstaked):
        node.staked, node.leaving = node.staked - event.amount, 0
    elif isinstance(event, NodeSlashed):
        # The stake of a rotated node is its successor's by then.
        bearer = node if node.successor is None else nodes.get(node.successor, node)
        bearer.staked -= event.burned
        bearer.leaving = min(bearer.leaving, bearer.staked)
    elif isinstance(event, NodeRotated):
        node.successor, node.staked = event.successor, node.leaving
        heir = nodes.get(event.successor)
        if heir is not None:
            heir.staked, heir.predecessor = heir.staked + event.staked, event.node
