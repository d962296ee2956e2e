"""Runs the coordinator's processes until they are interrupted."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from functools import partial

import httptools
import uvicorn

from coordinator.app import build_context, create_app
from coordinator.context import Context
from coordinator.running.duties import settle
from coordinator.running.echo import echo_commits
from coordinator.running.edge_duties import keep
from coordinator.running.worker import Worker
from coordinator.schema import create_tables
from coordinator.settings import CoordinatorSettings

# uvicorn takes what is installed; named by the modules themselves, what is missing is missed here, not in the figures.
if sys.platform == "win32":
    _LOOP = asyncio.__name__
else:
    import uvloop

    _LOOP = uvloop.__name__
_HTTP = httptools.__name__

_GRACE_SECONDS = 1
# A node comes back several times a round: a new connection for each request would cost it more than the request.
_KEEP_ALIVE_SECONDS = 75
# An answer waits at most so long for a thread that computes: Python's own 5 ms add up over the steps of a round.
_SWITCH_SECONDS = 0.0005


def serve_api(settings: CoordinatorSettings) -> None:
    """Serve the API, with the worker unless the settings say otherwise."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    context = build_context(settings)
    worker = Worker(context, {"settlement": partial(settle, context)}, alone=False) if settings.worker else None
    config = uvicorn.Config(
        create_app(context, worker),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        http=_HTTP,
        loop=_LOOP,
    )
    _Server(config, context).run()


class _Server(uvicorn.Server):
    """Has polls and streams answered when it is told to end; uvicorn would cut them off, each with a traceback."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what waits, then the rest."""
        self._context.bell.end()
        await super().shutdown(sockets)


def run_worker(settings: CoordinatorSettings) -> None:
    """Run the worker alone."""
    asyncio.run(_work(build_context(settings)))


async def _work(context: Context) -> None:
    create_tables(context.database)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    worker = Worker(context, {"settlement": partial(settle, context)}, alone=True)
    tasks = [
        asyncio.create_task(worker.run()),
        asyncio.create_task(keep("echo", partial(echo_commits, context, lambda: True))),
    ]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    context.compute.close()
    context.database.close()
