"""Near copies over the whole service: refused after a restart as without one, and told to whoever asks."""

from pathlib import Path

import numpy as np

from coordinator.compute.supervisor import ComputeChild
from learning.payload import read_update, write_update
from ledger import evidence
from ledger.entry import Verdict
from ledger.hexadecimal import to_address, to_hex
from ledger.screening import Rule, decode_reasons
from ledger.spec import Screening
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.playing import SIZE, make_payload
from tests.coordination.premises import Premises
from tests.coordination.test_restart import reopen
from tests.coordination.test_retention import play as play_in_order

SCREENING = Screening("0.9", 1, "0")


def copy(payload: bytes) -> bytes:
    copied = read_update(payload, SIZE).copy()
    copied[:3] += 1
    return write_update(copied)


async def play(premises: Premises, course: Course, restarted: bool) -> bytes:
    """Two rounds, the second with a copy of the first's; what is told of the copy, and the account of round 2."""
    async with premises.open() as house:
        scene = await set_scene(house, course, screening=SCREENING)
        await play_in_order(scene, make_payload(0), make_payload(1))
        if not restarted:
            return await _go_on(scene)
    async with reopen(premises) as again:
        return await _go_on(scene.at(again))


async def _go_on(scene: Scene) -> bytes:
    await play_in_order(scene, make_payload(2), copy(make_payload(0)))
    path = f"/v1/rounds/{to_hex(scene.job)}/2/evidence/"
    stranger = scene.house.client
    files = [await stranger.get(path + name) for name in (evidence.SCREENING, evidence.MANIFEST)]
    assert [answer.status_code for answer in files] == [200, 200], "for everyone"
    assert (await stranger.get(path + evidence.ENTRIES)).status_code == 401, "for readers of the evidence"
    first, copier = (to_address(node.address) for node in scene.nodes)
    explained = (await stranger.get(f"/v1/explain/{to_hex(scene.job)}/2/{copier}")).json()
    assert any(f"its cosine with the update of {first}, seq" in line for line in explained["lines"])
    return files[0].content


async def test_near_copy_is_refused_after_a_restart_as_without_one(
    tmp_path: Path, compute: ComputeChild, course: Course
) -> None:
    accounts = []
    for name, restarted in (("one", False), ("other", True)):
        (tmp_path / name).mkdir()
        accounts.append(await play(Premises(tmp_path / name, compute=compute), course, restarted))
    assert accounts[0] == accounts[1]
    reasons = decode_reasons(accounts[0])[1]
    assert [reason.rule for reason in reasons] == [Rule.ACCEPTED, Rule.NEAR_COPY]
    refused = reasons[1]
    assert refused.verdict is Verdict.RECYCLED
    assert refused.original is not None
    assert refused.original.round == 1
    assert np.isclose(float(refused.cosine or 0), 1, atol=0.01)
