"""Group commit: what waits while one transaction is written goes together into the next.

One fsync then serves many requests. Nobody waits for company, unless a patience is asked for: a lone request is
written at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlmodel import Session

from coordinator.storage.database import Database

T = TypeVar("T")
R = TypeVar("R")

Handle = Callable[[Session, Sequence[T]], Sequence[R | Exception]]

_LARGEST = 512


class GroupCommit(Generic[T, R]):
    """Handles items in transactions of many; an item that `handle` answers with an error has changed nothing.

    Args:
        database: where the transactions run.
        handle: answers each item with its result or its refusal, in order; what it raises fails the transaction.
        patience_seconds: how long an item waits for company, where nobody waits for its answer.
    """

    def __init__(self, database: Database, handle: Handle[T, R], patience_seconds: float = 0.0) -> None:
        self._database = database
        self._handle = handle
        self._patience_seconds = patience_seconds
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return the item's result once it is durable, or raise its refusal."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await result

    async def _write(self) -> None:
        while self._waiting:
            if self._patience_seconds:
                await asyncio.sleep(self._patience_seconds)
            batch, self._waiting = self._waiting[:_LARGEST], self._waiting[_LARGEST:]
            if not await self._commit(batch):
                # One item must not fail its neighbours: each alone tells whose fault it is.
                for one in batch:
                    await self._commit([one])
        self._writer = None

    async def _commit(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> bool:
        """Write one transaction; False when it failed and there are neighbours to try without."""
        items = [item for item, _ in batch]
        running = asyncio.create_task(self._database.run_write(self._handle, items))
        await asyncio.wait({running})
        failure = running.exception()
        if failure is not None and len(batch) > 1:
            return False
        answers = running.result() if failure is None else [failure]
        for (_, result), answer in zip(batch, answers, strict=True):
            if result.done():  # the one who asked has gone
                continue
            if isinstance(answer, BaseException):
                result.set_exception(answer)
            else:
                result.set_result(answer)
        return True
