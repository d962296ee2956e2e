"""Killed at any state and started again on the same files, a round goes on to the same bytes.

A kill is an abandoned context: nothing is closed in order, nothing is handed over but the folder. (Real processes and
kill −9 are in tests/faults.)
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from coordinator.app import create_app
from coordinator.compute.supervisor import ComputeChild, ComputeDied
from coordinator.rounds.desk import RoundDesk
from coordinator.rounds.driver import tally_round
from coordinator.rounds.tables import RoundRow
from coordinator.rounds.tallying import compute_sealing, load_account
from ledger import evidence
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.playing import fetch_evidence, make_payload, verify_round
from tests.coordination.premises import URL, Clock, House, Premises

Step = Callable[[Scene], Awaitable[None]]

STATES = ["opened", "one receipt", "closed", "one payload", "revealed", "computed, not sealed", "sealed"]


@asynccontextmanager
async def reopen(premises: Premises) -> AsyncIterator[House]:
    """A new coordinator on the old files, without the start's rituals: only what the folder says counts."""
    context = premises.build()
    app = create_app(context)
    app.state.desk = RoundDesk(context)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, timeout=60) as client:
        yield House(context, client, app.state.desk, premises.clock)
    # The tests' own tidiness; a killed process would leave this to the system.
    context.database.close()


async def play(premises: Premises, course: Course, killed_at: str | None) -> dict[str, bytes]:
    """One scored round with a kill at one state; return the signed header and every file of the evidence."""
    async with premises.open() as house:
        scene = await set_scene(house, course, scored=True)
    steps: dict[str, Step] = {
        "opened": _commit(0),
        "one receipt": _commit(1),
        "closed": _reveal(0),
        "one payload": _reveal(1),
        "revealed": _compute,
        "computed, not sealed": _seal,
        "sealed": _verify,
    }
    at: House | None = None
    stack = reopen(premises)
    at = await stack.__aenter__()
    for state, step in steps.items():
        if state == killed_at:
            await stack.__aexit__(None, None, None)
            stack = reopen(premises)
            at = await stack.__aenter__()
        await step(scene.at(at))
    collected = await _collect(scene.at(at))
    await stack.__aexit__(None, None, None)
    return collected


def _commit(number: int) -> Step:
    async def step(scene: Scene) -> None:
        assignment = await scene.nodes[number].poll()
        assert assignment is not None
        assert assignment["kind"] == "commit"
        await scene.nodes[number].commit(assignment, make_payload(number))

    return step


def _reveal(number: int) -> Step:
    async def step(scene: Scene) -> None:
        assignment = await scene.nodes[number].poll()
        assert assignment is not None
        assert (await scene.nodes[number].reveal(assignment)).status_code == 200

    return step


async def _compute(scene: Scene) -> None:
    """All the files of a tally, without the transaction that seals it."""
    context = scene.house.context
    account = await context.database.run_read(load_account, context, scene.job, 1)
    compute_sealing(context, account, await context.compute.ask(account.work))


async def _seal(scene: Scene) -> None:
    await scene.house.look()


async def _verify(scene: Scene) -> None:
    await verify_round(scene, 1)


async def _collect(scene: Scene) -> dict[str, bytes]:
    manifest = await fetch_evidence(scene, 1, evidence.MANIFEST)
    names = [evidence.HEADER, evidence.MANIFEST, *evidence.Manifest.from_bytes(manifest).files]
    files = {name: await fetch_evidence(scene, 1, name) for name in names}
    with scene.house.context.database.read() as session:
        first, second = session.exec(select(RoundRow).order_by("round")).all()
    assert second.parent == first.header_digest
    return files


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, compute: ComputeChild, course: Course) -> dict[str, bytes]:
    return asyncio.run(play(Premises(tmp_path_factory.mktemp("undisturbed"), compute=compute), course, None))


@pytest.mark.parametrize("state", STATES)
async def test_killed_at_any_state_the_round_ends_in_the_same_bytes(
    premises: Premises, course: Course, undisturbed: dict[str, bytes], state: str
) -> None:
    assert await play(premises, course, state) == undisturbed


async def test_killed_compute_child_is_replaced(tmp_path: Path, course: Course) -> None:
    child = ComputeChild(threads=1)
    async with Premises(tmp_path, compute=child).open() as house:
        scene = await set_scene(house, course)
        for number in (0, 1):
            await _commit(number)(scene)
        for number in (0, 1):
            await _reveal(number)(scene)
        assert child._process is not None
        child._process.kill()
        child._process.wait()
        await tally_round(house.context, scene.job, 1)
        await verify_round(scene, 1)


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be held still there")
async def test_child_that_dies_at_work_is_told_and_tried_again(tmp_path: Path, course: Course) -> None:
    child = ComputeChild(threads=1)
    async with Premises(tmp_path, compute=child).open() as house:
        scene = await set_scene(house, course)
        assert child._process is not None
        child._process.send_signal(signal.SIGSTOP)
        asking = asyncio.create_task(house.context.compute.ask(None))
        await asyncio.sleep(0.2)
        child._process.kill()
        with pytest.raises(ComputeDied):
            await asking
        assert await house.context.compute.ask(None) is None
        assert scene.job


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be held still there")
async def test_child_is_ended_whatever_it_is_at() -> None:
    """One that computes for hours must not keep a coordinator that was told to end."""
    child = ComputeChild(threads=1)
    await child.warm_up()
    assert child._process is not None
    child._process.send_signal(signal.SIGSTOP)
    asking = asyncio.create_task(child.ask(None))
    await asyncio.sleep(0.2)
    await asyncio.wait_for(asyncio.to_thread(child.close), 30)
    with pytest.raises(ComputeDied):
        await asking


async def test_child_that_was_closed_is_not_started() -> None:
    child = ComputeChild(threads=1)
    child.close()
    with pytest.raises(ComputeDied):
        child._ask(None)


async def test_outage_of_the_coordinator_is_given_back(premises: Premises, course: Course) -> None:
    async with premises.open() as house:
        scene = await set_scene(house, course)
        before = await scene.nodes[0].poll()
    premises.clock.advance(1_000)
    async with premises.open() as house:
        after = await scene.at(house).nodes[0].poll()
        assert before is not None
        assert after is not None
        assert after["commitDeadline"] == before["commitDeadline"] + 1_000
        assert after["seedDigest"] == before["seedDigest"]


async def test_two_coordinators_of_one_seed_differ_only_in_nothing(
    tmp_path: Path, compute: ComputeChild, course: Course
) -> None:
    """The files depend on what was stored, not on when it was computed."""
    early = Premises(tmp_path / "early", compute=compute)
    late = replace(early, folder=tmp_path / "late", clock=Clock(), dice=random.Random(7))
    for premises in (early, late):
        premises.folder.mkdir()
    first = await play(early, course, None)
    assert await play(late, course, "revealed") == first
