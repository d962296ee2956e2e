"""The peers' environments: each a folder below `bench/peers/`, built from committed pins, and processes in them.

A folder is built anew when its pins change. What cannot be built or started is `PeerMissing`, with the reason.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bench.figures import Missing
from bench.report import Report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
CONSTRAINTS = HERE / "constraints"
AGAINST = HERE / "against"
INSTALL_SECONDS = 900
# Peers that would report their use to somebody are told not to.
SILENT = {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0", "DO_NOT_TRACK": "1"}


class PeerMissing(Exception):
    """A peer could not be installed, started or asked."""

    def __init__(self, peer: str, reason: str) -> None:
        """Args: the peer's environment, and what went wrong."""
        super().__init__(f"{peer}: {reason}")
        self.peer = peer
        self.reason = reason


@dataclass(frozen=True)
class Environment:
    """A built environment: where it lies and what runs scripts in it."""

    name: str
    folder: Path
    interpreter: tuple[str, ...]

    def start(self, script: str, report: Report, *arguments: str) -> "PeerProcess":
        """A process that runs `bench/against/<script>` and answers calls."""
        report.say(f"starting {script} in {self.name}")
        what = ["-m", f"bench.against.{Path(script).stem}"] if script.endswith(".py") else [str(AGAINST / script)]
        return PeerProcess(self, [*self.interpreter, *what, *arguments])


class PeerProcess:
    """A script in a peer's environment, asked by JSON lines on its standard input and output."""

    def __init__(self, environment: Environment, command: Sequence[str]) -> None:
        """Start it. Its errors go to our stderr."""
        self._name = environment.name
        # -m finds the script by PYTHONPATH; what a peer would find of ours besides, no script asks for.
        surroundings = os.environ | SILENT | {"PYTHONPATH": str(ROOT)}
        try:
            self._process = subprocess.Popen(
                command,
                cwd=environment.folder,
                env=surroundings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        except OSError as error:
            raise PeerMissing(self._name, f"could not be started: {error}") from error

    def measurement(self, function: str, **arguments: Any) -> Callable[[], float]:
        """What asks for a function that answers with a number, such as seconds."""
        return lambda: float(self.call(function, **arguments))

    @property
    def pid(self) -> int:
        """The process's id, for measuring its memory."""
        return self._process.pid

    def call(self, function: str, **arguments: Any) -> Any:
        """Ask for one function of the script; waits for its answer.

        Raises:
            PeerMissing: the process ended, or answered with an error.
        """
        try:
            _pipe(self._process.stdin).write(json.dumps([function, arguments]) + "\n")
            _pipe(self._process.stdin).flush()
            line = _pipe(self._process.stdout).readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerMissing(
                self._name, f"the process ended with {self._process.wait()} before it answered {function}"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise PeerMissing(self._name, f"{function} failed: {answer['error']}")
        return answer["value"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _pipe(self._process.stdout).close()


@contextmanager
def started(
    build: Callable[[str, Report], Environment], name: str, script: str, report: Report
) -> Iterator[PeerProcess | Missing]:
    """A peer's process for as long as the context lasts, or why there is none."""
    try:
        process = build(name, report).start(script, report)
    except PeerMissing as error:
        yield Missing(error.reason)
        return
    with process:
        yield process


def ask(peer: PeerProcess | Missing, function: str, **arguments: Any) -> Callable[[], float] | Missing:
    """A measurement by the peer, or why there is none."""
    return peer if isinstance(peer, Missing) else peer.measurement(function, **arguments)


def python_environment(name: str, report: Report) -> Environment:
    """The virtual environment `bench/peers/<name>` with exactly what `bench/constraints/<name>.txt` pins.

    Raises:
        PeerMissing: it could not be installed.
    """
    pins = CONSTRAINTS / f"{name}.txt"
    folder = PEERS / name
    interpreter = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    if not _is_fresh(folder, pins):
        report.say(f"installing the peer {name} from {pins.name}, once")
        _begin(folder)
        venv.create(folder, with_pip=True)
        _install(name, [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)])
        _finish(folder, pins)
    return Environment(name, folder, (interpreter,))


def node_environment(name: str, report: Report) -> Environment:
    """The folder `bench/peers/<name>` with exactly what `bench/constraints/<name>/package-lock.json` pins.

    Raises:
        PeerMissing: there is no Node.js, or it could not be installed.
    """
    lock = CONSTRAINTS / name / "package-lock.json"
    folder = PEERS / name
    node = shutil.which("node", path=f"{os.environ.get('PATH', '')}{os.pathsep}{Path(sys.executable).parent}")
    if node is None:
        raise PeerMissing(name, "expected Node.js on PATH or in .venv, found none: run `make dev`")
    if not _is_fresh(folder, lock):
        report.say(f"installing the peer {name} from its lock, once")
        _begin(folder)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(lock.parent / file, folder / file)
        npm = shutil.which("npm", path=f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}") or "npm"
        _install(name, [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder)])
        _finish(folder, lock)
    return Environment(name, folder, (node,))


def _digest(pins: Path) -> str:
    return hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()


def _is_fresh(folder: Path, pins: Path) -> bool:
    stamp = folder / "stamp"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _digest(pins)


def _begin(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _finish(folder: Path, pins: Path) -> None:
    (folder / "stamp").write_text(_digest(pins), encoding="utf-8")


def _install(name: str, command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(name, f"could not be installed: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise PeerMissing(name, f"could not be installed: {lines[-1] if lines else done.returncode}")


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # both are asked for where the process is started
    return pipe
