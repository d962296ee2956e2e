"""Where requests of many nodes meet: assignments, the intake and the reveals, each with its group commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from coordinator.context import Context
from coordinator.nodes.presence import Presence
from coordinator.rounds.assignments import AssignmentDesk
from coordinator.rounds.counter import Arrival
from coordinator.rounds.errors import MalformedPayload
from coordinator.rounds.intake import receive
from coordinator.rounds.reveal import Expected, Reveal, expect, find_problem, record
from coordinator.storage.blobs import BlobTooLarge, Received
from coordinator.storage.group_commit import GroupCommit
from ledger import wire
from ledger.commitment import Opening

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A payload to come; `announced_bytes` is 0 where the request does not say how long it is."""

    contribution: bytes
    vector_commitment: bytes
    salt: bytes
    announced_bytes: int


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

    async def take_payload(self, offer: Offer, chunks: AsyncIterator[bytes]) -> wire.ContributionView:
        """Keep the payload that opens a commitment, and record it.

        Raises:
            UnknownContribution, NotClosedYet, RevealClosed, NotOpened, BlobTooLarge: nothing has changed.
            MalformedPayload: it opens the commitment and is no update; that is recorded.
        """
        expected = await self._expect(offer.contribution)
        if offer.announced_bytes > expected.max_bytes:
            raise BlobTooLarge(expected.max_bytes, offer.announced_bytes)

        def verify(payload_sha256: bytes, size_bytes: int) -> None:
            expected.verify(payload_sha256, size_bytes, offer.vector_commitment, offer.salt)

        received = await self._context.blobs.receive(chunks, expected.max_bytes, verify)
        opening = Opening(received.sha256, offer.vector_commitment, offer.salt)
        problem = await self._find_problem(received, expected.parameters)
        view = await self.reveals.submit(Reveal(offer.contribution, opening, problem))
        if problem is not None:
            raise MalformedPayload(offer.contribution, problem)
        return view

    async def _expect(self, contribution: bytes) -> Expected:
        """What may be sent for a contribution now. Raises UnknownContribution, NotClosedYet, RevealClosed."""
        known = self._expected.get(contribution)
        if known is None:
            found = await self._context.database.run_read(expect, contribution)
            if len(self._expected) >= _REMEMBERED:
                self._expected.clear()
            self._expected |= found
            known = found[contribution]
        return known

    async def _find_problem(self, received: Received, parameters: int) -> str | None:
        """Why a kept payload is no update; None when it is one."""
        if received.content is not None:
            return find_problem(received.content, parameters)
        return await asyncio.to_thread(lambda: find_problem(self._context.blobs.load(received.sha256), parameters))
