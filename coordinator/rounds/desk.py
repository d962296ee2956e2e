"""Where requests of many nodes meet: assignments, the intake and the reveals, each with its group commit."""

from __future__ import annotations

import asyncio

from coordinator.context import Context
from coordinator.group_commit import GroupCommit
from coordinator.nodes.presence import Presence
from coordinator.rounds.assignments import AssignmentDesk
from coordinator.rounds.counter import Arrival
from coordinator.rounds.intake import receive
from coordinator.rounds.reveal import Reveal, find_problem, record
from ledger import wire


class RoundDesk:
    """One for the application; belongs to its event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.presence = Presence(context)
        self.assignments = AssignmentDesk(context, self.presence)
        self.intake: GroupCommit[Arrival, bytes] = GroupCommit(
            context.database, lambda session, arrivals: receive(session, context, arrivals)
        )
        self.reveals: GroupCommit[Reveal, wire.ContributionView] = GroupCommit(
            context.database, lambda session, reveals: record(session, context, reveals)
        )

    async def find_problem(self, payload: bytes, parameters: int) -> str | None:
        """Why a kept payload is no update; None when it is one."""
        return await asyncio.to_thread(lambda: find_problem(self._context.blobs.load(payload), parameters))
