"""The bell: says *look*, never *what*. The database is the truth.

A listener that was entered before its owner looked hears every ring since: nothing is missed between look and wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from enum import StrEnum
from types import TracebackType
from typing import Self


class Topic(StrEnum):
    """What may have changed."""

    ASSIGNMENTS = "assignments"  # a node may have new work
    ROUNDS = "rounds"  # a round moved, or may now move
    JOBS = "jobs"  # a job moved
    NODES = "nodes"  # a registration or a node's presence changed
    RESULTS = "results"  # a round is sealed, or a job has ended: there is something to measure or register
    CLAIMS = "claims"  # a claim waits for the relay
    PROGRESS = "progress"  # counts, logs and metrics that only watchers care about


class Listener:
    """Hears rings of some topics from the moment it is made; use as a context manager, on one event loop."""

    def __init__(self, bell: Bell, topics: frozenset[Topic]) -> None:
        self.topics = topics
        self.loop = asyncio.get_running_loop()
        self._bell = bell
        self._heard = asyncio.Event()

    def __enter__(self) -> Self:
        self._bell.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bell.remove(self)

    def hear(self) -> None:
        """Note a ring; called on the listener's own loop."""
        self._heard.set()

    async def wait(self, timeout_seconds: float | None) -> bool:
        """Wait until a topic rang since the last call, at most so long; False when nothing rang."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True


class Bell:
    """Wakes the listeners of this process; ring it from any thread, after the commit.

    Attributes:
        ended: whether this process is about to end: what waits for others' sake answers now.
    """

    def __init__(self) -> None:
        self.ended = False
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._generations = dict.fromkeys(Topic, 0)

    def listen(self, *topics: Topic) -> Listener:
        """Return a listener of these topics, to be entered before looking."""
        return Listener(self, frozenset(topics))

    def count(self, topic: Topic) -> int:
        """How often a topic rang: what was computed at another count may be stale."""
        return self._generations[topic]

    def ring(self, topics: Iterable[Topic]) -> None:
        """Wake all who listen to one of these topics."""
        rung = frozenset(topics)
        if not rung:
            return
        with self._lock:
            for topic in rung:
                self._generations[topic] += 1
            woken: dict[asyncio.AbstractEventLoop, list[Listener]] = {}
            for listener in self._listeners:
                if not rung.isdisjoint(listener.topics):
                    woken.setdefault(listener.loop, []).append(listener)
        for loop, listeners in woken.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, listeners)

    def end(self) -> None:
        """Say that this process is about to end, and wake everyone."""
        self.ended = True
        self.ring(Topic)

    def add(self, listener: Listener) -> None:
        """Begin to wake this listener."""
        with self._lock:
            self._listeners.add(listener)

    def remove(self, listener: Listener) -> None:
        """Stop waking this listener."""
        with self._lock:
            self._listeners.discard(listener)


def _wake(listeners: Iterable[Listener]) -> None:
    for listener in listeners:
        listener.hear()
