"""The program itself: set up, served by one process and driven by another, killed and started again."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from client.demo.processes import find_free_ports
from coordinator.keystore import load_signer
from coordinator.rounds.desk import RoundDesk
from coordinator.settings import load_settings
from ledger.hexadecimal import to_hex
from tests.coordination.learning import Course, make_spec, make_terms
from tests.coordination.people import Node, Requester, sign_in
from tests.coordination.playing import make_payload
from tests.coordination.premises import Clock, House, Premises, make_deployment, make_signer

READY_SECONDS = 60
BEGINNERS = 3
DATABASES = 5
# Reads one database URL a line and makes its tables: processes that are told at the same time begin together.
BEGIN = """
import sys
from coordinator.storage.bell import Bell
from coordinator.storage.database import Database
from coordinator.schema import create_tables
print("imported", flush=True)
for line in sys.stdin:
    database = Database(line.strip(), Bell())
    create_tables(database)
    database.close()
    print("made", flush=True)
"""
PASSPHRASE = "of a test"


class WallClock(Clock):
    """The time that the processes have too."""

    def __call__(self) -> float:
        return time.time()


@contextmanager
def run(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the program, ended with the block if it has not ended before."""
    environment = os.environ | {
        "TALLY_COORDINATOR_PASSPHRASE": PASSPHRASE,
        "TALLY_COORDINATOR_KEYSTORE_WORK": "1024",
        "TALLY_COORDINATOR_MIN_WINDOW_SECONDS": "5",
        "TALLY_COORDINATOR_LEASE_SECONDS": "2",
        # Nobody listens there: settlement waits for the chain while rounds go on.
        "TALLY_COORDINATOR_RPC_URL": f"http://127.0.0.1:{find_free_ports(1)[0]}",
    }
    command = [sys.executable, "-m", "coordinator.cli", *arguments, "--data-dir", str(folder)]
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def set_up(folder: Path) -> dict[str, str]:
    make_deployment().save(folder / "deployment.json")
    with run(folder, "init", "--dev", "--json") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    made: dict[str, str] = json.loads(output)
    return made


def wait_until_ready(url: str) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(url)


async def play(folder: Path, url: str, course: Course) -> dict[str, object]:
    """One round over real sockets; what the chain would say is written into the database beside the program."""
    signer = load_signer(load_settings(data_dir=folder, passphrase=PASSPHRASE, dev=True))
    context = Premises(folder, clock=WallClock(), signer=signer).build()
    try:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            house = House(context, client, RoundDesk(context), WallClock())
            requester = Requester(house, make_signer("requester"))
            await requester.enter()
            spec = make_spec(course, await requester.upload(course.initial), None)
            terms = make_terms(spec, requester.address, signer.address, rounds=1)
            assert (await requester.ask(spec, terms)).status_code == 200
            await house.fund(terms.job_id())
            nodes = [Node(house, make_signer(f"node {number}")) for number in range(2)]
            for node in nodes:
                await node.join()
            await asyncio.gather(*(_work(node, number) for number, node in enumerate(nodes)))
            view: dict[str, object] = {}
            async with asyncio.timeout(READY_SECONDS):
                while view.get("state") != "sealed":
                    view = await requester.get(f"/v1/rounds/{to_hex(terms.job_id())}/1")
                    await asyncio.sleep(0.1)
            return view
    finally:
        context.database.close()


async def _work(node: Node, number: int) -> None:
    for kind in ("commit", "reveal"):
        assignment = await node.poll(30)
        assert assignment is not None
        assert assignment["kind"] == kind
        if kind == "commit":
            await node.commit(assignment, make_payload(number))
        else:
            assert (await node.reveal(assignment)).status_code == 200


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "worker apart"])
def test_round_runs_in_real_processes(tmp_path: Path, course: Course, apart: bool) -> None:
    set_up(tmp_path)
    port = find_free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    deployment = ("--deployment", str(tmp_path / "deployment.json"), "--dev")
    serve = ("serve", "--port", str(port), *deployment, *(["--no-worker"] if apart else []))
    with run(tmp_path, *serve):
        wait_until_ready(url)
        if apart:
            with run(tmp_path, "worker", *deployment):
                view = asyncio.run(play(tmp_path, url, course))
        else:
            view = asyncio.run(play(tmp_path, url, course))
    assert (view["state"], view["accepted"]) == ("sealed", 2)


def test_processes_that_begin_together_on_an_empty_database_all_begin(tmp_path: Path) -> None:
    with ExitStack() as stack:
        beginners = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", BEGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(BEGINNERS)
        ]
        assert [said(beginner) for beginner in beginners] == ["imported"] * BEGINNERS
        for number in range(DATABASES):
            for beginner in beginners:
                assert beginner.stdin is not None
                print(f"sqlite:///{(tmp_path / str(number)).as_posix()}", file=beginner.stdin, flush=True)
            assert [said(beginner) for beginner in beginners] == ["made"] * BEGINNERS


def said(process: subprocess.Popen[str]) -> str:
    """The next line of a process, nothing where it ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_killed_server_starts_again_at_once(tmp_path: Path) -> None:
    set_up(tmp_path)
    port = find_free_ports(1)[0]
    serve = ("serve", "--port", str(port), "--deployment", str(tmp_path / "deployment.json"), "--dev")
    for _ in range(2):
        with run(tmp_path, *serve) as process:
            wait_until_ready(f"http://127.0.0.1:{port}")
            process.kill()
            process.wait()
    log = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in log
    assert log.count("lease_acquired") >= 1


async def test_stopped_server_answers_who_waits(tmp_path: Path, course: Course) -> None:
    set_up(tmp_path)
    port = find_free_ports(1)[0]
    url = f"http://127.0.0.1:{port}"
    deployment = ("--deployment", str(tmp_path / "deployment.json"), "--dev")
    with run(tmp_path, "serve", "--port", str(port), *deployment) as process:
        wait_until_ready(url)
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            token = await sign_in(client, make_signer("node 0"))
            headers = {"Authorization": f"Bearer {token}"}
            polls = [
                asyncio.create_task(client.get(f"/v1/assignments?wait={wait}", headers=headers)) for wait in (50, 50.5)
            ]
            # Known before the polls wait, or the second of them would be the first to be heard.
            assert (await client.get("/v1/assignments?wait=0", headers=headers)).status_code == 204
            process.terminate()
            assert [(await poll).status_code for poll in polls] == [204, 204]
        await asyncio.to_thread(process.wait, 30)
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("serve", "--dev"), "TALLY_COORDINATOR_DEPLOYMENT"),
        (("serve", "--host", "0.0.0.0"), "TALLY_COORDINATOR_PUBLIC_URL"),  # noqa: S104  refused before it listens
        (("worker", "--dev", "--deployment", "nowhere.json"), "nowhere.json"),
    ],
    ids=["no deployment", "unsafe host", "missing file"],
)
def test_wrong_use_is_a_sentence_and_no_traceback(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    set_up(tmp_path)
    with run(tmp_path, *arguments) as process:
        process.communicate(timeout=60)
    log = (tmp_path / f"{arguments[0]}.log").read_text()
    assert process.returncode in (1, 2)
    assert said in log
    assert "Traceback" not in log
