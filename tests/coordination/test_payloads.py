"""Payloads: only after the closing, only what opens the commitment, and what is no update is recorded as such."""

import struct

import numpy as np
import pytest
from sqlmodel import select

from coordinator.rounds.tables import ContributionRow, RoundRow
from learning.payload import write_update
from learning.tensors import write_arrays
from ledger.entry import Verdict
from ledger.hexadecimal import to_hex
from tests.coordination.conftest import Scene
from tests.coordination.playing import SIZE, make_payload, verify_round

LONG_HEADER = (1 << 40).to_bytes(8, "little") + b"{}"

MALFORMED = {
    "empty": b"",
    "truncated": make_payload(1)[:-1],
    "longer": make_payload(1) + b"\0",
    "pickled": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01K\x02e.",
    "wrong shape": write_update(np.zeros(SIZE + 1, np.int16)),
    "wrong type": write_arrays({"update": np.full(SIZE // 4, np.nan)}),
    "wrong name": write_arrays({"uptake": np.zeros(SIZE, np.int16)}),
    "below the least": write_update(np.full(SIZE, -32_768, np.int16)),
    "endless header": LONG_HEADER,
    "json": struct.pack("<Q", 4) + b"null",
}


async def commit_all(scene: Scene, first: bytes) -> bytes:
    """Both nodes commit, the first to this payload; return its contribution's digest."""
    digests = []
    for payload, node in zip((first, make_payload(9)), scene.nodes, strict=True):
        assignment = await node.poll()
        assert assignment is not None
        digests.append((await node.commit(assignment, payload)).contribution)
    return digests[0]


def load(scene: Scene, digest: bytes) -> ContributionRow:
    with scene.house.context.database.read() as session:
        return session.exec(select(ContributionRow).where(ContributionRow.contribution == digest)).one()


async def test_payload_before_the_closing_is_refused(scene: Scene) -> None:
    assignment = await scene.nodes[0].poll()
    assert assignment is not None
    receipt = await scene.nodes[0].commit(assignment, make_payload(0))
    response = await scene.nodes[0].put(receipt.contribution)
    assert (response.status_code, response.json()["error"]) == (409, "NotClosedYet")
    assert load(scene, receipt.contribution).payload is None


async def test_payload_that_does_not_open_changes_nothing_and_may_be_sent_again(scene: Scene) -> None:
    digest = await commit_all(scene, make_payload(0))
    for content, salt in ((make_payload(1), None), (None, bytes(32)), (make_payload(0)[:-3], None)):
        response = await scene.nodes[0].put(digest, content, salt)
        assert (response.status_code, response.json()["error"]) == (422, "NotOpened")
        assert load(scene, digest).payload is None
    assert not any(path.is_file() for path in (scene.house.context.blobs.root / "incoming").iterdir())
    assert (await scene.nodes[0].put(digest)).status_code == 200
    assert load(scene, digest).state == "revealed"


async def test_repeated_payload_is_answered_the_same(scene: Scene) -> None:
    digest = await commit_all(scene, make_payload(0))
    first, second = await scene.nodes[0].put(digest), await scene.nodes[0].put(digest)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    with scene.house.context.database.read() as session:
        assert session.exec(select(RoundRow)).one().revealed == 1


async def test_oversized_payload_is_refused_unread(scene: Scene) -> None:
    digest = await commit_all(scene, make_payload(0))
    response = await scene.nodes[0].put(digest, bytes(100_000))
    assert (response.status_code, response.json()["error"]) == (413, "BlobTooLarge")
    assert response.json()["maxBytes"] < 100_000
    assert load(scene, digest).payload is None


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed_payload_is_recorded_and_said_so(scene: Scene, kind: str) -> None:
    digest = await commit_all(scene, MALFORMED[kind])
    response = await scene.nodes[0].put(digest)
    assert (response.status_code, response.json()["error"]) == (422, "MalformedPayload"), response.text
    assert response.json()["recorded"] is True
    row = load(scene, digest)
    assert row.state == "revealed"
    assert row.malformed


async def test_malformed_payload_gets_verdict_3(scene: Scene) -> None:
    digest = await commit_all(scene, MALFORMED["pickled"])
    await scene.nodes[0].put(digest)
    assignment = await scene.nodes[1].poll()
    assert assignment is not None
    await scene.nodes[1].reveal(assignment)
    await scene.house.look()
    verdicts = {entry.node: entry.body.verdict for entry in await verify_round(scene, 1)}
    assert verdicts[scene.nodes[0].address] == Verdict.MALFORMED


async def test_payload_after_the_reveal_phase_is_refused(scene: Scene) -> None:
    digest = await commit_all(scene, make_payload(0))
    scene.house.clock.advance(scene.spec.reveal_seconds)
    await scene.house.look()
    response = await scene.nodes[0].put(digest)
    assert (response.status_code, response.json()["error"]) == (409, "RevealClosed")


async def test_payload_of_an_unknown_contribution_is_refused(scene: Scene) -> None:
    headers = {"Tallystick-Salt": "0x" + "00" * 32, "Tallystick-Vector-Commitment": "0x" + "00" * 32}
    path = f"/v1/contributions/{to_hex(b'x' * 32)}/payload"
    response = await scene.house.client.put(path, content=b"", headers=headers)
    assert (response.status_code, response.json()["error"]) == (404, "UnknownContribution")


async def test_payload_without_its_headers_is_refused(scene: Scene) -> None:
    digest = await commit_all(scene, make_payload(0))
    response = await scene.house.client.put(f"/v1/contributions/{to_hex(digest)}/payload", content=make_payload(0))
    assert (response.status_code, response.json()["error"]) == (422, "MalformedRequest")
    assert "tallystick-salt" in response.json()["detail"].lower()
