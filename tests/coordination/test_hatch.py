"""The hatch: what it serves is what the routes behind it serve, to the byte; what it does not know goes on to them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from coordinator.jobs.agreement import EVIDENCE, PUBLIC
from coordinator.jobs.store import share
from coordinator.rounds.counter import encode_statement
from coordinator.rounds.hatch import Hatch
from ledger import canonical
from ledger.hexadecimal import parse_hex, to_hex
from ledger.statements import Contribution
from tests.coordination.conftest import Scene
from tests.coordination.playing import make_payload

JSON = {"Content-Type": "application/json"}
# The routes take this too, the hatch leaves it to them.
JSON_IN_WORDS = {"Content-Type": "application/json; charset=utf-8"}


class Routes:
    """Stands behind a hatch and notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.reached.append((f"{scope['method']} {scope['path']}", body))
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def routes() -> Routes:
    return Routes()


@pytest.fixture
async def alone(scene: Scene, routes: Routes) -> AsyncIterator[httpx.AsyncClient]:
    """A hatch with nothing of the coordinator behind it."""
    state = State({"context": scene.house.context, "desk": scene.house.desk})
    transport = httpx.ASGITransport(Hatch(routes, state))
    async with httpx.AsyncClient(transport=transport, base_url="http://coordinator.test") as client:
        yield client


async def test_a_round_needs_no_route_but_the_hatch(scene: Scene, alone: httpx.AsyncClient, routes: Routes) -> None:
    scene.house.client = alone
    digests = []
    for number, node in enumerate(scene.nodes):
        assignment = await node.poll()
        assert assignment is not None
        digests.append((await node.commit(assignment, make_payload(number))).contribution)
    for digest, node in zip(digests, scene.nodes, strict=True):
        assert (await node.put(digest)).status_code == 200
    assert await scene.nodes[0].poll() is None
    assert routes.reached == []


async def test_both_ways_answer_the_same(scene: Scene) -> None:
    assignment = await scene.nodes[0].poll()
    assert assignment is not None
    client = scene.house.client
    good = scene.nodes[0].sign(assignment, make_payload(0))
    other = scene.nodes[0].sign(assignment, make_payload(1))
    unsigned = {**good, "signature": scene.nodes[1].sign(assignment, make_payload(0))["signature"]}
    bodies = [json.dumps(body) for body in (good, other, unsigned, {**good, "report": {}}, {}, [good])]
    for body in (*bodies, "", "{", "[" * 100_000, '"' + "x" * 2**20 + '"'):
        quick = await client.post("/v1/contributions", content=body, headers=JSON)
        slow = await client.post("/v1/contributions", content=body, headers=JSON_IN_WORDS)
        assert (quick.status_code, quick.json()) == (slow.status_code, slow.json())
        assert quick.headers["content-type"] == slow.headers["content-type"]
    answers = [
        await client.get(f"/v1/assignments?wait={wait}", headers={"Authorization": f"Bearer {scene.nodes[1].token}"})
        for wait in ("0", "0.0")
    ]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("headers", [JSON, JSON_IN_WORDS], ids=["hatch", "route"])
@pytest.mark.parametrize("said", [{"n" * 65: ""}, {"loss": "1" * 257}, {str(one): "" for one in range(13)}])
async def test_report_that_is_too_long_is_refused_before_any_receipt(
    scene: Scene, said: dict[str, str], headers: dict[str, str]
) -> None:
    assignment = await scene.nodes[0].poll()
    assert assignment is not None
    body = json.dumps(scene.nodes[0].sign(assignment, make_payload(0), said))
    refused = await scene.house.client.post("/v1/contributions", content=body, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (422, "MalformedRequest")
    assert "report" in refused.json()["detail"]
    assert "at most" in refused.json()["detail"]
    longest = {"n" * 64: "1" * 256} | {str(one): "" for one in range(11)}
    body = json.dumps(scene.nodes[0].sign(assignment, make_payload(0), longest))
    assert (await scene.house.client.post("/v1/contributions", content=body, headers=headers)).status_code == 200


async def test_what_is_not_well_formed_goes_on_as_it_came(
    scene: Scene, alone: httpx.AsyncClient, routes: Routes
) -> None:
    digest = to_hex(b"\1" * 32)
    headers = {"Tallystick-Salt": digest, "Tallystick-Vector-Commitment": digest}
    path = f"/v1/contributions/{digest}/payload"
    await alone.post("/v1/contributions", content=b"{}", headers=JSON)
    await alone.post("/v1/contributions", content=b"x" * (2**20 + 7), headers=JSON)
    await alone.put(path, content=b"payload", headers=headers | {"Tallystick-Salt": digest.upper()})
    await alone.put(path, content=b"payload", headers={"Tallystick-Salt": digest})
    await alone.get("/v1/assignments?wait=1")
    await alone.get("/v1/assignments?wait=1", headers={"Authorization": "Bearer nobody's"})
    await alone.get("/v1/assignments", headers={"Authorization": f"Bearer {scene.nodes[0].token}"})
    await alone.get(f"/v1/blobs/{digest[2:]}")
    assert routes.reached == [
        ("POST /v1/contributions", b"{}"),
        ("POST /v1/contributions", b"x" * (2**20 + 7)),
        (f"PUT {path}", b"payload"),
        (f"PUT {path}", b"payload"),
        *[("GET /v1/assignments", b"")] * 3,
        (f"GET /v1/blobs/{digest[2:]}", b""),
    ]


async def test_an_expired_token_opens_nothing(scene: Scene, alone: httpx.AsyncClient, routes: Routes) -> None:
    node = scene.nodes[0]
    headers = {"Authorization": f"Bearer {node.token}"}
    assert (await alone.get("/v1/assignments?wait=0", headers=headers)).status_code == 200
    scene.house.clock.advance(scene.house.context.settings.token_seconds + 1)
    assert (await alone.get("/v1/assignments?wait=0", headers=headers)).status_code == 418
    assert len(routes.reached) == 1


@pytest.mark.parametrize("audience", [PUBLIC, EVIDENCE])
async def test_only_public_files_lie_on_the_shelf(scene: Scene, tmp_path: Path, audience: str) -> None:
    house = scene.house
    (digest,) = house.context.blobs.save(b"a file of this job")
    await house.context.database.run_write(share, [digest], scene.job, audience)
    path = f"/v1/blobs/{digest.hex()}"
    first = await scene.requester.send("GET", path)
    assert (first.status_code, first.content) == (200, b"a file of this job")
    again = await house.client.get(path)
    assert again.status_code == (200 if audience == PUBLIC else 404)
    if audience == PUBLIC:
        assert (again.content, again.headers["cache-control"]) == (first.content, first.headers["cache-control"])
        assert again.headers["content-type"] == first.headers["content-type"]
        part = await house.client.get(path, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, b"file")


async def test_statements_are_kept_as_canonical_json(scene: Scene) -> None:
    assignment = await scene.nodes[0].poll()
    assert assignment is not None
    statement = Contribution.from_json(scene.nodes[0].sign(assignment, make_payload(0))["statement"])
    assert encode_statement(statement) == canonical.encode(statement.to_json())
    assert statement.job == parse_hex(assignment["job"])
