"""The compute child, seen from its parent: started on first use, kept warm, started anew when it died.

One question at a time, urgent ones first. The child ends when its standard input does, so it never outlives its
parent, however that one ends.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import queue
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

URGENT = 0
PATIENT = 1


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


@dataclass(order=True)
class _Asked:
    priority: int
    order: int
    question: object = field(compare=False)
    answer: Future[Any] = field(compare=False)


class ComputeChild:
    """Asks a child process; `threads` is how many threads torch may use there, 0 for torch's own choice."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._runner = ThreadPoolExecutor(1, thread_name_prefix="compute")
        self._waiting: queue.PriorityQueue[_Asked] = queue.PriorityQueue()
        self._order = itertools.count()
        self._starting = threading.Lock()
        self._is_closed = False

    async def warm_up(self) -> None:
        """Start the child and let it import what it needs, before anyone waits for it."""
        await self.ask(None, priority=PATIENT)

    async def ask(self, question: object, priority: int = URGENT) -> Any:
        """Return the child's answer to one of the questions in `coordinator.compute.messages`.

        Raises:
            Malformed: what the child read is malformed.
            ComputeFailed: the child failed at it.
            ComputeDied: the child ended at it, or was closed.
        """
        answer: Future[Any] = Future()
        self._waiting.put(_Asked(priority, next(self._order), question, answer))
        # Its thread takes the most urgent question that waits, whoever's it is. It knows nothing of event loops: one
        # that ends while a question is answered blocks nobody.
        self._runner.submit(self._answer_next)
        return await asyncio.wrap_future(answer)

    def close(self) -> None:
        """End the child, whatever it is at: nothing is lost that the next start does not compute again."""
        self._runner.shutdown(wait=False, cancel_futures=True)
        with self._starting:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _answer_next(self) -> None:
        asked = self._waiting.get_nowait()
        if not asked.answer.set_running_or_notify_cancel():
            return
        try:
            asked.answer.set_result(self._ask(asked.question))
        except BaseException as error:  # noqa: BLE001  it is raised again where the answer is awaited
            asked.answer.set_exception(error)

    def _ask(self, question: object) -> Any:
        process = self._find_process(type(question).__name__)
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

    def _find_process(self, question: str) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._is_closed:
                raise ComputeDied(question, None)
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                command = [sys.executable, "-m", "coordinator.compute", str(self._threads)]
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_limit_threads(self._threads)
                )
            return self._process


def _limit_threads(threads: int) -> dict[str, str]:
    """The child's environment: numpy's products are of vectors, which a second thread only makes wait for the first."""
    limits = {
        "OPENBLAS_NUM_THREADS": str(threads or 1),
        "MKL_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    chosen = limits if threads else {"OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, "PYTHONUNBUFFERED": "1", **chosen}


def _end(process: subprocess.Popen[bytes]) -> None:
    # Before its pipes: closing one waits for a thread that reads it, and the child may compute for minutes.
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            try:
                pipe.close()
            except OSError:  # a pipe to a process that has ended may refuse its last flush
                continue
