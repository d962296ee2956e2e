"""Why no round of a job comes to a node that waits: the job asks for more at stake than the node has."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from client import calls
from client.api import AsyncApi
from client.errors import CoordinatorRefused, TransportMangled, TransportOverflow
from ledger.hexadecimal import to_address, to_hex
from ledger.wire import JobView

LOOK_SECONDS = 60.0


class Shortfalls:
    """Says so once a job, for the first node of a process that it holds for.

    Args:
        api: of the coordinator, which says what is at stake; only `tally node stake` asks the chain.
        now: monotonic seconds; the list of jobs is fetched no more often than every LOOK_SECONDS.
    """

    def __init__(self, api: AsyncApi, now: Callable[[], float] = time.monotonic) -> None:
        self._api, self._now = api, now
        self._told: set[bytes] = set()
        self._jobs: list[JobView] = []
        self._looked_at: float | None = None

    async def tell(self, node: bytes) -> None:
        """Looks for running jobs that want more of this node. Never raises what may be otherwise the next time."""
        try:
            wanting = [job for job in await self._fetch_jobs() if job.job not in self._told]
            stake = (await self._api.fetch(calls.node(node))).stake if wanting else 0
        except (CoordinatorRefused, TransportMangled, TransportOverflow):
            return
        for job in wanting:
            if stake < job.terms.min_stake:
                self._told.add(job.job)
                structlog.get_logger().warning(
                    "stake_missing",
                    node=to_address(node),
                    job=to_hex(job.job),
                    needed=str(job.terms.min_stake),
                    at_stake=str(stake),
                    then="`tally job show` tells what the job asks for, `tally node stake AMOUNT` puts it there",
                )

    async def _fetch_jobs(self) -> list[JobView]:
        if self._looked_at is None or self._now() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._now()
            found = await self._api.fetch(calls.jobs())
            self._jobs = [job for job in found if job.state == "running" and job.terms.min_stake]
        return self._jobs
