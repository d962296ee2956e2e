"""A node killed at any request, before or after it was answered, and started again: nothing lost, nothing twice."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, select

from coordinator.compute.supervisor import ComputeChild
from coordinator.rounds.tables import ContributionRow, EntryRow
from tests.coordination.learning import Course
from tests.coordination.premises import Premises
from tests.node.premises import RULES, Killed, Stage, Wire, open_host, set_stage

REQUESTS = 15
"""Requests of a node over two rounds, telemetry left out."""


async def run_node(stage: Stage, folder: Path, number: int, wire: Wire) -> None:
    """One process of a node, from its start to its kill."""
    host = open_host(stage.house, folder / f"home-{number}", wire, rules=replace(RULES, rounds=None))
    try:
        await stage.agent(host, number).run()
    finally:
        await host.close()


async def run_stubbornly(stage: Stage, folder: Path, number: int, wire: Wire) -> None:
    """A node that is started again when it was killed."""
    try:
        await run_node(stage, folder, number, wire)
    except Killed:
        await run_node(stage, folder, number, Wire(stage.app))


async def run_job(folder: Path, compute: ComputeChild, course: Course, wire: Wire) -> tuple[list[str], list[str]]:
    """Two nodes, two rounds; node 0 dies where the wire says and is started again. Returns entries and requests."""
    async with Premises(folder, compute=compute).open(worker=True) as house:
        stage = await set_stage(house, course, folder)
        wire.app = stage.app
        nodes = [
            asyncio.create_task(run_stubbornly(stage, folder, 0, wire)),
            asyncio.create_task(run_stubbornly(stage, folder, 1, Wire(stage.app))),
        ]
        entries = await wait_for_entries(stage, 4)
        for node in nodes:
            node.cancel()
        await asyncio.gather(*nodes, return_exceptions=True)
        contributions = await house.context.database.run_read(list_contributions)
        assert len(contributions) == len(set(contributions)) == 4
        return entries, wire.requests


async def wait_for_entries(stage: Stage, count: int) -> list[str]:
    for _ in range(1_000):
        entries = await stage.house.context.database.run_read(list_entries)
        if len(entries) == count:
            return entries
        await asyncio.sleep(0.02)
    raise AssertionError("the rounds were not sealed")


def list_contributions(session: Session) -> list[tuple[int, bytes]]:
    return [(row.round, row.node) for row in session.exec(select(ContributionRow)).all()]


def list_entries(session: Session) -> list[str]:
    """What was decided about each contribution, whatever its place in the round."""
    rows = session.exec(select(EntryRow)).all()
    return sorted(f"{row.round} {row.node.hex()} {row.verdict} {row.score} {row.earned}" for row in rows)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, compute: ComputeChild, course: Course) -> list[str]:
    entries, requests = asyncio.run(run_job(tmp_path_factory.mktemp("undisturbed"), compute, course, Wire(None)))
    assert len(requests) >= REQUESTS, requests
    return entries


@pytest.mark.parametrize("after", [False, True], ids=["before it is heard", "after it was answered"])
@pytest.mark.parametrize("cut_at", range(REQUESTS))
async def test_node_killed_at_a_request_goes_on(
    tmp_path: Path, compute: ComputeChild, course: Course, undisturbed: list[str], cut_at: int, after: bool
) -> None:
    entries, requests = await run_job(tmp_path, compute, course, Wire(None, cut_at, after))
    assert entries == undisturbed, requests
