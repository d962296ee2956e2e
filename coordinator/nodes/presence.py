"""Presence: when a node was last heard, written down seldom enough to cost nothing and often enough to be true."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from coordinator.context import Context
from coordinator.nodes import store
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from coordinator.storage.group_commit import GroupCommit

# Written again when the last word is older than this part of the time for which it counts.
_FRESH_PART = 3
_REMEMBERED = 100_000


class Presence:
    """Notes the nodes that this process hears."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._noted: dict[bytes, int] = {}
        self._writer = GroupCommit(context.database, self._touch)

    async def note(self, node: bytes) -> None:
        """A node was heard now; returns once the database knows."""
        now = self._context.now
        if now - self._noted.get(node, 0) < max(1, self._context.settings.presence_seconds // _FRESH_PART):
            return
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted[node] = now
        await self._writer.submit(node)

    def _touch(self, session: Session, nodes: Sequence[bytes]) -> list[None]:
        now = self._context.now
        horizon = now - self._context.settings.presence_seconds
        known = store.find_nodes(session, set(nodes))
        if any((row.last_seen_at or 0) < horizon for row in known.values() if row.state == "registered"):
            announce(session, Topic.NODES)
        store.touch(session, dict.fromkeys(known, now))
        return [None] * len(nodes)
