"""Buffered rounds over HTTP: a round closes at K contributions, and those trained from an older model say so."""

import asyncio
from typing import Any

from sqlmodel import select

from coordinator.rounds.tables import RoundRow
from ledger.entry import Verdict
from ledger.hexadecimal import parse_hex, to_hex
from ledger.spec import Cohort, Staleness
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.people import REPORT
from tests.coordination.playing import make_payload, verify_round
from tests.coordination.premises import House, Premises
from tests.coordination.test_contributions import expect_refusal, get_assignment, send

HALF = Staleness(2, "0.5")


async def set_buffered(house: House, course: Course, nodes: int = 3, closes_at: int = 2, rounds: int = 4) -> Scene:
    cohort = Cohort(2, 100, closes_at)
    return await set_scene(house, course, nodes=nodes, rounds=rounds, cohort=cohort, staleness=HALF)


def report(age: str, model: str) -> dict[str, str]:
    return {**REPORT, "age": age, "trainedFrom": model}


def find_round(scene: Scene, number: int = 1) -> RoundRow:
    with scene.house.context.database.read() as session:
        return session.exec(select(RoundRow).where(RoundRow.round == number)).one()


async def play(scene: Scene, number: int, reports: dict[int, dict[str, str]] | None = None) -> dict[str, Any]:
    """The named nodes, else the first two, commit (fresh unless their report is given) and reveal; the round seals."""
    assignment = await get_assignment(scene, 0)
    assert assignment["round"] == number
    fresh = report("0", assignment["baseModel"])
    taking = reports or {0: fresh, 1: fresh}
    for node, said in taking.items():
        await scene.nodes[node].commit(assignment, make_payload(10 * number + node), said)
    assert find_round(scene, number).state == "revealing"
    for node in taking:
        revealing = await scene.nodes[node].poll()
        assert revealing is not None
        assert (await scene.nodes[node].reveal(revealing)).status_code == 200
    await scene.house.look()
    return assignment


async def test_round_closes_with_its_kth_contribution_though_others_are_present(house: House, course: Course) -> None:
    scene = await set_buffered(house, course)
    assignment = await get_assignment(scene)
    fresh = report("0", assignment["baseModel"])
    bodies = [node.sign(assignment, make_payload(at), fresh) for at, node in enumerate(scene.nodes)]
    first = await send(scene, bodies[0])
    assert find_round(scene).state == "committing"
    await send(scene, bodies[1])
    row = find_round(scene)
    assert (row.state, row.count, row.cohort) == ("revealing", 2, 3)
    answer = await expect_refusal(scene, bodies[2], 409, "RoundClosed")
    assert (answer["state"], answer["current"]) == ("revealing", 1)
    assert (await send(scene, bodies[0])).content == first.content


async def test_of_many_at_once_exactly_k_get_receipts(house: House, course: Course) -> None:
    """They share one transaction, which must not take more than close the round."""
    scene = await set_buffered(house, course, nodes=12, closes_at=3)
    assignment = await get_assignment(scene)
    fresh = report("0", assignment["baseModel"])
    bodies = [node.sign(assignment, make_payload(at), fresh) for at, node in enumerate(scene.nodes)]
    responses = await asyncio.gather(*(send(scene, body) for body in bodies))
    assert sorted(response.status_code for response in responses) == [200] * 3 + [409] * 9
    refused = [response.json() for response in responses if response.status_code == 409]
    assert {answer["error"] for answer in refused} == {"RoundClosed"}
    assert (find_round(scene).state, find_round(scene).count) == ("revealing", 3)


async def test_round_does_not_wait_for_more_nodes_than_there_are(house: House, course: Course) -> None:
    scene = await set_buffered(house, course, nodes=2, closes_at=50)
    await play(scene, 1)
    assert find_round(scene).state == "sealed"


async def test_stale_contribution_is_weighed_by_its_age(house: House, course: Course) -> None:
    """By weight the pay is the weight: half of what a fresh one gets, a quarter at twice the age."""
    scene = await set_buffered(house, course)
    first = await play(scene, 1)
    second = await get_assignment(scene)
    await play(scene, 2, {0: report("0", second["baseModel"]), 2: report("1", first["baseModel"])})
    third = await get_assignment(scene)
    await play(scene, 3, {2: report("2", first["baseModel"]), 1: report("0", third["baseModel"])})
    entries = {number: await verify_round(scene, number) for number in (2, 3)}
    late = scene.nodes[2].address
    assert {entry.node == late: entry.body.weight for entry in entries[2]} == {False: 1024, True: 512}
    assert {entry.node == late: entry.body.weight for entry in entries[3]} == {False: 1024, True: 256}
    rewards = {entry.node == late: entry.body.reward for entry in entries[2]}
    assert rewards[True] > 0
    assert abs(rewards[False] - 2 * rewards[True]) <= 2


async def test_age_that_is_not_that_of_the_model_is_refused(house: House, course: Course) -> None:
    scene = await set_buffered(house, course)
    first = await play(scene, 1)
    assignment = await get_assignment(scene)
    current = assignment["baseModel"]
    wrong = {
        "older than true": report("2", first["baseModel"]),
        "fresher than true": report("0", first["baseModel"]),
        "old and fresh": report("1", current),
        "beyond the job": report("3", current),
        "no model of the job": report("1", to_hex(b"\x07" * 32)),
        "silent": dict(REPORT),
        "half silent": {**REPORT, "age": "0"},
    }
    for said in wrong.values():
        body = scene.nodes[2].sign(assignment, make_payload(7), said)
        answer = await expect_refusal(scene, body, 422, "WrongContribution")
        assert answer["field"].startswith("report: the ")
    body = scene.nodes[2].sign(assignment, make_payload(7), report("1", first["baseModel"]))
    assert (await send(scene, body)).status_code == 200


async def test_base_model_of_a_stale_statement_is_still_the_rounds_own(house: House, course: Course) -> None:
    scene = await set_buffered(house, course)
    first = await play(scene, 1)
    assignment = await get_assignment(scene)
    said = report("1", first["baseModel"])
    body = scene.nodes[2].sign(assignment, make_payload(7), said, base_model=parse_hex(first["baseModel"]))
    answer = await expect_refusal(scene, body, 422, "WrongContribution")
    assert answer["field"] == "baseModel"


async def test_model_of_a_void_round_has_not_aged(house: House, course: Course) -> None:
    """Nobody reveals in round 1: the model stays, and what was trained from it is fresh in round 2."""
    scene = await set_buffered(house, course)
    assignment = await get_assignment(scene)
    for node in (0, 1):
        await scene.nodes[node].commit(assignment, make_payload(node), report("0", assignment["baseModel"]))
    house.clock.advance(scene.spec.reveal_seconds)
    await house.look()
    await house.look()
    assert {entry.body.verdict for entry in await verify_round(scene, 1)} == {Verdict.VOID}
    again = await get_assignment(scene)
    assert (again["round"], again["baseModel"]) == (2, assignment["baseModel"])
    aged = scene.nodes[2].sign(again, make_payload(5), report("1", assignment["baseModel"]))
    await expect_refusal(scene, aged, 422, "WrongContribution")
    await scene.nodes[2].commit(again, make_payload(5), report("0", assignment["baseModel"]))


async def test_history_of_models_is_known_after_a_restart(premises: Premises, course: Course) -> None:
    async with premises.open() as house:
        scene = await set_buffered(house, course)
        first = await play(scene, 1)
    async with premises.open() as house:
        scene = scene.at(house)
        second = await get_assignment(scene)
        await play(scene, 2, {2: report("1", first["baseModel"]), 0: report("0", second["baseModel"])})
        weights = [entry.body.weight for entry in await verify_round(scene, 2)]
    assert weights == [512, 1024]
