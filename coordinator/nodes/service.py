"""Nodes: registrations kept for the relay, and what the chain says became of them; within the caller's transaction."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.context import Context
from coordinator.nodes import store
from coordinator.nodes.errors import AlreadyRegistered, RegistrationExpired, UnknownNode
from coordinator.nodes.tables import NodeRow, RegistryBlockRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from ledger import wire
from ledger.statements import Registration, Signed

_RELAY_SECONDS = 60
# More than blocks usually lie apart: what is known leaps when the chain is caught up with after an outage.
_LEAP_SECONDS = 60
_UNKNOWN_HARDWARE = {"platform": "unknown", "processor": "unknown", "cores": 1, "memoryBytes": 0, "accelerator": ""}


def register(session: Session, context: Context, request: wire.NodeRegistration) -> NodeRow:
    """Keep a registration durably for the relay; repeating it is the same as once.

    1. the node itself signed it; 2. a node that is registered, or waits, keeps its registration; 3. its deadline leaves
    time to send it.

    Raises:
        WrongSigner, MalformedSignature: another key signed it.
        AlreadyRegistered: another registration stands.
        RegistrationExpired: too late to send.
    """
    statement = request.registration.statement
    # 1
    request.registration.verify(context.registry_domain, statement.node)
    # 2
    row = store.find_node(session, statement.node, lock=True)
    if row is not None and row.state != "refused":
        if (row.operator, row.payout) != (statement.operator, statement.payout):
            raise AlreadyRegistered(row.node, row.operator, row.payout, row.state)
        _describe(row, request)
        session.add(row)
        return row
    # 3
    earliest = context.now + _RELAY_SECONDS
    if statement.deadline < earliest:
        raise RegistrationExpired(statement.deadline, earliest)
    row = row or NodeRow(node=statement.node, operator=b"", payout=b"", state="", registered_at=context.now)
    row.operator, row.payout, row.deadline = statement.operator, statement.payout, statement.deadline
    row.signature, row.state, row.detail = request.registration.signature, "pending", ""
    _describe(row, request)
    session.add(row)
    announce(session, Topic.NODES)
    return row


def list_pending(session: Session) -> list[Signed[Registration]]:
    """Registrations that wait for the relay, oldest first."""
    return [
        Signed(Registration(row.node, row.operator, row.payout, row.deadline), row.signature)
        for row in store.list_nodes(session, "pending")
        if row.signature is not None and row.deadline is not None
    ]


def mark_sent(session: Session, node: bytes, transaction: bytes) -> None:
    """The relay sent the registration."""
    row = load_node(session, node)
    row.transaction, row.detail = transaction, ""
    session.add(row)


def note_waiting(session: Session, node: bytes, detail: str) -> None:
    """Why the registration still waits for a transaction."""
    row = load_node(session, node)
    row.detail = detail
    session.add(row)


def mark_registered(
    session: Session, *, node: bytes, operator: bytes, payout: bytes, at: int, block: int, transaction: bytes
) -> None:
    """The chain says that the node is registered, by whomever it was sent."""
    row = store.find_node(session, node, lock=True) or NodeRow(
        node=node, operator=operator, payout=payout, state="", registered_at=at
    )
    row.operator, row.payout, row.state, row.detail = operator, payout, "registered", ""
    row.block, row.transaction = block, transaction
    session.add(row)
    announce(session, Topic.NODES, Topic.ASSIGNMENTS)


def mark_unregistered(session: Session, node: bytes) -> None:
    """A reorganisation took the registration back: it waits for the relay again, where we have its signature."""
    row = load_node(session, node)
    row.block = row.transaction = None
    row.state = "pending" if row.signature is not None else "refused"
    row.detail = "the chain reorganised: the node is not registered"
    session.add(row)
    announce(session, Topic.NODES)


def mark_refused(session: Session, node: bytes, detail: str) -> None:
    """The registration cannot be sent, or the contract refused it."""
    row = load_node(session, node)
    row.state, row.detail = "refused", detail
    session.add(row)
    announce(session, Topic.NODES)


def mark_payout(session: Session, node: bytes, payout: bytes) -> None:
    """The operator changed where claims go."""
    row = load_node(session, node)
    row.payout = payout
    session.add(row)


def mark_stake(session: Session, node: bytes, stake: int) -> None:
    """The node's stake on chain is now this many base units."""
    row = load_node(session, node)
    row.stake = stake
    session.add(row)
    announce(session, Topic.NODES, Topic.ASSIGNMENTS)


def mark_rotated(session: Session, node: bytes, successor: bytes) -> None:
    """The node's place went to a successor, which joins no job in which the node has an entry."""
    row, heir = load_node(session, node), load_node(session, successor)
    row.state, row.detail = "refused", "its place went to another key"
    heir.predecessor = node
    session.add_all([row, heir])
    announce(session, Topic.NODES)


def note_block(session: Session, number: int, block_hash: bytes, *, next_at: int, settled: bool = True) -> None:
    """What the registry reported up to this block is known, and nothing of later ones; the table explains the rest."""
    before = store.find_registry_block(session)
    if before is not None and (settled > before.settled or next_at - before.next_at > _LEAP_SECONDS):
        announce(session, Topic.NODES)  # what waited for it may go on
    session.merge(RegistryBlockRow(number=number, hash=block_hash, settled=settled, next_at=next_at))


def note_idle(session: Session, number: int, now: int) -> None:
    """No block came after this one until now: however old it is, what is known up to it is not out of date."""
    row = store.find_registry_block(session)
    if row is not None and row.number == number and row.next_at != now:
        note_block(session, number, row.hash, next_at=now, settled=row.settled)


def load_node(session: Session, node: bytes) -> NodeRow:
    """The node with this address, its row held for the transaction. Raises UnknownNode."""
    row = store.find_node(session, node, lock=True)
    if row is None:
        raise UnknownNode(node)
    return row


def find_roles(session: Session, address: bytes) -> list[str]:
    """What the chain knows an address as: node, operator, both or neither."""
    roles = []
    if store.find_registered(session, [address]):
        roles.append("node")
    if store.has_operator(session, address):
        roles.append("operator")
    return roles


def build_view(context: Context, row: NodeRow) -> wire.NodeView:
    """A node as the API shows it."""
    horizon = context.now - context.settings.presence_seconds
    return wire.NodeView(
        node=row.node,
        operator=row.operator,
        payout=row.payout,
        stake=row.stake,
        state=row.state,  # type: ignore[arg-type]  # the column holds only what this module writes
        detail=row.detail,
        transaction=row.transaction,
        hardware=wire.Hardware.model_validate(row.hardware or _UNKNOWN_HARDWARE),
        version=row.version,
        registered_at=row.registered_at,
        last_seen_at=row.last_seen_at,
        present=row.last_seen_at is not None and row.last_seen_at >= horizon,
    )


def _describe(row: NodeRow, request: wire.NodeRegistration) -> None:
    row.hardware = request.hardware.model_dump(mode="json", by_alias=True)
    row.version = request.version
