"""Flower, deployed as its users deploy it: a SuperLink and two SuperNodes as processes, an app that does nothing."""

import json
import os
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.environments import AGAINST, Environment, PeerMissing, python_environment
from bench.report import Report
from client.demo.processes import ProgramFailed, Stage, find_free_ports

NODES = 2
START_SECONDS = 120


def measure_rounds(report: Report, folder: Path, rounds: int, parameters: int) -> float:
    """Median seconds from one round's beginning to the next.

    Raises:
        PeerMissing: Flower could not be installed, started, or brought to its last round.
    """
    environment = python_environment("flower", report)
    report.say(f"Flower: SuperLink, {NODES} SuperNodes, {rounds} rounds")
    folder.mkdir(parents=True)
    try:
        with Stage(folder / "logs", _surroundings(environment, folder)) as stage:
            return _run(environment, stage, folder, rounds, parameters)
    except (ProgramFailed, OSError, ValueError) as failure:
        raise PeerMissing("flower", str(failure).replace("\n", " ")[-300:]) from failure


def _run(environment: Environment, stage: Stage, folder: Path, rounds: int, parameters: int) -> float:
    link, *nodes = find_free_ports(1 + NODES)
    (folder / "config.toml").write_text(
        f'[superlink]\ndefault = "bench"\n\n[superlink.bench]\naddress = "127.0.0.1:{link}"\ninsecure = true\n',
        encoding="utf-8",
    )
    here = ["--insecure", "--host", "127.0.0.1", "--port"]
    command = [_find(environment, "flower-superlink"), *here, str(link), "--disable-runtime-dependency-installation"]
    stage.start("superlink", command)
    stage.wait_until("superlink", _said(folder, "superlink", "Uvicorn running"), START_SECONDS)
    for number, port in enumerate(nodes):
        name = f"supernode-{number}"
        command = [_find(environment, "flower-supernode"), *here, str(port), "--superlink", f"127.0.0.1:{link}"]
        stage.start(name, command)
        stage.wait_until(name, _said(folder, name, "SuperNode ID"), START_SECONDS)
    shutil.copytree(AGAINST / "flower", folder / "app")
    times = folder / "times.json"
    config = f"rounds={rounds} parameters={parameters} times='{times}'"
    stage.run("run", [_find(environment, "flwr"), "run", str(folder / "app"), "bench", "--run-config", config])
    stage.wait_until("superlink", times.exists, START_SECONDS + 30 * rounds)
    time.sleep(0.1)  # it is written at once, but not atomically
    begun: list[float] = json.loads(times.read_text(encoding="utf-8"))
    # The first round waits for programs to start.
    return median(later - earlier for earlier, later in list(pairwise(begun))[1:])


def _said(folder: Path, name: str, text: str) -> Callable[[], bool]:
    log = folder / "logs" / f"{name}.log"
    return lambda: log.exists() and text in log.read_text(encoding="utf-8", errors="replace")


def _surroundings(environment: Environment, folder: Path) -> dict[str, str]:
    path = f"{Path(environment.interpreter[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"FLWR_HOME": str(folder), "FLWR_TELEMETRY_ENABLED": "0", "PATH": path, "PYTHONPATH": ""}


def _find(environment: Environment, program: str) -> str:
    return str(Path(environment.interpreter[0]).with_name(program))
