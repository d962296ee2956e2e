"""What each phase of a node's work took, told to the coordinator if it listens: bounded, and lost without harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import psutil

from client import calls
from client.errors import ClientError
from client.identity import AsyncIdentity
from ledger.errors import Malformed, VerificationError
from ledger.wire import Telemetry, TelemetryReport

Phase = Literal["pull", "train", "commit", "reveal"]

FAREWELL_SECONDS = 2.0
PATIENCE_SECONDS = 2.0
TOGETHER = 64
"""Most measurements of a report; more within its time are lost."""


@dataclass
class Measured:
    """A phase's figures; the measured time stands unless better ones are put in its place."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Meter:
    """Measures one node's phases. With `all_phases` every one is sent, else only training.

    What was measured within a few seconds is sent together, and never while the next request of a round waits for it.
    """

    def __init__(self, identity: AsyncIdentity, *, all_phases: bool) -> None:
        self._identity = identity
        self._all_phases = all_phases
        self._process = psutil.Process()
        self._waiting: list[Telemetry] = []
        self._sending: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @contextmanager
    def phase(self, job: bytes, round_number: int, name: Phase) -> Iterator[Measured]:
        """Measures what is done inside; a phase that fails is not sent."""
        measured = Measured()
        began, cpu_began = time.perf_counter(), time.process_time()
        yield measured
        if not (self._all_phases or name == "train") or len(self._waiting) >= TOGETHER:
            return
        telemetry = Telemetry(
            job=job,
            round=round_number,
            phase=name,
            seconds=measured.seconds or time.perf_counter() - began,
            cpu_seconds=measured.cpu_seconds or time.process_time() - cpu_began,
            memory_bytes=self._process.memory_info().rss,
        )
        self._waiting.append(telemetry)
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        """Waits a moment for what is on its way."""
        self._closing.set()
        if self._sending is not None:
            _, late = await asyncio.wait([self._sending], timeout=FAREWELL_SECONDS)
            for task in late:
                task.cancel()

    async def _send(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._closing.wait()
            report = TelemetryReport(measurements=self._waiting)
            self._waiting = []
            # Figures about work that is done: nobody waits for them, and the next ones will come.
            with suppress(ClientError, Malformed, VerificationError):
                await self._identity.fetch(calls.send_telemetry(self._identity.signer.address, report))
        self._sending = None
