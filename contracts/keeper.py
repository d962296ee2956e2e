"""Ends a program when the one that started it is gone, however that ended: `python -m contracts.keeper PID`.

A killed process runs no handler, and its children live on. The keeper holds the other end of a pipe from it instead:
the pipe closes with the process, on every system.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

import psutil

_END_SECONDS = 5.0


class Keeper:
    """A keeper's process, seen from the program that started the other one.

    Args:
        process_id: what is ended when this program is gone.
    """

    def __init__(self, process_id: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "contracts.keeper", str(process_id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        # Its first byte says that it has found the process: the number cannot have come to mean another one.
        assert self._process.stdout is not None  # noqa: S101  a pipe
        self._process.stdout.read(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the keeper, and with it whatever it keeps and still runs."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def main() -> None:
    """Wait until the pipe closes, then end the process, if it is still the same one."""
    for name in ("SIGINT", "SIGHUP"):
        # Both go to the whole terminal: the program that started us decides when it ends.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        kept = psutil.Process(int(sys.argv[1]))
    except psutil.NoSuchProcess:
        return
    finally:
        sys.stdout.write("\n")
        sys.stdout.flush()
    sys.stdin.buffer.read()
    try:
        kept.terminate()
        kept.wait(_END_SECONDS)
    except psutil.TimeoutExpired:
        kept.kill()
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    main()
