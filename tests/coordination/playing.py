"""Playing rounds over HTTP: all commit and reveal; and what a finished round must hold, rebuilt from its evidence."""

import asyncio

import numpy as np

from learning.payload import write_update
from ledger import canonical, evidence
from ledger.commitment import compute_beacon, compute_seed_digest, extend_accumulator, start_accumulator
from ledger.entry import Entry
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex
from ledger.statements import RoundHeader, Signed
from ledger.tree import load_dump
from tests.coordination.conftest import Scene
from tests.coordination.people import DOMAIN, Node

SIZE = 85


def make_payload(number: int) -> bytes:
    return write_update(np.random.default_rng(number).integers(-50, 50, SIZE).astype(np.int16))


async def play_round(scene: Scene, payloads: dict[int, bytes | None]) -> None:
    """Everyone commits; those with a payload reveal; then the tally."""
    await asyncio.gather(*(_commit(node, payloads.get(number)) for number, node in enumerate(scene.nodes)))
    for number, node in enumerate(scene.nodes):
        assignment = await node.poll()
        assert assignment is not None
        assert assignment["kind"] == "reveal"
        if payloads.get(number) is not None:
            assert (await node.reveal(assignment)).status_code == 200
    await scene.house.look()


async def _commit(node: Node, payload: bytes | None) -> None:
    assignment = await node.poll()
    assert assignment is not None
    assert assignment["kind"] == "commit"
    await node.commit(assignment, payload or b"never sent")


async def fetch_header(scene: Scene, number: int) -> Signed[RoundHeader]:
    view = await scene.requester.get(f"/v1/rounds/{to_hex(scene.job)}/{number}/header")
    return Signed.from_json(RoundHeader, view["header"])


async def fetch_evidence(scene: Scene, number: int, name: str) -> bytes:
    path = f"/v1/rounds/{to_hex(scene.job)}/{number}/evidence/{name}"
    response = await scene.requester.send("GET", path)
    assert response.status_code == 200, response.text
    return response.content


async def verify_round(scene: Scene, number: int) -> list[Entry]:
    """Rebuild what the header says from the evidence and compare; return the entries."""
    signed = await fetch_header(scene, number)
    signed.verify(DOMAIN, scene.house.context.signer.address)
    header = signed.statement
    content = await fetch_evidence(scene, number, evidence.MANIFEST)
    assert sha256(content) == header.evidence
    files: dict[str, bytes] = {}
    for name, (digest, size) in evidence.Manifest.from_bytes(content).files.items():
        files[name] = await fetch_evidence(scene, number, name)
        assert (sha256(files[name]), len(files[name])) == (digest, size)
    accumulator = start_accumulator(header.job, header.round, header.parent)
    for reported, receipt in zip(
        evidence.decode_contributions(files[evidence.CONTRIBUTIONS]),
        evidence.decode_receipts(files[evidence.RECEIPTS]),
        strict=True,
    ):
        reported.signed.verify(DOMAIN, reported.signed.statement.node)
        assert sha256(canonical.encode(dict(reported.report))) == reported.signed.statement.report
        accumulator = extend_accumulator(accumulator, reported.signed.statement.digest(DOMAIN))
        receipt.verify(DOMAIN, scene.house.context.signer.address)
        assert receipt.statement.accumulator == accumulator
    closing = evidence.decode_closing(files[evidence.CLOSING])
    closing.signed.verify(DOMAIN, scene.house.context.signer.address)
    assert closing.signed.statement.accumulator == accumulator == header.accumulator
    assert compute_seed_digest(closing.seed) == closing.signed.statement.seed_digest
    openings = evidence.decode_openings(files[evidence.OPENINGS])
    beacon = compute_beacon(accumulator, closing.seed, [opening.salt for opening in openings if opening is not None])
    assert header.beacon in (bytes(32), beacon)
    entries = evidence.decode_entries(files[evidence.ENTRIES])
    assert load_dump(canonical.decode(files[evidence.TREE]), header.count).root == header.entries_root
    assert (entries[-1].body.running_reward, entries[-1].body.running_score) == (
        header.total_reward,
        header.total_score,
    )
    return entries
