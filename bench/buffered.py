"""Rounds a minute with one slow node among four: rounds that wait for everyone beside rounds that close at three.

`python -m bench.buffered` prints it. Chain, coordinator and nodes are processes; the slow node has a thousand times as
many scans as the others, so that its training takes as long as many rounds of theirs.
"""

import json
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.datasets import load_digits

from bench.environments import PEERS
from bench.world import World, run_world

NODES = "abcd"
SCANS, SLOW_SCANS = 40, 40_000
ROUNDS = {"waits for everyone": 4, "closes at three": 100}
RULES: Mapping[str, Mapping[str, Any]] = {
    "waits for everyone": {"cohort": {"minimum": 4, "maximum": 100}},
    "closes at three": {
        "cohort": {"minimum": 3, "maximum": 100, "closesAt": 3},
        "staleness": {"maxAge": 8, "discount": "0.9"},
    },
}


def main() -> None:
    """Measures both, each in a world of its own."""
    PEERS.mkdir(exist_ok=True)
    for name in RULES:
        # On the disk that the tree lies on: a temporary folder may be memory, where fsync costs nothing.
        with tempfile.TemporaryDirectory(prefix="buffered-", dir=PEERS, ignore_cleanup_errors=True) as folder:
            print(measure(Path(folder), name), flush=True)


def measure(folder: Path, name: str) -> str:
    """One line: rounds a minute, from the opening of the second to the seal of the last, and how old what came was."""
    print(f"  {name}: chain, coordinator, four nodes, {ROUNDS[name]} rounds", file=sys.stderr, flush=True)
    files = write_data(folder)
    with run_world(folder) as world:
        world.start_coordinator()
        for node, file in zip(NODES, files, strict=True):
            world.start_node(node, file)
        world.wait_joined(len(NODES))
        job = world.create_job(
            {
                "task": {"name": "digits", "config": {"hidden": 256, "epochs": 10, "batch": 10}},
                "rounds": ROUNDS[name],
                "scoringRule": "by-weight",
                "pricePerNat": "0.1",
                **RULES[name],
            }
        )
        world.wait_sealed(job, ROUNDS[name], 300)
        views = world.list_rounds(job)
        seconds = views[-1].timings["sealedAt"] - views[1].timings["openedAt"]
        ages = count_ages(world)
    return f"{name}: {60 * (len(views) - 1) / seconds:.0f} rounds a minute; contributions by age: {ages}"


def count_ages(world: World) -> dict[str, int]:
    """How many contributions were taken at each age; those of jobs without ages are fresh."""
    with sqlite3.connect(world.folder / "coordinator" / "coordinator.sqlite") as database:
        reports = [json.loads(row[0]) for row in database.execute("SELECT report FROM contributions")]
    ages = [report.get("age", "0") for report in reports]
    return {age: ages.count(age) for age in sorted(set(ages))}


def write_data(folder: Path) -> list[Path]:
    """A file of scans for each node; the last has many."""
    scans = load_digits()
    records = [
        {"pixels": [int(pixel) for pixel in pixels], "label": int(label)}
        for pixels, label in zip(scans.data, scans.target, strict=True)
    ]
    files = []
    for number, name in enumerate(NODES):
        count = SLOW_SCANS if name == NODES[-1] else SCANS
        files.append(folder / f"{name}.json")
        chosen = [records[(number * SCANS + place) % len(records)] for place in range(count)]
        files[-1].write_text(json.dumps(chosen), encoding="utf-8")
    return files


if __name__ == "__main__":
    main()
