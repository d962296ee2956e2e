"""A node that was there and is told as absent reads it in the round's signed draw, and says so."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from client import calls
from client.node.jobs.board import Board
from client.node.work import absence
from coordinator.rounds import cohort, draws
from ledger.evidence import DRAW
from ledger.hexadecimal import to_address
from ledger.spec import Cohort
from tests.coordination.learning import Course
from tests.coordination.premises import House
from tests.node.premises import Stage, Wire, open_host, set_stage
from tests.node.test_node_at_work import ENDLESS, run_until, wait_for

AWAY = 2
"""Node number of whom the coordinator lies."""

TOLD = ("called_absent", "rounds_unknown")


@pytest.fixture
async def stage(house: House, course: Course, tmp_path: Path) -> Stage:
    return await set_stage(house, course, tmp_path, nodes=3, rules={"cohort": Cohort(2, 3)}, rounds=99)


def shut_out(monkeypatch: pytest.MonkeyPatch, node: bytes) -> None:
    """The coordinator acts as if the node were not there: it neither counts it as present nor lets it join."""
    honest = cohort.find_obstacle

    def find_obstacle(row: Any, *others: Any) -> tuple[str, str] | None:
        return ("a node that is there", "none") if row is not None and row.node == node else honest(row, *others)

    monkeypatch.setattr(cohort, "find_obstacle", find_obstacle)


def call_absent(monkeypatch: pytest.MonkeyPatch, node: bytes) -> None:
    """It says so by name in every draw that it signs."""
    honest = draws.load
    monkeypatch.setattr(draws, "load", lambda session, row: replace(honest(session, row), absent=(node,)))


async def play(stage: Stage, home: Path, seen: Callable[[list[Any], list[str]], bool]) -> list[dict[str, Any]]:
    """Rounds by the others while the third node waits from the first on, until `seen`; what it has told by then.

    `seen` is asked with the lines that were logged and the requests that were sent.
    """
    wire = Wire(stage.app)
    host = open_host(stage.house, home, wire, rules=ENDLESS)
    host.board = Board(host.api, itertools.count(step=100).__next__)
    waiting = asyncio.ensure_future(stage.agent(host, AWAY).run())
    await wait_for(lambda: any("/v1/assignments" in request for request in wire.requests))
    stage.house.clock.advance(5)
    with capture_logs() as lines:
        others = [stage.agent(host, 0), stage.agent(host, 1)]
        await run_until(others, wait_for(lambda: seen(list(lines), wire.requests)))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await host.close()
    return [dict(line) for line in lines if line["event"] in TOLD]


def has_told(lines: list[Any], requests: list[str]) -> bool:
    del requests
    return any(line["event"] in TOLD for line in lines)


@pytest.mark.parametrize("by_name", [False, True])
async def test_node_that_was_there_and_is_told_as_absent_says_so_once_a_round(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    node = stage.signer(AWAY).address
    shut_out(monkeypatch, node)
    if by_name:
        call_absent(monkeypatch, node)
    told = await play(stage, tmp_path / "home", has_told)
    rounds = [line["round"] for line in told]
    assert {(line["event"], line["node"]) for line in told} == {("called_absent", to_address(node))}
    assert len(set(rounds)) == len(rounds) > 0
    assert ("it is called absent" if by_name else "not among those present") in told[0]["problem"]


async def test_node_that_was_not_there_says_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last poll is too long ago, or too near to the opening, for the coordinator to have counted on it."""
    monkeypatch.setattr(absence, "SEEN_WITHIN", (6, 20))
    shut_out(monkeypatch, stage.signer(AWAY).address)

    def has_looked(lines: list[Any], requests: list[str]) -> bool:
        del lines
        return sum("/v1/rounds/" in request and request.count("/") == 4 for request in requests) >= 2

    assert await play(stage, tmp_path / "home", has_looked) == []


async def test_altered_draw_is_no_evidence(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the header does not sign accuses nobody: it is told as what it is."""
    shut_out(monkeypatch, stage.signer(AWAY).address)
    honest = calls.evidence

    def alter(job: bytes, number: int, name: str) -> Any:
        call = honest(job, number, name)
        return replace(call, decode=lambda answer: call.decode(answer) + b" ") if name == DRAW else call

    monkeypatch.setattr(calls, "evidence", alter)
    told = await play(stage, tmp_path / "home", has_told)
    assert {line["event"] for line in told} == {"rounds_unknown"}
    assert "draw.json is not the one that manifest.json lists" in told[0]["problem"]
