"""The final model of an ended job is registered with a card whose figures are the job's."""

from coordinator.models.registrar import Registrar
from ledger.hexadecimal import to_address, to_hex
from tests.coordination.conftest import set_scene
from tests.coordination.learning import Course
from tests.coordination.playing import make_payload
from tests.coordination.premises import URL, House


async def test_ended_job_has_a_model_with_its_card(house: House, course: Course) -> None:
    scene = await set_scene(house, course, rounds=1)
    for number, node in enumerate(scene.nodes):
        assignment = await node.poll()
        assert assignment is not None
        await node.commit(assignment, make_payload(number))
    for node in scene.nodes:
        assignment = await node.poll()
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    await house.look()
    assert (await house.client.get("/v1/models")).json() == []
    await Registrar(house.context).look()

    (listed,) = (await house.client.get("/v1/models")).json()
    view = (await house.client.get(f"/v1/models/{listed['model'].removeprefix('0x')}")).json()
    header = (await house.client.get(f"/v1/rounds/{to_hex(scene.job)}/1/header")).json()["header"]["statement"]
    card = view["card"]
    assert view["model"] == header["nextModel"]
    assert f"- SHA-256 `{header['nextModel'].removeprefix('0x')}`, after 1 rounds" in card
    assert f"- {header['totalReward']} of {scene.terms.budget_per_round} base units of" in card
    assert f"token {to_address(scene.terms.token)}" in card
    assert "- 2 nodes with 200 samples in all" in card
    assert f"`tally audit verify {to_hex(scene.job)} --coordinator {URL}`" in card
