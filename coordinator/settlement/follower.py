"""The follower: applies what the contracts report, in chain order, and undoes what a fork took back.

Each step is one transaction: a range of blocks is applied together with the cursor that says so. A crash before it
repeats the range, a crash after it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog
from sqlmodel import Session, col, delete, select

from contracts.gateway import Gateway
from contracts.state import Block, NodeState
from coordinator.context import Context
from coordinator.nodes import service as nodes
from coordinator.nodes import store as node_store
from coordinator.settlement.effects import Effects, list_changed_nodes, list_events_above, list_undone_nodes
from coordinator.settlement.tables import ChainBlockRow

_BLOCKS_A_STEP = 2_000
_REMEMBERED_BLOCKS = 512
# Providers without an archive keep the state of 128 blocks.
_STATES_KEPT = 64

_log = structlog.get_logger()


class Follower:
    """Follows one deployment's events.

    Args:
        context: the coordinator's shared parts.
        gateway: reads the chain.
        confirmations: blocks that must lie above an event before it counts.
    """

    def __init__(self, context: Context, gateway: Gateway, confirmations: int) -> None:
        self._context = context
        self._database = context.database
        self._gateway = gateway
        self._confirmations = confirmations
        self._effects = Effects(context, gateway)

    def advance(self) -> Block:
        """Apply everything up to the newest confirmed block; return the chain's head.

        Raises:
            ChainUnreachable: no answer; what was applied stays applied.
        """
        head = self._gateway.fetch_head()
        applied = self._find_common_block()
        last = head.number - self._confirmations
        while applied < last:
            through = min(applied + _BLOCKS_A_STEP, last)
            if not self._apply_range(applied + 1, through, head):
                break  # the chain forked while it was read: the next look finds where
            applied = through
        if applied == head.number:
            with self._database.write() as session:
                nodes.note_idle(session, applied, self._context.now)
        return head

    def _apply_range(self, first: int, last: int, head: Block) -> bool:
        before = self._gateway.fetch_block(last)
        is_recent = last > head.number - _STATES_KEPT
        events = self._gateway.fetch_events(first, last)
        changed = self._fetch_nodes(list_changed_nodes(events), before if is_recent else None)
        next_at = self._find_next_time(last)
        after = self._gateway.fetch_block(last)
        if before is None or after is None or before.hash != after.hash:
            return False
        with self._database.write() as session:
            for event in events:
                self._effects.apply(session, event)
            _note_nodes(session, changed)
            _remember(session, before)
            nodes.note_block(session, before.number, before.hash, next_at=next_at, settled=is_recent)
        return True

    def _find_common_block(self) -> int:
        """The newest applied block that is still on the chain; what lies above it is undone."""
        newest_first = select(ChainBlockRow).order_by(col(ChainBlockRow.number).desc())
        with self._database.read() as session:
            newest = session.exec(newest_first.limit(1)).first()
        if newest is None:
            return self._gateway.deployment.block - 1
        if self._is_on_chain(newest):
            return newest.number
        with self._database.read() as session:
            rows = session.exec(newest_first.offset(1)).all()
        common = next((row.number for row in rows if self._is_on_chain(row)), self._gateway.deployment.block - 1)
        self._roll_back(common)
        return common

    def _is_on_chain(self, row: ChainBlockRow) -> bool:
        block = self._gateway.fetch_block(row.number)
        return block is not None and block.hash == row.hash

    def _roll_back(self, common: int) -> None:
        with self._database.read() as session:
            undone_nodes = list_undone_nodes(list_events_above(session, common))
        block = self._gateway.fetch_block(common)
        is_recent = block is not None and common > self._gateway.fetch_head().number - _STATES_KEPT
        changed = self._fetch_nodes(undone_nodes, block if is_recent else None)
        next_at = self._find_next_time(common)
        with self._database.write() as session:
            undone = list_events_above(session, common)
            _log.warning("chain_reorganised", common_block=common, events_undone=len(undone))
            for record in undone:
                self._effects.undo(session, record)
            _note_nodes(session, changed)
            if block is not None:
                nodes.note_block(session, block.number, block.hash, next_at=next_at, settled=is_recent)
            session.exec(delete(ChainBlockRow).where(col(ChainBlockRow.number) > common))

    def _find_next_time(self, number: int) -> int:
        """When the block after this one was made (unix seconds); now, where there is none."""
        following = self._gateway.fetch_block(number + 1)
        return self._context.now if following is None else following.timestamp

    def _fetch_nodes(self, changed: Iterable[bytes], at: Block | None) -> dict[bytes, NodeState]:
        """What the registry keeps of nodes as of a block, of the newest one where None.

        A draw names the block that it knew nodes at: what it knew must be of that block. Of a node that was slashed
        after its rotation, the successor's stake is what changed.
        """
        states = {node: self._gateway.fetch_node(node, at) for node in changed}
        heirs = {state.successor for state in states.values() if state is not None and state.retired}
        states |= {node: self._gateway.fetch_node(node, at) for node in heirs.difference(states)}
        return {node: state for node, state in states.items() if state is not None}


def _note_nodes(session: Session, states: Mapping[bytes, NodeState]) -> None:
    # A state that is newer than the events applied so far may name a successor whose registration is still to come.
    known = node_store.find_nodes(session, states)
    for node, state in states.items():
        if node not in known:
            continue
        nodes.mark_payout(session, node, state.payout)
        nodes.mark_stake(session, node, state.staked - state.leaving)


def _remember(session: Session, block: Block) -> None:
    session.merge(ChainBlockRow(number=block.number, hash=block.hash))
    newest_first = select(ChainBlockRow.number).order_by(col(ChainBlockRow.number).desc())
    oldest = session.exec(newest_first.offset(_REMEMBERED_BLOCKS).limit(1)).first()
    if oldest is not None:
        session.exec(delete(ChainBlockRow).where(col(ChainBlockRow.number) <= oldest))
