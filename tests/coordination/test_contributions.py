"""Contributions: receipts that repeat to the byte, and every wrong one refused by name with nothing changed."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlmodel import select

from coordinator.jobs import service as jobs
from coordinator.rounds.tables import ContributionRow, RoundRow
from ledger.commitment import extend_accumulator, start_accumulator
from ledger.hexadecimal import parse_hex, to_hex
from ledger.statements import Contribution, Receipt, Signed
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.people import DOMAIN, Node
from tests.coordination.playing import make_payload
from tests.coordination.premises import House, make_signer


async def send(scene: Scene, body: dict[str, Any]) -> httpx.Response:
    return await scene.house.client.post("/v1/contributions", json=body)


async def get_assignment(scene: Scene, node: int = 0) -> dict[str, Any]:
    assignment = await scene.nodes[node].poll()
    assert assignment is not None
    assert assignment["kind"] == "commit"
    return assignment


def count_receipts(scene: Scene) -> int:
    with scene.house.context.database.read() as session:
        return len(session.exec(select(ContributionRow)).all())


async def expect_refusal(scene: Scene, body: dict[str, Any], status: int, error: str) -> dict[str, Any]:
    """Send, compare, and see that nothing was taken."""
    before = count_receipts(scene)
    response = await send(scene, body)
    answer: dict[str, Any] = response.json()
    assert (response.status_code, answer["error"]) == (status, error), response.text
    assert len(answer["detail"]) > 20
    assert count_receipts(scene) == before
    return answer


async def test_repetition_gets_the_same_bytes(scene: Scene) -> None:
    body = scene.nodes[0].sign(await get_assignment(scene), make_payload(0))
    first, second = await send(scene, body), await send(scene, body)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content


async def test_repetition_is_answered_after_the_round_and_the_job(house: House, course: Course) -> None:
    scene = await set_scene(house, course, rounds=1)
    bodies = [node.sign(await get_assignment(scene, at), make_payload(at)) for at, node in enumerate(scene.nodes)]
    first = [(await send(scene, body)).content for body in bodies]
    for node in scene.nodes:
        assignment = await node.poll()
        assert assignment is not None
        await node.reveal(assignment)
    await house.look()
    assert [(await send(scene, body)).content for body in bodies] == first


async def test_another_contribution_is_refused_with_the_first_receipt(scene: Scene) -> None:
    assignment = await get_assignment(scene)
    first = await send(scene, scene.nodes[0].sign(assignment, make_payload(0)))
    answer = await expect_refusal(scene, scene.nodes[0].sign(assignment, make_payload(1)), 409, "AlreadyContributed")
    assert answer["receipt"] == first.json()


async def test_many_at_once_have_consecutive_places_in_one_chain(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=12)
    assignment = await get_assignment(scene)
    bodies = [node.sign(assignment, make_payload(at)) for at, node in enumerate(scene.nodes)]
    responses = await asyncio.gather(*(send(scene, body) for body in bodies))
    receipts = sorted((Signed.from_json(Receipt, one.json()).statement for one in responses), key=lambda one: one.seq)
    assert [receipt.seq for receipt in receipts] == list(range(12))
    accumulator = start_accumulator(scene.job, 1, scene.job)
    for receipt in receipts:
        accumulator = extend_accumulator(accumulator, receipt.contribution)
        assert receipt.accumulator == accumulator
        assert receipt.anchor_by == assignment["commitDeadline"] + 20 + 3_600
    with house.context.database.read() as session:
        row = session.exec(select(RoundRow)).one()
    assert (row.state, row.count, row.accumulator) == ("revealing", 12, accumulator)


async def test_two_of_one_node_at_once_get_one_place(scene: Scene) -> None:
    assignment = await get_assignment(scene)
    bodies = [scene.nodes[0].sign(assignment, make_payload(number)) for number in (0, 1)]
    responses = await asyncio.gather(*(send(scene, body) for body in bodies))
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert count_receipts(scene) == 1


@pytest.mark.parametrize(
    ("field", "value", "status", "error"),
    [
        ("parent", b"\x01" * 32, 422, "WrongContribution"),
        ("base_model", b"\x01" * 32, 422, "WrongContribution"),
        ("report", b"\x01" * 32, 422, "WrongContribution"),
        ("samples", 0, 422, "WrongContribution"),
        ("samples", 10**7, 422, "WrongContribution"),
        ("job", b"\x01" * 32, 404, "UnknownJob"),
        ("round", 2, 409, "RoundClosed"),
        ("round", 0, 409, "RoundClosed"),
    ],
)
async def test_wrong_field_is_refused_by_name(scene: Scene, field: str, value: object, status: int, error: str) -> None:
    changes: dict[str, Any] = {field: value}
    body = scene.nodes[0].sign(await get_assignment(scene), make_payload(0), **changes)
    answer = await expect_refusal(scene, body, status, error)
    if error == "WrongContribution":
        assert answer["field"].lower() == field.replace("_", "")


async def test_signature_by_another_key_is_refused(scene: Scene) -> None:
    body = scene.nodes[1].sign(await get_assignment(scene), make_payload(0), node=scene.nodes[0].address)
    await expect_refusal(scene, body, 422, "WrongSigner")


@pytest.mark.parametrize("form", ["v 0 or 1", "64 bytes", "66 bytes", "zeros"])
async def test_signature_of_another_form_is_refused(scene: Scene, form: str) -> None:
    body = scene.nodes[0].sign(await get_assignment(scene), make_payload(0))
    whole = parse_hex(body["signature"])
    changed = {"v 0 or 1": whole[:64] + bytes([whole[64] - 27]), "64 bytes": whole[:64], "66 bytes": whole + b"\0"}
    body["signature"] = to_hex(changed.get(form, bytes(65)))
    response = await send(scene, body)
    assert response.status_code == 422
    assert response.json()["error"] in ("MalformedSignature", "MalformedHex")
    assert count_receipts(scene) == 0


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no signature": lambda body: body.pop("signature"),
    "one more member": lambda body: body["statement"].update(extra=1),
    "number as text": lambda body: body["statement"].update(samples="100"),
    "float": lambda body: body["statement"].update(samples=1.0),
    "unsafe integer": lambda body: body["statement"].update(round=2**53),
    "short bytes": lambda body: body["statement"].update(parent="0x00"),
    "float in the report": lambda body: body["report"].update(loss=1.5),
    "unknown key": lambda body: body.update(unknown=True),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_body_of_another_form_is_refused(scene: Scene, change: str) -> None:
    body = scene.nodes[0].sign(await get_assignment(scene), make_payload(0))
    CHANGES[change](body)
    response = await send(scene, body)
    assert response.status_code == 422
    assert response.json()["error"].startswith("Malformed")
    assert count_receipts(scene) == 0


async def test_unregistered_node_is_refused(scene: Scene) -> None:
    stranger = Node(scene.house, make_signer("stranger"))
    body = stranger.sign(await get_assignment(scene), make_payload(0))
    await expect_refusal(scene, body, 403, "NodeNotAdmitted")


async def test_full_cohort_is_refused(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=2, maximum=2)
    late = Node(house, make_signer("late"))
    await late.join()
    assert await late.poll() is None
    await expect_refusal(scene, late.sign(await get_assignment(scene), make_payload(5)), 409, "CohortFull")


async def test_late_node_joins_while_there_is_room_and_is_waited_for(scene: Scene) -> None:
    late = Node(scene.house, make_signer("late"))
    await late.join()
    assignment = await late.poll()
    assert assignment is not None
    for at, node in enumerate(scene.nodes):
        await node.commit(assignment, make_payload(at))
    await scene.house.look()
    with scene.house.context.database.read() as session:
        row = session.exec(select(RoundRow)).one()
        assert (row.state, row.cohort, row.count) == ("committing", 3, 2)
    await late.commit(assignment, make_payload(9))
    with scene.house.context.database.read() as session:
        assert session.exec(select(RoundRow)).one().state == "revealing"


async def test_closed_phase_is_refused(scene: Scene) -> None:
    assignment = await get_assignment(scene)
    for at, node in enumerate(scene.nodes):
        await node.commit(assignment, make_payload(at))
    late = Node(scene.house, make_signer("late"))
    await late.join()
    answer = await expect_refusal(scene, late.sign(assignment, make_payload(9)), 409, "RoundClosed")
    assert (answer["state"], answer["current"]) == ("revealing", 1)


async def test_deadline_is_kept_even_before_the_worker_looks(scene: Scene) -> None:
    assignment = await get_assignment(scene)
    await scene.nodes[0].commit(assignment, make_payload(0))
    scene.house.clock.advance(scene.spec.commit_seconds)
    await expect_refusal(scene, scene.nodes[1].sign(assignment, make_payload(1)), 409, "RoundClosed")
    await scene.house.look()
    with scene.house.context.database.read() as session:
        assert session.exec(select(RoundRow)).one().state == "revealing"


async def test_round_without_receipts_is_not_closed(scene: Scene) -> None:
    assignment = await get_assignment(scene)
    scene.house.clock.advance(3 * scene.spec.commit_seconds)
    await scene.house.look()
    for node in scene.nodes:
        await node.poll()
    again = await get_assignment(scene)
    assert again["commitDeadline"] > assignment["commitDeadline"]
    assert (again["seedDigest"], again["parent"], again["round"]) == (
        assignment["seedDigest"],
        assignment["parent"],
        1,
    )
    await scene.nodes[0].commit(again, make_payload(0))


async def test_absent_node_is_not_waited_for(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=3, commit_seconds=300)
    assignment = await get_assignment(scene)
    for at, node in enumerate(scene.nodes[:2]):
        await node.commit(assignment, make_payload(at))
    await house.look()
    with house.context.database.read() as session:
        assert session.exec(select(RoundRow)).one().state == "committing"
    house.clock.advance(house.context.settings.presence_seconds + 1)
    await house.look()
    with house.context.database.read() as session:
        assert session.exec(select(RoundRow)).one().state == "revealing"


@pytest.mark.parametrize("state", ["accepted", "rejected", "closed"])
async def test_job_that_does_not_run_takes_nothing(scene: Scene, state: str) -> None:
    assignment = await get_assignment(scene)
    with scene.house.context.database.write() as session:
        if state == "accepted":
            jobs.mark_unopened(session, scene.job, at=0)
        elif state == "rejected":
            jobs.mark_rejected(session, scene.job, at=0, reason="a test")
        else:
            jobs.mark_closed(session, scene.job, at=0)
    answer = await expect_refusal(scene, scene.nodes[0].sign(assignment, make_payload(0)), 409, "JobNotRunning")
    assert answer["state"] == state
    assert await scene.nodes[0].poll() is None


async def test_receipt_is_about_this_contribution(scene: Scene) -> None:
    body = scene.nodes[0].sign(await get_assignment(scene), make_payload(0))
    response = await send(scene, body)
    receipt = Signed.from_json(Receipt, response.json())
    receipt.verify(DOMAIN, scene.house.context.signer.address)
    assert receipt.statement.contribution == Contribution.from_json(body["statement"]).digest(DOMAIN)
    assert receipt.statement.node == scene.nodes[0].address
