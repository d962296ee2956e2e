"""Whole rounds over HTTP with real keys, real training and the real compute child, and what is left of them."""

import asyncio
from typing import Any

import numpy as np

from coordinator.rounds import store
from learning.payload import write_update
from ledger import evidence
from ledger.entry import Entry, Verdict
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.tree import verify_proof
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.people import DOMAIN
from tests.coordination.playing import SIZE, fetch_evidence, fetch_header, make_payload, play_round, verify_round
from tests.coordination.premises import House


async def test_by_weight_job_runs_to_its_end(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=3, rounds=2)
    for number in (1, 2):
        await play_round(scene, {node: make_payload(10 * number + node) for node in range(3)})
    entries = [await verify_round(scene, number) for number in (1, 2)]
    first, second = [await fetch_header(scene, number) for number in (1, 2)]
    assert first.statement.parent == scene.job
    assert second.statement.parent == first.statement.digest(DOMAIN)
    assert (first.statement.base_model, second.statement.base_model) == (
        scene.spec.initial_model,
        first.statement.next_model,
    )
    assert first.statement.beacon == bytes(32)
    # Three nats by weight, a budget of one token: a third for each, carried on.
    assert {entry.body.verdict for entry in (*entries[0], *entries[1])} == {Verdict.ACCEPTED}
    assert [entry.body.reward for entry in entries[0]] == [10**18 // 3] * 3
    earned = {entry.node: entry.earned for entry in entries[1]}
    assert set(earned.values()) == {2 * (10**18 // 3)}
    job = await scene.requester.get(f"/v1/jobs/{to_hex(scene.job)}")
    assert (job["state"], job["roundsSealed"], job["model"]) == ("finished", 2, to_hex(second.statement.next_model))
    assert int(job["spent"]) == 6 * (10**18 // 3)
    assert await scene.nodes[0].poll() is None
    with house.context.database.read() as session:
        kept = [row.state_file for row in store.list_rounds(session, scene.job)]
    assert kept[0] is None
    assert kept[1] is not None
    assert house.context.blobs.has(kept[1])


async def test_scored_job_pays_what_lowers_the_loss_and_nothing_for_zero(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=3, rounds=2, scored=True)
    for number in (1, 2):
        assignment = await scene.nodes[0].poll()
        assert assignment is not None
        base = await scene.requester.send("GET", f"/v1/blobs/{assignment['baseModel'][2:]}")
        payloads: dict[int, bytes | None] = {
            node: course.train(base.content, node, number, assignment["clip"]) for node in (0, 1)
        }
        await play_round(scene, {**payloads, 2: write_update(np.zeros(SIZE, np.int16))})
    entries = {entry.node: entry for entry in await verify_round(scene, 2)}
    header = await fetch_header(scene, 2)
    assert header.statement.beacon != bytes(32)
    zero = entries[scene.nodes[2].address]
    assert (zero.body.verdict, zero.body.score, zero.body.credit, zero.earned) == (Verdict.ACCEPTED, 0, 0, 0)
    assert all(entries[node.address].earned > 0 for node in scene.nodes[:2])
    gradient = await fetch_evidence(scene, 2, evidence.GRADIENT)
    assert len(gradient) > 4 * SIZE


async def test_entry_comes_with_a_proof_and_an_explanation(scene: Scene) -> None:
    await play_round(scene, {0: make_payload(0), 1: make_payload(1)})
    header = (await fetch_header(scene, 1)).statement
    node = to_address(scene.nodes[1].address)
    view = await scene.requester.get(f"/v1/rounds/{to_hex(scene.job)}/1/entries/{node}")
    entry = Entry.from_json(view["entry"])
    verify_proof(header.entries_root, entry.leaf_hash(), [parse_hex(one) for one in view["proof"]], header.count)
    assert view["anchor"] is None
    explained = await scene.requester.get(f"/v1/explain/{to_hex(scene.job)}/1/{node}")
    assert any(f"= {entry.body.reward} base units" in line for line in explained["lines"])
    work = await scene.requester.get(f"/v1/jobs/{to_hex(scene.job)}/nodes")
    assert [one["accepted"] for one in work] == [1, 1]
    earnings = await scene.requester.get(f"/v1/nodes/{node}/earnings")
    assert earnings["jobs"][0]["earned"] == str(entry.earned)


async def test_node_that_never_reveals_stands_in_the_tally_and_earns_nothing(scene: Scene) -> None:
    await play_round(scene, {0: make_payload(0), 1: None})
    view = await scene.requester.get(f"/v1/rounds/{to_hex(scene.job)}/1")
    assert (view["state"], view["revealed"]) == ("revealing", 1)
    scene.house.clock.advance(scene.spec.reveal_seconds)
    await scene.house.look()
    await scene.house.look()
    entries = await verify_round(scene, 1)
    # One opened contribution is too few for a round of two: it is void, and nothing is paid.
    assert {entry.body.verdict for entry in entries} == {Verdict.VOID}
    header = (await fetch_header(scene, 1)).statement
    assert header.next_model == header.base_model
    assert (header.total_reward, header.total_score) == (0, 0)


async def test_unrevealed_among_enough_has_its_own_verdict(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=3)
    await play_round(scene, {0: make_payload(0), 1: make_payload(1), 2: None})
    house.clock.advance(scene.spec.reveal_seconds)
    await house.look()
    await house.look()
    verdicts = {entry.node: entry.body.verdict for entry in await verify_round(scene, 1)}
    assert verdicts[scene.nodes[2].address] == Verdict.UNREVEALED
    assert verdicts[scene.nodes[0].address] == Verdict.ACCEPTED


async def test_events_tell_job_rounds_and_log(scene: Scene) -> None:
    from coordinator.rounds.events import stream  # noqa: PLC0415

    told: list[str] = []

    async def listen() -> None:
        async for event in stream(scene.house.context, scene.job):
            told.append(event)
            if '"state":"sealed"' in event:
                return

    listening = asyncio.create_task(listen())
    await play_round(scene, {0: make_payload(0), 1: make_payload(1)})
    await asyncio.wait_for(listening, 10)
    kinds = {event.split("\n", 1)[0] for event in told}
    assert kinds == {"event: job", "event: round", "event: log"}


async def test_long_poll_wakes_at_once(scene: Scene) -> None:
    waiting = asyncio.create_task(scene.nodes[0].poll(10))
    first = await waiting
    assert first is not None
    await scene.nodes[0].commit(first, make_payload(0))
    polling = asyncio.create_task(scene.nodes[0].poll(10))
    await asyncio.sleep(0.05)
    assert not polling.done()
    second = await scene.nodes[1].poll()
    assert second is not None
    await scene.nodes[1].commit(second, make_payload(1))
    assignment: Any = await asyncio.wait_for(polling, 2)
    assert assignment["kind"] == "reveal"
