"""Whether a node that was there is told as absent: nobody else can know, so it reads the round's signed draw itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from client import calls
from client.node.work.host import Host
from ledger.draw import Draw
from ledger.errors import VerificationError
from ledger.evidence import DRAW, MANIFEST, verify_file
from ledger.hexadecimal import to_address, to_hex
from ledger.wire import JobView

SEEN_WITHIN: Final = (2, 20)
"""A poll begun so many seconds before a round opened, least and most, shows that the node was there: coordinators count
whom they have heard within a minute, and clocks differ."""


class Vigil:
    """One node's. It looks while there is no work, at the newest sealed round of each running job."""

    def __init__(self, host: Host, node: bytes) -> None:
        self._host, self._node = host, node
        self._polls: deque[float] = deque(maxlen=256)
        self._looked: dict[bytes, int] = {}

    def note_poll(self) -> None:
        """The node asks for work now."""
        self._polls.append(self._host.now())

    async def look(self, jobs: Sequence[JobView]) -> None:
        """Tells of rounds that opened without this node though it was there.

        Raises:
            VerificationError, Malformed: header or draw are not what the coordinator signed.
            CoordinatorRefused, TransportMangled: they are not handed out.
        """
        for job in jobs:
            number = job.rounds_sealed
            if number <= self._looked.get(job.job, 0):
                continue
            self._looked[job.job] = number
            opened_at = (await self._host.api.fetch(calls.round_view(job.job, number))).opened_at
            if self._was_there(opened_at) and self._host.journal.find(self._node, job.job, number) is None:
                self._judge(job, number, await self._fetch_draw(job.job, number))

    def _was_there(self, opened_at: int) -> bool:
        least, most = SEEN_WITHIN
        return any(least <= opened_at - poll <= most for poll in self._polls)

    async def _fetch_draw(self, job: bytes, number: int) -> Draw:
        api, authority = self._host.api, self._host.book.authority
        signed = (await api.fetch(calls.header(job, number))).header
        authority.verify("header-signature", signed)
        head = signed.statement
        if (head.job, head.round) != (job, number):
            raise VerificationError("header-signature", "the header is of another round", number, head.round)
        manifest, content = [await api.fetch(calls.evidence(job, number, name)) for name in (MANIFEST, DRAW)]
        verify_file(head, manifest, DRAW, content)
        return Draw.from_bytes(content)

    def _judge(self, job: JobView, number: int, draw: Draw) -> None:
        if self._node in draw.absent:
            problem = "it is called absent, and was there when the round opened"
        elif not draw.drawn and self._node not in {*draw.admitted, *draw.joined}:
            problem = (
                "it was there when the round opened, there was room for all, and it is not among those present: right "
                f"only if it could not join, by too little at stake, a registration after block {draw.block}, or as "
                "the successor of a key with a past in this job"
            )
        else:
            return
        structlog.get_logger().warning(
            "called_absent", node=to_address(self._node), job=to_hex(job.job), round=number, problem=problem
        )
