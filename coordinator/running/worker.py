"""The worker: holds the lease and drives rounds, models and settlement; one at a time, wherever it runs.

A duty that fails is logged and begun again; what it does follows from the database, so nothing is lost or done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from coordinator.context import Context
from coordinator.models.registrar import Registrar
from coordinator.rounds.driver import RoundDriver
from coordinator.rounds.retention import keep_retention
from coordinator.running import lease
from coordinator.running.edge_duties import Duty, keep
from coordinator.running.heartbeat import SILENCE_SECONDS, is_silent
from coordinator.storage.bell import Topic

_TOKEN_BYTES = 8
_RENEWALS = 3
_log = structlog.get_logger()


class Worker:
    """Runs the duties while it holds the lease.

    Args:
        context: the coordinator's shared parts.
        duties: more to do, by name, besides rounds and models; each runs until cancelled.
        alone: whether this process serves no API: deadlines then wait while the API is out.
    """

    def __init__(self, context: Context, duties: Mapping[str, Duty], *, alone: bool) -> None:
        self._context = context
        self._alone = alone
        self._holder = lease.name_holder(context.randomness(_TOKEN_BYTES).hex())
        self._duties: dict[str, Duty] = {
            "rounds": self._drive_rounds,
            "models": Registrar(context).run,
            "retention": partial(keep_retention, context),
            **duties,
        }
        self.holds_lease = False

    async def run(self) -> None:
        """Wait for the lease, work while holding it, and give it back when cancelled."""
        try:
            while True:
                if await self._renew():
                    await self._work()
                await asyncio.sleep(self._context.settings.lease_seconds / _RENEWALS)
        finally:
            self.holds_lease = False
            await asyncio.shield(self._context.database.run_write(lease.release, self._holder))

    async def _work(self) -> None:
        _log.info("lease_acquired", holder=self._holder)
        tasks = [asyncio.create_task(keep(name, duty)) for name, duty in self._duties.items()]
        try:
            while self.holds_lease:
                await asyncio.sleep(self._context.settings.lease_seconds / _RENEWALS)
                await self._renew()
            _log.warning("lease_lost", holder=self._holder)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _renew(self) -> bool:
        """Take or renew the lease; where the database cannot say, we do not hold it, and ask again."""
        seconds = self._context.settings.lease_seconds
        now = self._context.now
        try:
            self.holds_lease = await self._context.database.run_write(lease.acquire, self._holder, now, seconds)
        except Exception:  # noqa: BLE001  the edge of a program: a worker that ended here would be missed by nobody
            _log.exception("lease_unknown", holder=self._holder)
            self.holds_lease = False
        return self.holds_lease

    async def _drive_rounds(self) -> None:
        driver = RoundDriver(self._context)
        with self._context.bell.listen(Topic.ROUNDS, Topic.JOBS, Topic.NODES) as listener:
            try:
                while True:
                    timely = not (self._alone and await self._context.database.run_read(is_silent, self._context))
                    next_at = await driver.look(timely=timely)
                    if not timely:
                        next_at = self._context.clock() + SILENCE_SECONDS
                    await listener.wait(None if next_at is None else max(0.0, next_at - self._context.clock()))
            finally:
                await driver.stop()
