"""What a requester sees of nodes: sums and lines that follow from public entries, and nothing else."""

import pytest

from client import calls
from client.call import Answer
from coordinator.rounds import service as rounds
from ledger import evidence, wire
from ledger.entry import Verdict
from ledger.hexadecimal import to_address, to_hex
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.playing import fetch_evidence, make_payload, play_round
from tests.coordination.premises import House


async def play(house: House, course: Course) -> Scene:
    """Two rounds of three nodes; the third sends a copy in round 1 and never reveals in round 2."""
    scene = await set_scene(house, course, nodes=3, rounds=2)
    await play_round(scene, {0: make_payload(0), 1: make_payload(1), 2: make_payload(1)})
    await play_round(scene, {0: make_payload(3), 1: make_payload(4), 2: None})
    house.clock.advance(scene.spec.reveal_seconds)
    await house.look()
    await house.look()
    return scene


async def fetch_history(scene: Scene, place: int, query: str = "") -> wire.NodeHistory:
    path = f"/v1/nodes/{to_address(scene.nodes[place].address)}/history{query}"
    return wire.NodeHistory.model_validate((await scene.house.client.get(path)).json())


async def test_history_is_the_entries_and_nothing_else(house: House, course: Course) -> None:
    scene = await play(house, course)
    entries = {}
    for number in (1, 2):
        for entry in evidence.decode_entries(await fetch_evidence(scene, number, evidence.ENTRIES)):
            entries[number, entry.node] = entry
    for place, node in enumerate(scene.nodes):
        (job,) = (await fetch_history(scene, place)).jobs
        assert [line.round for line in job.rounds] == [1, 2]
        for line in job.rounds:
            entry = entries[line.round, node.address]
            told = (line.seq, line.weight, line.score, line.credit, line.gain, line.reward, line.earned)
            body = entry.body
            assert told == (
                entry.seq, body.weight, body.score, body.credit, body.gain, body.reward, entry.earned
            )  # fmt: skip
            assert line.verdict == Verdict(entry.body.verdict).name.lower()
        assert (job.first_round, job.last_round, job.reward) == (1, 2, entries[2, node.address].earned)
        assert job.score == sum(entries[number, node.address].body.score for number in (1, 2))
    copier = (await fetch_history(scene, 2)).jobs[0]
    assert copier.verdicts in ({"duplicate": 1, "unrevealed": 1}, {"accepted": 1, "unrevealed": 1})


@pytest.mark.parametrize("said", ["inf", "-inf", "nan", "1e308", "-1", "1e400", "much"])
async def test_what_is_no_number_in_a_report_breaks_no_list_of_nodes(house: House, course: Course, said: str) -> None:
    scene = await set_scene(house, course, nodes=2, rounds=2)
    for _ in range(2):
        reports = [{"loss": said, "seconds": said}, {"loss": "0.5", "seconds": "2"}]
        for place, (node, report) in enumerate(zip(scene.nodes, reports, strict=True)):
            assignment = await node.poll()
            assert assignment is not None
            await node.commit(assignment, make_payload(place), report)
        for node in scene.nodes:
            assignment = await node.poll()
            assert assignment is not None
            await node.reveal(assignment)
        await house.look()
    content = (await scene.requester.send("GET", f"/v1/jobs/{to_hex(scene.job)}/nodes")).content
    call = calls.job_nodes(scene.job)
    work = {one.node: one for one in call.decode(Answer(200, content))}
    lying, honest = (work[node.address] for node in scene.nodes)
    assert (lying.loss, lying.compute_seconds) == (None, 0.0)
    assert (honest.loss, honest.compute_seconds) == (0.5, 4.0)


async def test_work_of_a_job_sums_the_same_entries(house: House, course: Course) -> None:
    scene = await play(house, course)
    work = {one["node"]: one for one in await scene.requester.get(f"/v1/jobs/{to_hex(scene.job)}/nodes")}
    for place, node in enumerate(scene.nodes):
        (job,) = (await fetch_history(scene, place)).jobs
        one = work[to_address(node.address)]
        assert (one["verdicts"], int(one["score"])) == (dict(job.verdicts), job.score)
        assert (one["firstRound"], one["lastRound"], int(one["earned"])) == (1, 2, job.reward)


async def test_struck_round_is_shown_and_counts_for_nothing(house: House, course: Course) -> None:
    scene = await play(house, course)
    with house.context.database.write() as session:
        rounds.mark_rejected(session, scene.job, 2, at=1, reason="struck")
    (job,) = (await fetch_history(scene, 0)).jobs
    assert [line.state for line in job.rounds] == ["sealed", "rejected"]
    assert (job.first_round, job.last_round, sum(job.verdicts.values())) == (1, 1, 1)


async def test_lines_are_limited_and_sums_are_not(house: House, course: Course) -> None:
    scene = await play(house, course)
    (job,) = (await fetch_history(scene, 0, f"?job={to_hex(scene.job)}&limit=1")).jobs
    assert [line.round for line in job.rounds] == [2]
    assert sum(job.verdicts.values()) == 2
    assert (await fetch_history(scene, 0, f"?job=0x{'77' * 32}")).jobs == []
    stranger = await house.client.get(f"/v1/nodes/0x{'12' * 20}/history")
    assert (stranger.status_code, stranger.json()["jobs"]) == (200, [])
