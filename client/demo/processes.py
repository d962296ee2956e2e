"""The demo's programs as child processes: started with a log file each, waited for, and ended by their handles."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


class ProgramFailed(Exception):
    """A program of the demo ended when it should not have; carries the end of its log."""

    def __init__(self, name: str, exit_code: int | None, log: Path) -> None:
        self.name, self.exit_code, self.log = name, exit_code, log
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]) if log.exists() else ""
        what = "did not become ready in time" if exit_code is None else f"ended with exit code {exit_code}"
        super().__init__(f"{name} {what}; the end of its log ({log}):\n{tail}")


@dataclass
class Stage:
    """Runs programs of this installation; leaving the context ends every one that is still alive.

    Attributes:
        logs: folder for one log file a program.
        environment: variables every program sees beside the caller's own.
    """

    logs: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts a long-running program; what it prints goes to `<logs>/<name>.log`."""
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._env(environment)
            )

    def run(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
        """Runs a program to its end and returns its standard output. Raises ProgramFailed on a non-zero exit."""
        done = self.attempt(name, command, environment)
        if done.returncode != 0:
            raise ProgramFailed(name, done.returncode, self._log(name))
        return done.stdout.decode()

    def attempt(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a program to its end, whatever its exit code; its output also goes to its log."""
        with self._log(name).open("ab") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._env(environment),
                check=False,
            )
            log.write(done.stdout)
        return done

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until `ready()`. Raises ProgramFailed when the program ends first or the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check(name)
            if time.monotonic() > deadline:
                raise ProgramFailed(name, None, self._log(name))
            time.sleep(0.1)

    def check(self, *names: str) -> None:
        """Raises ProgramFailed when one of these (by default any) has ended."""
        for name in names or tuple(self._running):
            exit_code = self._running[name].poll()
            if exit_code is not None:
                raise ProgramFailed(name, exit_code, self._log(name))

    def describe(self) -> list[tuple[str, int]]:
        """Name and process id of everything that runs."""
        return [(name, process.pid) for name, process in self._running.items() if process.poll() is None]

    def stop(self) -> None:
        """Ends all, last started first: asks, waits, then kills."""
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.terminate()
        for process in reversed(self._running.values()):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _env(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, **self.environment, **(more or {})}


def find_free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def find_program(name: str) -> str:
    """A console script of this installation, else of the PATH."""
    beside = Path(sys.executable).with_name(f"{name}.exe" if os.name == "nt" else name)
    return str(beside) if beside.exists() else name
