"""How fast the programs start and how much memory they take: real processes on a chain and a coordinator."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.figures import BYTES, SECONDS, at_most
from bench.measure import alternate
from bench.report import Report
from client import calls
from client.demo.processes import find_program
from client.home import Home
from client.seed import Seed, save_seed
from client.wallet import encrypt_secret, save_keystore
from ledger.hexadecimal import to_address
from tests.e2e.gate import wait_until
from tests.e2e.programs import Program
from tests.e2e.world import KEYSTORE_WORK, PASSPHRASE, World, run_world

OPERATOR = to_address(b"\x77" * 20)
IMPORTS = "the interpreter and its imports"
MIB = 1 << 20
WAIT_SECONDS = 300


def run(report: Report) -> None:
    """Help, a node's start, its size after a round, and that of each further node of a fleet."""
    measure_help(report)
    with TemporaryDirectory(prefix="tally-bench-") as folder:
        report.say("starting chain and coordinator")
        with run_world(Path(folder) / "world") as world:
            node = measure_start(report, world)
            measure_size(report, world, node)


def measure_help(report: Report) -> None:
    """`tally --help`, from start to end."""
    turns = 3 if report.quick else 11
    command = [find_program("tally"), "--help"]

    def run_help() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    bare = [sys.executable, "-c", "pass"]
    seconds = alternate(
        {
            "wall": _take(run_help, time.perf_counter),
            "core": _take(run_help, _count_children),
            "bare": _take(lambda: subprocess.run(bare, check=True), time.perf_counter),
        },
        turns,
    )
    core, empty = SECONDS.show(seconds["core"]), SECONDS.show(seconds["bare"])
    how = f"median of {turns}; {core} of a core; an empty Python program {empty}"
    report.add("tally --help", SECONDS, seconds["wall"], bar=at_most(0.3), bound=IMPORTS, how=how)


def measure_start(report: Report, world: World) -> Program:
    """From the command to the first request for work: with registration on chain, and once registered."""
    home = Home(world.folder / "node")
    save_keystore(home.node_wallet, encrypt_secret(world.chain.accounts[3].private_key, PASSPHRASE, KEYSTORE_WORK))
    options = ["--data", str(world.node_files[0]), "--operator", OPERATOR, "--payout", "node", "--threads", "1"]
    turns = 1 if report.quick else 3
    report.say("starting a node, and again")
    barrier = world.gate.hold("GET", "/v1/assignments")
    begun = time.perf_counter()
    node = world.launch("node", ["tally", "node", "run", *options], world.client("node"))
    barrier.wait_for(lambda request: True, 1, WAIT_SECONDS)  # noqa: ARG005 -- whichever comes first
    first = time.perf_counter() - begun
    again = []
    for _ in range(turns):
        node.kill()
        world.gate.open()
        barrier = world.gate.hold("GET", "/v1/assignments")
        begun = time.perf_counter()
        node.start_again()
        barrier.wait_for(lambda request: True, 1, WAIT_SECONDS)  # noqa: ARG005
        again.append(time.perf_counter() - begun)
    world.gate.open()
    how = "from the command to its first request for work"
    bound = f"{IMPORTS}, unlocking the wallet, one reply of the coordinator"
    report.add(
        "tally node run ready",
        SECONDS,
        sorted(again)[turns // 2],
        bar=at_most(5),
        bound=bound,
        how=f"{how}; median of {turns}",
    )
    report.add(
        "tally node run ready, the first time", SECONDS, first, bar=at_most(5), bound=f"{bound}, blocks of a second",
        how=f"{how}; registration on a chain with a block a second included; once",
    )  # fmt: skip
    return node


def measure_size(report: Report, world: World, node: Program) -> None:
    """Resident bytes of a node and of a fleet after a round in which all of them trained."""
    count = 5 if report.quick else 50
    report.say(f"a fleet of {count} registers, then a round")
    fleet = start_fleet(world, count)
    wait_until("all nodes present", lambda: _count_present(world) == 1 + count, WAIT_SECONDS)
    rules = {"rounds": 1, "cohort": {"minimum": 1 + count, "maximum": 1 + count}, "scoringRule": "by-weight"}
    job = world.create_job(rules)
    wait_until("a tallied round", lambda: _is_tallied(world, job), WAIT_SECONDS)
    one, many = (psutil.Process(program.process.pid).memory_info().rss for program in (node, fleet))
    how = "resident after a round of digits"
    report.add("memory of a node", BYTES, one, bar=at_most(300 * MIB), bound="torch and numpy", how=how)
    report.add(
        "memory of a fleet node beyond the first", BYTES, max(0.0, (many - one) / (count - 1)), bar=at_most(2 * MIB),
        bound="its wallet, connection, data and last update", how=f"{how}: ({count} in one process − 1) / {count - 1}",
    )  # fmt: skip


def start_fleet(world: World, count: int) -> Program:
    """`tally node fleet` with a file of its own for each node."""
    save_seed(Home(world.folder / "many").fleet_seed, Seed(bytes(range(2, 34))), PASSPHRASE, KEYSTORE_WORK)
    files = world.folder / "many-scans"
    files.mkdir()
    content = world.node_files[1].read_bytes()
    for number in range(count):
        (files / f"node-{number:04d}.json").write_bytes(content)
    options = [
        "--data",
        str(files),
        "--operator",
        OPERATOR,
        "--payout",
        "node",
        "--threads",
        "1",
        "--count",
        str(count),
    ]
    return world.launch("many", ["tally", "node", "fleet", *options], world.client("many"))


def _count_present(world: World) -> int:
    return sum(node.present for node in world.api.fetch(calls.nodes()))


def _is_tallied(world: World, job: bytes) -> bool:
    view = world.look(job, 1)
    return view is not None and view.state not in ("committing", "revealing", "tallying")


def _take(function: Callable[[], object], clock: Callable[[], float]) -> Callable[[], float]:
    def measure() -> float:
        begun = clock()
        function()
        return clock() - begun

    return measure


def _count_children() -> float:
    """Seconds of a core that ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
