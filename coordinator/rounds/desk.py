"""Where requests of many nodes meet: assignments, the intake and the reveals, each with its group commit."""

from __future__ import annotations

import asyncio

from coordinator.blobs import Received
from coordinator.context import Context
from coordinator.group_commit import GroupCommit
from coordinator.nodes.presence import Presence
from coordinator.rounds.assignments import AssignmentDesk
from coordinator.rounds.counter import Arrival
from coordinator.rounds.intake import receive
from coordinator.rounds.reveal import Expected, Reveal, expect, find_problem, record
from ledger import wire

_REMEMBERED = 20_000


class RoundDesk:
    """One for the application; belongs to its event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # What was once to be revealed is looked at again when it is recorded: here only what never changes counts.
        self._expected: dict[bytes, Expected] = {}
        self.presence = Presence(context)
        self.assignments = AssignmentDesk(context, self.presence)
        self.intake: GroupCommit[Arrival, bytes] = GroupCommit(
            context.database, lambda session, arrivals: receive(session, context, arrivals)
        )
        self.reveals: GroupCommit[Reveal, wire.ContributionView] = GroupCommit(
            context.database, lambda session, reveals: record(session, context, reveals)
        )

    async def expect(self, contribution: bytes) -> Expected:
        """What may be sent for a contribution now. Raises UnknownContribution, NotClosedYet, RevealClosed."""
        known = self._expected.get(contribution)
        if known is None:
            found = await self._context.database.run_read(expect, contribution)
            if len(self._expected) >= _REMEMBERED:
                self._expected.clear()
            self._expected |= found
            known = found[contribution]
        return known

    async def find_problem(self, received: Received, parameters: int) -> str | None:
        """Why a kept payload is no update; None when it is one."""
        if received.content is not None:
            return find_problem(received.content, parameters)
        return await asyncio.to_thread(lambda: find_problem(self._context.blobs.load(received.sha256), parameters))
