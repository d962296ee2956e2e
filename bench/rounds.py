"""Rounds that do nothing: what is left is the protocol. Two nodes beside Flower's, then fleets."""

import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil
from sklearn.datasets import load_digits

from bench.environments import PEERS, PeerMissing
from bench.figures import SECONDS, Missing, at_most
from bench.flower import measure_rounds
from bench.report import Report, missing
from bench.world import World, run_world
from ledger.wire import RoundView

HIDDEN = 1_332
PARAMETERS = 99_910
SCANS = 100
# Not more: nodes that have learned all their scans send equal updates, which are refused.
ROUNDS, QUICK_ROUNDS = 100, 40
WARM_ROUNDS = 10
FLOWER_ROUNDS, QUICK_FLOWER_ROUNDS = 6, 3
FLEETS = {200: 6, 1_000: 3}
# Prime to the number of scans: a thousand nodes have a thousand different choices, the first few share next to nothing.
_STRIDE = 97
QUICK_FLEETS = {200: 3}

PHASES = {
    "commit": "commitSeconds",
    "reveal": "revealSeconds",
    "tally": "tallySeconds",
}
PARTS = {
    "read": "loadSeconds",
    "aggregate": "computeSeconds",
    "write": "stageSeconds",
    "fsync": "keepSeconds",
}


@dataclass(frozen=True)
class Measured:
    """What a job's rounds took: median seconds a round, where they went, processor seconds a round by process."""

    seconds: float
    parts: Mapping[str, float]
    cpu: Mapping[str, float]

    def describe(self) -> str:
        """All of it in one line, in milliseconds."""
        parts = ", ".join(f"{name} {1e3 * seconds:.1f}" for name, seconds in self.parts.items())
        cpu = ", ".join(f"{name} {1e3 * seconds:.0f}" for name, seconds in self.cpu.items())
        return f"{parts}; processor time: {cpu}"


def run(report: Report) -> None:
    """Two nodes in processes of their own beside Flower; then hosted nodes."""
    _run_two(report)
    for nodes, rounds in (QUICK_FLEETS if report.quick else FLEETS).items():
        _run_fleet(report, nodes, rounds)


def _run_two(report: Report) -> None:
    rounds = QUICK_ROUNDS if report.quick else ROUNDS
    with _folder() as folder:
        report.say(f"ours: chain, coordinator, two nodes, {rounds} rounds")
        files = _write_data(Path(folder), 2)
        with run_world(Path(folder)) as world:
            world.start_coordinator()
            for name, file in zip("ab", files, strict=True):
                world.start_node(name, file)
            world.wait_joined(2)
            measured = _measure(world, 2, rounds, WARM_ROUNDS)
    with _folder() as folder:
        flower_rounds = QUICK_FLOWER_ROUNDS if report.quick else FLOWER_ROUNDS
        peers: Mapping[str, float | Missing]
        try:
            peers = {"flower 1.42": measure_rounds(report, Path(folder) / "flower", flower_rounds, PARAMETERS)}
        except PeerMissing as error:
            peers = missing("flower 1.42", error)
    report.add(
        "round that does nothing, 2 nodes",
        SECONDS,
        measured.seconds,
        how=(
            f"{PARAMETERS:,} parameters, one local step, by-weight; from opening to opening, {rounds - WARM_ROUNDS} "
            "rounds; coordinator, chain and both nodes are processes, SQLite and files on disk; receipts, closing, "
            "payloads, tally and signed header included, posting runs behind; Flower: its SuperLink and two SuperNodes "
            f"echo as many parameters, {flower_rounds} rounds"
        ),
        peers=peers,
        bar=at_most(0.10),
        bound=f"where the time goes, in ms: {measured.describe()}",
    )
    report.note(f"a round of 2 nodes, in ms: {measured.describe()}")


def _run_fleet(report: Report, nodes: int, rounds: int) -> None:
    with _folder() as folder:
        report.say(f"a fleet: registering {nodes} nodes on chain, then {rounds} rounds")
        files = _write_data(Path(folder), nodes)
        with run_world(Path(folder)) as world:
            world.start_coordinator()
            world.start_fleet("fleet", nodes, files[0].parent)
            world.wait_joined(nodes)
            measured = _measure(world, nodes, rounds, 1)
    how = (
        f"{nodes} nodes in one process, {PARAMETERS:,} parameters and one local step each; from opening to opening, "
        f"{rounds - 1} rounds; in ms: {measured.describe()}"
    )
    report.add(f"round of {nodes} hosted nodes", SECONDS, measured.seconds, how=how)


def _measure(world: World, nodes: int, rounds: int, warm: int) -> Measured:
    """Run one job; the first `warm` rounds, in which programs still load, do not count."""
    job = world.create_job(
        {
            "task": {"name": "digits", "config": {"hidden": HIDDEN, "epochs": 1, "batch": SCANS}},
            "cohort": {"minimum": nodes, "maximum": nodes},
            "rounds": rounds,
            "scoringRule": "by-weight",
            "pricePerNat": "0.1",
        }
    )
    world.wait_sealed(job, warm, 600)
    processes = _list_processes(world)
    begun = len([view for view in world.list_rounds(job) if view.header is not None])
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    world.wait_sealed(job, rounds, 1_200)
    counted = rounds - begun
    cpu = {name: (sum(process.cpu_times()[:2]) - before[name]) / counted for name, process in processes.items()}
    views = world.list_rounds(job)
    assert [view.accepted for view in views] == [nodes] * rounds, "expected every contribution to be accepted"
    return Measured(
        seconds=median(later - earlier for earlier, later in pairwise(_list_openings(views[warm:]))),
        parts=_find_parts(world, views[warm:]),
        cpu=cpu,
    )


def _list_openings(views: Sequence[RoundView]) -> list[float]:
    """When each round opened, and when the last was sealed."""
    return [*(view.timings["openedAt"] for view in views), views[-1].timings["sealedAt"]]


def _find_parts(world: World, views: Sequence[RoundView]) -> dict[str, float]:
    """Medians of the coordinator's phases, of the tally's parts, and of what nodes say of theirs."""
    parts = {name: median(view.timings[key] for view in views) for name, key in PHASES.items()}
    parts |= {f"tally: {name}": median(view.timings[key] for view in views) for name, key in PARTS.items()}
    return parts | {f"node: {name}": seconds for name, seconds in _read_telemetry(world, views[0].round).items()}


def _read_telemetry(world: World, first: int) -> dict[str, float]:
    with sqlite3.connect(world.folder / "coordinator" / "coordinator.sqlite") as database:
        rows = database.execute("SELECT phase, measured FROM telemetry WHERE round >= ?", (first,)).fetchall()
    seconds = defaultdict(list)
    for phase, measured in rows:
        seconds[phase].append(json.loads(measured)["seconds"])
    return {phase: median(values) for phase, values in sorted(seconds.items())}


def _list_processes(world: World) -> dict[str, psutil.Process]:
    named = {name: psutil.Process(number) for name, number in world.stage.describe()}
    named["compute child"] = named["coordinator"].children()[0]
    return named | {"chain": psutil.Process(world.chain.process_id)}


def _write_data(folder: Path, nodes: int) -> list[Path]:
    """A file of scans for each node; no two nodes have the same, or their equal updates would be refused."""
    scans = load_digits()
    records = [
        {"pixels": [int(pixel) for pixel in pixels], "label": int(label)}
        for pixels, label in zip(scans.data, scans.target, strict=True)
    ]
    data = folder / "data"
    data.mkdir()
    files = []
    for node in range(nodes):
        chosen = [records[(node * _STRIDE + place) % len(records)] for place in range(SCANS)]
        files.append(data / f"node-{node:04}.json")
        files[-1].write_text(json.dumps(chosen), encoding="utf-8")
    return files


def _folder() -> "tempfile.TemporaryDirectory[str]":
    # On the disk that the tree lies on: a temporary folder may be memory, where fsync costs nothing.
    PEERS.mkdir(exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="rounds-", dir=PEERS, ignore_cleanup_errors=True)
