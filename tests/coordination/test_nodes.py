"""Nodes: registrations kept for the relay, presence, telemetry within bounds."""

from typing import Any

import pytest
from sqlmodel import select

from coordinator.nodes import service
from coordinator.nodes.tables import NodeRow, TelemetryRow
from ledger.hexadecimal import to_address, to_hex
from ledger.statements import Registration, Signed
from tests.coordination.conftest import Scene
from tests.coordination.people import DOMAIN, HARDWARE, REGISTRY_DOMAIN, Node
from tests.coordination.premises import House, make_signer


@pytest.fixture
def node(house: House) -> Node:
    return Node(house, make_signer("node"))


def make_body(node: Node, seconds: int = 3_600, operator: bytes = b"\x01" * 20, **options: Any) -> dict[str, Any]:
    statement = Registration(node.address, operator, operator, node.house.context.now + seconds)
    signed = Signed.issue(statement, options.get("domain", REGISTRY_DOMAIN), options.get("signer", node.signer))
    return {"registration": signed.to_json(), "hardware": HARDWARE, "version": "0.1.0"}


async def test_registration_is_kept_for_the_relay(node: Node) -> None:
    first, second = await node.register(), await node.register()
    assert (first.status_code, second.status_code) == (202, 202)
    with node.house.context.database.read() as session:
        pending = service.list_pending(session)
    assert [signed.statement.node for signed in pending] == [node.address]
    pending[0].verify(REGISTRY_DOMAIN, node.address)
    await node.house.admit(node.address, pending[0].statement.operator)
    assert (await node.register()).status_code == 200
    with node.house.context.database.read() as session:
        assert service.list_pending(session) == []


async def test_registration_by_another_key_or_domain_is_refused(node: Node) -> None:
    for options in ({"signer": make_signer("other")}, {"domain": DOMAIN}):
        response = await node.house.client.post("/v1/nodes", json=make_body(node, **options))
        assert (response.status_code, response.json()["error"]) == (422, "WrongSigner")
    with node.house.context.database.read() as session:
        assert session.exec(select(NodeRow)).all() == []


async def test_registration_too_late_to_send_is_refused(node: Node) -> None:
    response = await node.house.client.post("/v1/nodes", json=make_body(node, seconds=10))
    assert (response.status_code, response.json()["error"]) == (422, "RegistrationExpired")


async def test_second_registration_is_refused_while_the_first_stands(node: Node) -> None:
    await node.house.client.post("/v1/nodes", json=make_body(node))
    response = await node.house.client.post("/v1/nodes", json=make_body(node, operator=b"\x02" * 20))
    assert (response.status_code, response.json()["error"]) == (409, "AlreadyRegistered")
    with node.house.context.database.write() as session:
        service.mark_refused(session, node.address, "the contract refused it")
    again = await node.house.client.post("/v1/nodes", json=make_body(node, operator=b"\x02" * 20))
    assert again.status_code == 202


async def test_presence_is_what_was_heard_lately(scene: Scene) -> None:
    path = f"/v1/nodes/{to_address(scene.nodes[0].address)}"
    assert (await scene.requester.get(path))["present"] is True
    scene.house.clock.advance(61)
    assert (await scene.requester.get(path))["present"] is False
    await scene.nodes[0].poll()
    assert (await scene.requester.get(path))["present"] is True


async def test_telemetry_is_bounded(scene: Scene) -> None:
    node = scene.nodes[0]
    path = f"/v1/nodes/{to_address(node.address)}/telemetry"
    measured = {"job": to_hex(scene.job), "round": 1, "phase": "train", "seconds": 1.5}
    limit = scene.house.context.settings.telemetry_per_round
    body = {"measurements": [measured] * (limit // 2)}
    for _ in range(2):
        assert (await node.send("POST", path, json=body)).status_code == 204
    one, later = {"measurements": [measured]}, {**measured, "round": 2}
    assert (await node.send("POST", path, json=one)).json()["error"] == "TelemetryFull"
    # All of a report or nothing of it.
    mixed = {"measurements": [later, measured]}
    assert (await node.send("POST", path, json=mixed)).json()["error"] == "TelemetryFull"
    assert (await node.send("POST", path, json={"measurements": []})).status_code == 422
    body = {"measurements": [later]}
    assert (await scene.nodes[1].send("POST", path, json=body)).json()["error"] == "NotThisNode"
    long = {"measurements": [{**later, "lines": ["x" * 301]}]}
    assert (await node.send("POST", path, json=long)).status_code == 422
    scene.house.clock.advance(scene.house.context.settings.telemetry_keep_seconds + 1)
    await node.enter()
    assert (await node.send("POST", path, json=body)).status_code == 204
    with scene.house.context.database.read() as session:
        assert len(session.exec(select(TelemetryRow)).all()) == 1


async def test_node_below_the_stake_or_in_debt_is_not_admitted(scene: Scene) -> None:
    heir = Node(scene.house, make_signer("heir"))
    await heir.join()
    assignment = await heir.poll()
    assert assignment is not None
    with scene.house.context.database.write() as session:
        service.mark_rotated(session, scene.nodes[0].address, heir.address)
    body = scene.nodes[0].sign(assignment, b"payload")
    response = await scene.house.client.post("/v1/contributions", json=body)
    assert (response.status_code, response.json()["error"]) == (403, "NodeNotAdmitted")


async def test_unknown_node_is_said_so(house: House) -> None:
    response = await house.client.get(f"/v1/nodes/{to_address(b'n' * 20)}")
    assert (response.status_code, response.json()["error"]) == (404, "UnknownNode")
