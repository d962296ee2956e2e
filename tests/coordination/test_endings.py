"""A job whose end was asked for: what was promised is kept, and nothing is promised that the ledger would not take."""

from functools import partial

from sqlmodel import Session

from coordinator.jobs import service as jobs
from coordinator.rounds import phases, store
from tests.coordination.conftest import Scene
from tests.coordination.playing import make_payload
from tests.coordination.premises import House
from tests.coordination.test_contributions import expect_refusal


async def ask_for_end(house: House, scene: Scene) -> None:
    write = partial(jobs.mark_closing, at=house.context.now, closes_at=house.context.now + 10**6)
    await house.context.database.run_write(write, scene.job)


def read_state(house: House, scene: Scene, number: int) -> str | None:
    with house.context.database.read() as session:
        row = store.find_round(session, scene.job, number)
        return None if row is None else row.state


async def test_open_round_without_a_receipt_is_not_prolonged(house: House, scene: Scene) -> None:
    """A requester's own node could wait for the last moment, and take the bond for a round that nobody may post."""
    late = scene.nodes[0]
    assignment = await late.poll()
    assert assignment is not None
    await ask_for_end(house, scene)
    house.clock.advance(scene.spec.commit_seconds + 1)
    await expect_refusal(scene, late.sign(assignment, make_payload(0)), 409, "RoundClosed")
    await house.look()
    assert read_state(house, scene, 1) == "rejected"
    assert await late.poll(0) is None
    listed = await scene.requester.get(f"/v1/jobs/0x{scene.job.hex()}/rounds")
    assert [(one["state"], one["header"]) for one in listed] == [("rejected", None)]


async def test_outage_gives_no_time_for_new_promises(house: House, scene: Scene) -> None:
    assert await scene.nodes[0].poll() is not None
    await ask_for_end(house, scene)

    def extend(session: Session) -> int:
        before = store.find_round(session, scene.job, 1)
        assert before is not None
        deadline = before.commit_deadline
        phases.extend_open(session, 3_600)
        return before.commit_deadline - deadline

    assert await house.context.database.run_write(extend) == 0


async def test_round_with_receipts_goes_on_to_its_tally(house: House, scene: Scene) -> None:
    """Also when time ends its phases: what was promised before the end is kept."""
    assignment = await scene.nodes[0].poll()
    assert assignment is not None
    await scene.nodes[0].commit(assignment, make_payload(0))
    await ask_for_end(house, scene)
    for seconds in (scene.spec.commit_seconds, scene.spec.reveal_seconds):
        house.clock.advance(seconds + 1)
        await house.look()
    await house.look()
    assert read_state(house, scene, 1) == "sealed"
    assert read_state(house, scene, 2) is None
