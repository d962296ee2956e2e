"""Programs of this installation as processes of a test: started with a log each, killed, started again."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from client.demo.processes import find_program

_RUN_SECONDS = 90.0


class ProgramFailed(Exception):
    """A program ended as it should not have; carries the end of its log."""

    def __init__(self, name: str, exit_code: int, said: str) -> None:
        self.exit_code = exit_code
        super().__init__(f"{name} ended with exit code {exit_code}; it said:\n{said[-3000:]}")


class Program:
    """One long-running program, which can be killed at any instant and started again with all it had on disk."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._command = [find_program(command[0]), *command[1:]]
        self._environment = {**os.environ, **environment}
        self.process = self._launch()
        self.kills = 0

    def kill(self) -> None:
        """Kills it (SIGKILL where there are signals). Raises ProgramFailed when it was not alive."""
        self.check()
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def start_again(self) -> None:
        """Starts it again after a kill."""
        self.process = self._launch()

    def kill_and_start_again(self) -> None:
        """Both."""
        self.kill()
        self.start_again()

    def check(self) -> None:
        """Raises ProgramFailed when it has ended."""
        exit_code = self.process.poll()
        if exit_code is not None:
            raise ProgramFailed(self.name, exit_code, self.log.read_text(encoding="utf-8", errors="replace"))

    def wait(self, seconds: float = _RUN_SECONDS) -> str:
        """Waits for its end and returns all it said. Raises ProgramFailed when it failed."""
        exit_code = self.process.wait(seconds)
        said = self.log.read_text(encoding="utf-8", errors="replace")
        if exit_code != 0:
            raise ProgramFailed(self.name, exit_code, said)
        return said

    def stop(self) -> None:
        """Ends it: asks, waits, then kills."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment
            )


def run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, whatever its exit code."""
    return subprocess.run(
        [find_program(command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=_RUN_SECONDS,
        check=False,
    )


def run_well(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Runs a program that must succeed, and returns its standard output. Raises ProgramFailed."""
    done = run(command, environment)
    if done.returncode != 0:
        raise ProgramFailed(" ".join(command[:3]), done.returncode, done.stdout + done.stderr)
    return done.stdout
