"""What runs by itself outlives what passes: a database that refuses, a disk that is full."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from coordinator.running.edge_duties import keep
from tests.coordination.conftest import Scene
from tests.coordination.playing import make_payload
from tests.coordination.premises import House, Premises

PATIENCE_SECONDS = 30


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 -- nothing rings for this
            await asyncio.sleep(0.02)


def execute(house: House, statement: str) -> None:
    with house.context.database.write() as session:
        session.connection().execute(text(statement))


async def test_duty_that_fails_or_ends_is_begun_again() -> None:
    begun = 0

    async def run() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise OSError(28, "no space left on device")
        if begun == 3:
            await asyncio.Event().wait()

    task = asyncio.create_task(keep("test", run))
    await wait_until(lambda: begun == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_worker_outlives_a_database_that_refuses_its_lease(premises: Premises) -> None:
    premises.options = {"lease_seconds": 2}
    async with premises.open(worker=True) as house:
        worker = house.worker
        assert worker is not None
        await wait_until(lambda: worker.holds_lease)
        execute(house, "ALTER TABLE leases RENAME TO hidden")
        await wait_until(lambda: not worker.holds_lease)
        execute(house, "ALTER TABLE hidden RENAME TO leases")
        await wait_until(lambda: worker.holds_lease)


async def test_tally_whose_files_cannot_be_kept_is_tried_again(scene: Scene) -> None:
    for number, node in enumerate(scene.nodes):
        assignment = await node.poll()
        assert assignment is not None
        await node.commit(assignment, make_payload(number))
    for node in scene.nodes:
        assignment = await node.poll()
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    incoming = scene.house.context.blobs.root / "incoming"
    incoming.rename(incoming.with_name("gone"))
    # A file: a folder that is only missing would be made again.
    incoming.touch()
    with capture_logs() as told:
        tallying = asyncio.create_task(scene.house.look())
        await wait_until(lambda: any(line["event"] == "tally_failed" for line in told))
    assert not tallying.done()
    incoming.unlink()
    incoming.with_name("gone").rename(incoming)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await tallying
    view = await scene.requester.get(f"/v1/rounds/0x{scene.job.hex()}/1")
    assert (view["state"], view["accepted"]) == ("sealed", 2)
