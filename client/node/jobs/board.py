"""The board: jobs that run, asked of the coordinator now and then for all nodes of a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from client import calls
from client.api import AsyncApi
from ledger.wire import JobView

LOOK_SECONDS = 60.0


class Board:
    """What the coordinator says of its running jobs; nothing of it is believed before it is verified.

    Args:
        api: of the coordinator.
        now: monotonic seconds; the list is fetched no more often than every LOOK_SECONDS.
    """

    def __init__(self, api: AsyncApi, now: Callable[[], float] = time.monotonic) -> None:
        self._api, self._now = api, now
        self._jobs: Sequence[JobView] = ()
        self._looked_at: float | None = None

    async def fetch(self) -> Sequence[JobView]:
        """Jobs that run, newest first, at most LOOK_SECONDS old. Raises what a request raises."""
        if self._looked_at is None or self._now() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = self._now()
            self._jobs = [job for job in await self._api.fetch(calls.jobs()) if job.state == "running"]
        return self._jobs
