"""What runs by itself must outlive what passes: a full disk, a database that is locked, a chain that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

Duty = Callable[[], Awaitable[None]]

_FIRST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 30.0
_log = structlog.get_logger()


async def keep(name: str, duty: Duty) -> None:
    """Run a duty until cancelled; one that fails, or ends, is begun again after growing waits."""
    wait = _FIRST_RETRY_SECONDS
    while True:
        try:
            await duty()
        except Exception:  # noqa: BLE001  the edge of a program: logged, and begun again
            _log.exception("duty_failed", duty=name, retry_seconds=wait)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_RETRY_SECONDS)
