"""An application on a real socket, in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn

from coordinator.app import create_app
from tests.coordination.premises import House

# As the program's own: a client that keeps a connection open, or lost one while it opened, must not keep us.
_GRACE_SECONDS = 1


def listen() -> socket.socket:
    """Takes a free port of loopback, which queues whoever comes before the server is up."""
    return socket.create_server(("127.0.0.1", 0))


def name_url(listener: socket.socket) -> str:
    """Where clients connect."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def serve_app(app: Any, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """Serves an ASGI application until the block ends; yields the URL. Its lifespan is the caller's."""
    listener = listener or listen()
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=_GRACE_SECONDS)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield name_url(listener)
    finally:
        server.should_exit = True
        await serving


def serve(house: House) -> AbstractAsyncContextManager[str]:
    """Serves a coordinator's API."""
    return serve_app(create_app(house.context, None))
