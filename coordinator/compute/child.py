"""The compute child, seen from its parent: started on first use, kept warm, started anew when it died.

One question at a time, urgent ones first. The child ends when its standard input does, so it never outlives its
parent, however that one ends.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

URGENT = 0
PATIENT = 1

_END_SECONDS = 5.0


class ComputeFailed(Exception):
    """The child raised an error that is our own fault; its traceback is in the message."""

    def __init__(self, question: str, traceback: str) -> None:
        self.question = question
        self.traceback = traceback
        super().__init__(f"the compute child failed at {question}:\n{traceback}")


class ComputeDied(Exception):
    """The child ended while it worked, such as for want of memory; the next question starts another."""

    def __init__(self, question: str, exit_code: int | None) -> None:
        self.question = question
        self.exit_code = exit_code
        super().__init__(f"the compute child ended with exit code {exit_code} at {question}")


class ComputeChild:
    """Asks a child process; `threads` is how many threads torch may use there, 0 for torch's own choice."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._runner = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._busy = False
        self._starting = threading.Lock()

    async def warm_up(self) -> None:
        """Start the child and let it import what it needs, before anyone waits for it."""
        await self.ask(None, priority=PATIENT)

    async def ask(self, question: object, priority: int = URGENT) -> Any:
        """Return the child's answer to one of the questions in `coordinator.compute.messages`.

        Raises:
            Malformed: what the child read is malformed.
            ComputeFailed: the child failed at it.
            ComputeDied: the child ended at it.
        """
        await self._enter(priority)
        running = asyncio.get_running_loop().run_in_executor(self._runner, self._ask, question)
        running.add_done_callback(lambda _: self._leave())
        return await asyncio.shield(running)

    def close(self) -> None:
        """End the child."""
        self._runner.shutdown(wait=False, cancel_futures=True)
        process, self._process = self._process, None
        if process is not None:
            _end(process)

    async def _enter(self, priority: int) -> None:
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False

    def _ask(self, question: object) -> Any:
        process = self._find_process()
        assert process.stdin is not None  # noqa: S101  both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            pickle.dump(question, process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            kind, answer = pickle.load(process.stdout)  # noqa: S301  our own child's answer
        except (OSError, EOFError, pickle.UnpicklingError):
            self._process = None
            _end(process)
            raise ComputeDied(type(question).__name__, process.returncode) from None
        if kind == "failed":
            raise ComputeFailed(type(question).__name__, answer)
        if kind == "malformed":
            raise answer
        return answer

    def _find_process(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                command = [sys.executable, "-m", "coordinator.compute", str(self._threads)]
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
                )
            return self._process


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except OSError:  # a pipe to a process that has ended may refuse its last flush
                continue
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
