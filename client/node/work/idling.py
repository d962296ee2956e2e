"""What a node does while there is no work: it keeps what ended rounds came to, and looks why none comes to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from client import calls
from client.errors import CoordinatorRefused, TransportMangled, TransportOverflow
from client.node.work.absence import Vigil
from client.node.work.host import Host
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address, to_hex

_PROBLEMS: Final = (CoordinatorRefused, TransportMangled, TransportOverflow, VerificationError, Malformed)


class Idling:
    """One node's. It looks at the first, second, fourth, eighth … idle poll in a row, so that waiting costs little.

    Args:
        host: what the nodes of the process share.
        node: its address.
        collect: keeps the node's entry of a round, which is sealed.
    """

    def __init__(self, host: Host, node: bytes, collect: Callable[[bytes, int], Awaitable[None]]) -> None:
        self._host, self._node, self._collect = host, node, collect
        self._vigil = Vigil(host, node)
        self._polls = 0

    def note_poll(self) -> None:
        """The node asks for work now."""
        self._vigil.note_poll()

    def end(self) -> None:
        """There is work."""
        self._polls = 0

    async def spend(self) -> None:
        """A poll came back without work."""
        self._polls += 1
        if self._polls & (self._polls - 1):
            return
        archive = self._host.archive
        # No assignment follows a job's last round.
        for job, number in archive.list_missing_entries(self._node):
            try:
                if (await self._host.api.fetch(calls.round_view(job, number))).header is not None:
                    await self._collect(job, number)
            except _PROBLEMS as error:
                self._tell("entry_missing", job, number, str(error))
        for job in archive.list_unanchored_jobs(self._node):
            try:
                await self._host.book.refresh_anchors(job, archive.list_unanchored(self._node, job))
            except _PROBLEMS as error:
                self._tell("anchor_unknown", job, 0, str(error))
        try:
            running = await self._host.board.fetch()
            await self._vigil.look(await self._host.shortfalls.find_open(self._node, running))
        except _PROBLEMS as error:
            structlog.get_logger().warning("rounds_unknown", node=to_address(self._node), problem=str(error))

    def _tell(self, event: str, job: bytes, number: int, problem: str) -> None:
        structlog.get_logger().warning(
            event, node=to_address(self._node), job=to_hex(job), round=number, problem=problem
        )
