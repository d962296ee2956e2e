"""A node at a real coordinator: entries kept and verified, limits kept, a copied wallet found out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from client.entries import read_entry
from client.node.work.agent import Agent
from client.node.work.exchange import WalletElsewhere
from client.node.work.host import Host
from coordinator.rounds.service import mark_anchored
from ledger.entry import Verdict
from ledger.hexadecimal import to_address, to_hex
from tests.coordination.learning import Course
from tests.coordination.premises import House
from tests.node.premises import RULES, Killed, Stage, Wire, make_pin, open_host, set_stage

T = TypeVar("T")
ENDLESS = replace(RULES, rounds=None)
# A node that waits looks again after ever longer pauses: on a slow machine, much later.
PATIENCE_SECONDS = 120


async def run_until(agents: list[Agent], done: Awaitable[T]) -> T:
    """Runs agents until something else has come about."""
    tasks = [asyncio.ensure_future(agent.run()) for agent in agents]
    result = await asyncio.wait_for(done, PATIENCE_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return result


async def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- the journal rings no bell
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("nodes", [2, 20], ids=["one by one", "as a fleet"])
async def test_entries_are_kept_with_proofs_that_verify(stage: Stage, tmp_path: Path, nodes: int) -> None:
    wire = Wire(stage.app)
    host = open_host(stage.house, tmp_path / "home", wire, rules=ENDLESS, nodes=nodes)
    agents = [stage.agent(host, 0), stage.agent(host, 1)]
    addresses = [agent.node for agent in agents]
    await run_until(agents, wait_for(lambda: all(host.archive.list_entries(node) for node in addresses)))
    for node in addresses:
        (view,) = host.archive.list_entries(node)
        entry = read_entry(view, make_pin(stage.house), stage.job, 1, node)
        kept = host.journal.find(node, stage.job, 1)
        assert kept is not None
        assert entry.body.contribution == kept.contribution
        assert entry.body.verdict == Verdict.ACCEPTED
    whole = [request for request in wire.requests if request.endswith("/entries")]
    assert len(whole) == (1 if nodes > 2 else 0), "a fleet asks once for all"
    await host.close()


async def test_idle_node_keeps_its_last_entry_and_learns_of_its_anchor(stage: Stage, tmp_path: Path) -> None:
    """No assignment follows the last round of a job: what it pays by must not depend on the coordinator for ever."""
    wire = Wire(stage.app)
    host = open_host(stage.house, tmp_path / "home", wire, rules=ENDLESS)
    agents = [stage.agent(host, 0), stage.agent(host, 1)]
    node = agents[0].node

    async def watch() -> None:
        await wait_for(lambda: stage_of(host, stage, 2) == "revealed")
        await wait_for(lambda: len(host.archive.list_entries(node)) == 2)
        for number in (1, 2):
            await stage.house.context.database.run_write(anchor, stage.job, number)
        await wait_for(lambda: host.archive.list_unanchored(node, stage.job) == [])

    await run_until(agents, watch())
    last = host.archive.list_entries(node)[-1]
    assert read_entry(last, make_pin(stage.house), stage.job, 2, node).earned > 0
    assert (host.archive.list_missing_entries(node), host.archive.list_unanchored_jobs(node)) == ([], [])
    await host.close()


async def test_node_stops_while_too_many_rounds_wait_for_their_anchor(stage: Stage, tmp_path: Path) -> None:
    limited = replace(ENDLESS, max_ahead=1)
    host = open_host(stage.house, tmp_path / "home", Wire(stage.app), rules=limited)
    agents = [stage.agent(host, 0), stage.agent(host, 1)]

    async def watch() -> None:
        await wait_for(lambda: stage_of(host, stage, 1) == "revealed")
        await asyncio.sleep(0.3)
        assert host.journal.find(stage.signer(0).address, stage.job, 2) is None
        await stage.house.context.database.run_write(anchor, stage.job)
        await wait_for(lambda: stage_of(host, stage, 2) == "revealed")

    await run_until(agents, watch())
    assert host.archive.list_unanchored(stage.signer(0).address, stage.job) == [2]
    await host.close()


async def test_node_with_too_little_at_stake_is_told_once_and_works_when_it_has_more(
    house: House, course: Course, tmp_path: Path
) -> None:
    stage = await set_stage(house, course, tmp_path, min_stake=100)
    node = stage.signer(0).address
    await house.stake(node, 99)
    await house.stake(stage.signer(1).address, 100)
    wire = Wire(stage.app)
    host = open_host(stage.house, tmp_path / "home", wire, rules=ENDLESS)

    def count_polls() -> int:
        return sum("/v1/assignments" in request for request in wire.requests)

    async def watch() -> None:
        await wait_for(lambda: any(line["event"] == "stake_missing" for line in lines))
        before = count_polls()
        await wait_for(lambda: count_polls() >= before + 4)  # two more of each
        await house.stake(node, 100)
        await wait_for(lambda: stage_of(host, stage, 1) == "revealed")

    with capture_logs() as lines:
        await run_until([stage.agent(host, 0), stage.agent(host, 1)], watch())
    (told,) = [line for line in lines if line["event"] == "stake_missing"]
    assert (told["node"], told["job"]) == (to_address(node), to_hex(stage.job))
    assert (told["needed"], told["at_stake"]) == ("100 base units", "99 base units")
    assert "tally node stake" in told["then"]
    assert "called_absent" not in {line["event"] for line in lines}, "it could not join"
    await host.close()


def stage_of(host: Host, stage: Stage, number: int) -> str | None:
    kept = host.journal.find(stage.signer(0).address, stage.job, number)
    return None if kept is None else kept.state


def anchor(session: Session, job: bytes, number: int = 1) -> None:
    mark_anchored(session, job, number, final_at=1_900_000_000, transaction=bytes(32), block=9)


async def test_bond_bounds_how_far_ahead_a_node_works(house: House, course: Course, tmp_path: Path) -> None:
    stage = await set_stage(house, course, tmp_path, bond=10**18)
    host = open_host(house, tmp_path / "home", Wire(stage.app), rules=ENDLESS)
    agent = stage.agent(host, 0)
    await run_until([agent], asyncio.sleep(0.5))
    assert host.journal.find_all(agent.node) == []
    await host.close()


async def test_copied_wallet_is_found_out(stage: Stage, tmp_path: Path) -> None:
    first = open_host(stage.house, tmp_path / "home", Wire(stage.app, cut_on="/payload"), rules=ENDLESS)
    other = open_host(stage.house, tmp_path / "other", Wire(stage.app), rules=ENDLESS)
    copy = open_host(stage.house, tmp_path / "copy", Wire(stage.app), rules=ENDLESS)
    helper = asyncio.create_task(stage.agent(other, 1).run())
    with pytest.raises(Killed):
        await asyncio.wait_for(stage.agent(first, 0).run(), PATIENCE_SECONDS)
    with pytest.raises(WalletElsewhere, match="another machine uses the same key"):
        await asyncio.wait_for(stage.agent(copy, 0).run(), PATIENCE_SECONDS)
    helper.cancel()
    await asyncio.gather(helper, return_exceptions=True)
    assert copy.journal.find_all(stage.signer(0).address) == [], "the copy signed nothing"
    for host in (first, other, copy):
        await host.close()
