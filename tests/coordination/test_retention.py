"""Payloads are kept until finality and the spec's retention, and no longer; what another round needs stays."""

import numpy as np

from coordinator.rounds.retention import remove_expired
from coordinator.rounds.service import mark_anchored, mark_final
from learning.payload import write_update
from ledger.hashing import sha256
from ledger.spec import Screening
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.playing import SIZE, make_payload
from tests.coordination.premises import House

IDLE = write_update(np.zeros(SIZE, np.int16))


async def play(scene: Scene, *payloads: bytes) -> None:
    for node, payload in zip(scene.nodes, payloads, strict=True):
        assignment = await node.poll()
        assert assignment is not None
        await node.commit(assignment, payload)
    for node in scene.nodes:
        assignment = await node.poll()
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    await scene.house.look()


async def finish(scene: Scene, number: int) -> None:
    database, now = scene.house.context.database, scene.house.context.now
    await database.run_write(mark_anchored, scene.job, number, final_at=now, transaction=bytes(32), block=1)
    await database.run_write(mark_final, scene.job, number)


async def test_payloads_stay_as_long_as_a_later_round_is_compared_with_them(house: House, course: Course) -> None:
    """A job of three rounds that refuses near copies of one round before."""
    screening = Screening("0.9", 1, "0")
    scene = await set_scene(house, course, rounds=3, screening=screening)
    context, retention = house.context, scene.spec.retention_seconds
    payloads = [(make_payload(2 * number), make_payload(2 * number + 1)) for number in range(3)]
    gone = []
    for number, (one, other) in enumerate(payloads, start=1):
        for node in scene.nodes:
            await node.enter()
        await house.look()
        await play(scene, one, other)
        await finish(scene, number)
        house.clock.advance(retention + 1)
        gone.append(await remove_expired(context))
    # Round 1 goes when round 2 is over, round 2 and the last one together.
    assert gone == [0, 2, 4]


async def test_payloads_go_after_finality_and_retention(scene: Scene) -> None:
    context, retention = scene.house.context, scene.spec.retention_seconds
    await play(scene, make_payload(0), IDLE)
    scene.house.clock.advance(retention + 1)
    assert await remove_expired(context) == 0, "not final"
    await finish(scene, 1)
    scene.house.clock.advance(retention - 1)
    assert await remove_expired(context) == 0, "within the retention"
    for node in scene.nodes:
        await node.enter()
    await scene.house.look()
    await play(scene, make_payload(1), IDLE)
    scene.house.clock.advance(2)
    assert await remove_expired(context) == 1
    assert not context.blobs.has(sha256(make_payload(0)))
    assert context.blobs.has(sha256(IDLE)), "the second round has it too"
    assert await remove_expired(context) == 0
    await finish(scene, 2)
    scene.house.clock.advance(retention)
    assert await remove_expired(context) == 2
    assert not context.blobs.has(sha256(IDLE))
