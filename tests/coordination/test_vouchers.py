"""Jobs that weigh by vouched samples, over HTTP: what is not vouched for gets no receipt, what is weighs by it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client.auditor.checks import ALL_CHECKS
from ledger import evidence
from ledger.entry import SCORE_BITS
from ledger.hexadecimal import parse_hex, to_hex
from ledger.spec import Staleness, Vouchers
from ledger.statements import Contribution, Signed, Voucher
from ledger.verify.results import Outcome
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.people import DOMAIN, Node
from tests.coordination.playing import fetch_evidence, fetch_header, make_payload, play_round, verify_round
from tests.coordination.premises import House, Premises, make_signer
from tests.coordination.serving import serve
from tests.coordination.test_audit import make_facts, run
from tests.coordination.test_contributions import expect_refusal, get_assignment, send
from tests.coordination.test_restart import reopen
from tests.simulated.audit import find

PLATFORM = make_signer("the platform")
RULE: dict[str, Any] = {"weight_rule": "vouched-samples", "vouchers": Vouchers(PLATFORM.address, 100)}
HOLDINGS = [(2, 150), (1, 400), (3, 30)]
WEIGHTS = [150, 100, 30]


async def set_vouched_scene(house: House, course: Course, nodes: int = 2, **options: Any) -> Scene:
    scene = await set_scene(house, course, nodes=nodes, **RULE, **options)
    for node, holds in zip(scene.nodes, HOLDINGS, strict=False):
        node.platform, node.holds = PLATFORM, holds
    return scene


@pytest.fixture
async def vouched(house: House, course: Course) -> Scene:
    return await set_vouched_scene(house, course)


def get_voucher(scene: Scene, assignment: dict[str, Any], node: int = 0, **changes: Any) -> Signed[Voucher]:
    voucher = scene.nodes[node].get_voucher(assignment, **changes)
    assert voucher is not None
    return voucher


async def test_vouched_contribution_gets_a_receipt_and_is_kept_with_its_voucher(vouched: Scene) -> None:
    body = vouched.nodes[0].sign(await get_assignment(vouched), make_payload(0))
    first, again = await send(vouched, body), await send(vouched, body)
    assert (first.status_code, first.content) == (200, again.content)


Lie = Callable[[Scene, dict[str, Any]], dict[str, Any]]


def send_none(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    scene.nodes[0].platform = None
    return scene.nodes[0].sign(assignment, make_payload(0))


def leave_it_out_at_the_end(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    return scene.nodes[0].sign(assignment, make_payload(0)) | {"voucher": None}


def ask_another_platform(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    scene.nodes[0].platform = make_signer("another platform")
    return scene.nodes[0].sign(assignment, make_payload(0))


def sign_it_oneself(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    scene.nodes[0].platform = scene.nodes[0].signer
    return scene.nodes[0].sign(assignment, make_payload(0))


def use_another_nodes(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    return scene.nodes[0].sign(assignment, make_payload(0), voucher=get_voucher(scene, assignment, 1))


def replay_another_rounds(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    voucher = get_voucher(scene, assignment, round=assignment["round"] + 1)
    return scene.nodes[0].sign(assignment, make_payload(0), voucher=voucher)


def use_another_jobs(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    return scene.nodes[0].sign(assignment, make_payload(0), voucher=get_voucher(scene, assignment, job=b"\5" * 32))


def swap_it_after_signing(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    body = scene.nodes[0].sign(assignment, make_payload(0))
    return body | {"voucher": get_voucher(scene, assignment, viewers=50).to_json()}


def state_more_samples(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    return scene.nodes[0].sign(assignment, make_payload(0), samples=151)


def be_vouched_nothing(scene: Scene, assignment: dict[str, Any]) -> dict[str, Any]:
    return scene.nodes[0].sign(assignment, make_payload(0), voucher=get_voucher(scene, assignment, viewers=0))


LIES: list[tuple[Lie, str]] = [
    (send_none, "voucher"),
    (leave_it_out_at_the_end, "voucher"),
    (ask_another_platform, "voucher.signature"),
    (sign_it_oneself, "voucher.signature"),
    (use_another_nodes, "voucher.node"),
    (replay_another_rounds, "voucher.round"),
    (use_another_jobs, "voucher.job"),
    (swap_it_after_signing, "report.voucher"),
    (state_more_samples, "voucher.samples"),
    (be_vouched_nothing, "voucher.weight"),
]


@pytest.mark.parametrize(("lie", "field"), LIES, ids=[lie.__name__ for lie, _ in LIES])
async def test_what_is_not_vouched_for_gets_no_receipt(vouched: Scene, lie: Lie, field: str) -> None:
    body = lie(vouched, await get_assignment(vouched))
    answer = await expect_refusal(vouched, body, 422, "WrongVoucher")
    assert (answer["field"], "ask the job's platform" in answer["detail"]) == (field, True)
    # The same by the route behind the hatch.
    headers = {"Content-Type": "application/json; charset=utf-8"}
    slow = await vouched.house.client.post("/v1/contributions", content=json.dumps(body), headers=headers)
    assert (slow.status_code, slow.json()) == (422, answer)
    # The node is not marked by it: with the right voucher it is let in.
    vouched.nodes[0].platform = PLATFORM
    right = vouched.nodes[0].sign(await get_assignment(vouched), make_payload(0))
    assert (await send(vouched, right)).status_code == 200


async def test_weight_that_could_not_be_summed_gets_no_receipt(house: House, course: Course) -> None:
    """A platform's slip must not stop a round: the limit is for a full cohort of such nodes."""
    scene = await set_vouched_scene(house, course, maximum=1_000_000, staleness=Staleness(1, "0.5"))
    assignment = await get_assignment(scene)
    voucher = get_voucher(scene, assignment, viewers=2**52, samples=200_000)
    report = {"age": "0", "trainedFrom": assignment["baseModel"]}
    body = scene.nodes[0].sign(assignment, make_payload(0), report, voucher)
    answer = await expect_refusal(scene, body, 422, "WrongVoucher")
    assert answer["field"] == "voucher.weight"


async def test_vouched_samples_are_bounded_by_the_protocol_alone(vouched: Scene) -> None:
    """A node that has trained must not be refused for a bound that neither it nor an auditor knows of."""
    assignment = await get_assignment(vouched)
    many = vouched.house.context.settings.max_samples + 1
    body = vouched.nodes[0].sign(assignment, make_payload(0), voucher=get_voucher(vouched, assignment, samples=many))
    assert (await send(vouched, body)).status_code == 200


async def test_voucher_in_a_job_that_weighs_all_alike_is_refused(scene: Scene) -> None:
    scene.nodes[0].platform = PLATFORM
    answer = await expect_refusal(
        scene, scene.nodes[0].sign(await get_assignment(scene), make_payload(0)), 422, "WrongVoucher"
    )
    assert answer["field"] == "voucher"


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no signature": lambda voucher: voucher.pop("signature"),
    "one more member": lambda voucher: voucher.update(extra=1),
    "number as text": lambda voucher: voucher["statement"].update(samples="150"),
    "float": lambda voucher: voucher["statement"].update(viewers=2.0),
    "unsafe integer": lambda voucher: voucher["statement"].update(round=2**53),
    "signature of zeros": lambda voucher: voucher.update(signature="0x" + "00" * 65),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_voucher_of_another_form_is_refused(vouched: Scene, change: str) -> None:
    body = vouched.nodes[0].sign(await get_assignment(vouched), make_payload(0))
    CHANGES[change](body["voucher"])
    response = await send(vouched, body)
    assert response.status_code == 422
    assert response.json()["error"].startswith("Malformed")


async def test_rounds_weigh_by_vouchers_and_the_evidence_holds_them(house: House, course: Course) -> None:
    scene = await set_vouched_scene(house, course, nodes=3, rounds=1, minimum=3)
    await play_round(scene, {number: make_payload(number) for number in range(3)})
    entries = {entry.node: entry.body for entry in await verify_round(scene, 1)}
    bodies = [entries[node.address] for node in scene.nodes]
    assert [body.weight for body in bodies] == WEIGHTS
    assert [body.score for body in bodies] == [weight << SCORE_BITS for weight in WEIGHTS]
    rewards = [body.reward for body in bodies]
    assert rewards == [10**18 * weight // sum(WEIGHTS) for weight in WEIGHTS]
    items = evidence.decode_contributions(await fetch_evidence(scene, 1, evidence.CONTRIBUTIONS))
    for item in items:
        assert item.voucher is not None
        item.voucher.verify(DOMAIN, PLATFORM.address)
        assert item.report["voucher"] == to_hex(item.voucher.statement.digest(DOMAIN))
        assert item.voucher.statement.node == item.signed.statement.node


async def test_scored_job_with_vouchers_passes_the_audit_to_the_bit(house: House, course: Course) -> None:
    scene = await set_vouched_scene(house, course, nodes=3, rounds=2, scored=True, evidence_readers="public")
    for number in (1, 2):
        assignment = await get_assignment(scene)
        base = await scene.requester.send("GET", f"/v1/blobs/{assignment['baseModel'][2:]}")
        payloads: dict[int, bytes | None] = {
            node: course.train(base.content, node, number, assignment["clip"]) for node in range(3)
        }
        await play_round(scene, payloads)
    header = (await fetch_header(scene, 1)).statement
    assert header.total_weight == sum(WEIGHTS)
    facts = await make_facts(scene)
    async with serve(house) as url:
        report = await run(scene, url, facts)
    assert [str(result) for result in report.results if result.outcome is not Outcome.PASS] == []
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


async def test_killed_coordinator_weighs_as_before(tmp_path: Path, premises: Premises, course: Course) -> None:
    """Between receipt and tally the voucher lives in the database alone."""
    async with premises.open() as house:
        scene = await set_vouched_scene(house, course, nodes=2)
        for number, node in enumerate(scene.nodes):
            await node.commit(await get_assignment(scene, number), make_payload(number))
    async with reopen(premises) as again:
        scene = scene.at(again)
        for node in scene.nodes:
            assignment = await node.poll()
            assert assignment is not None
            assert (await node.reveal(assignment)).status_code == 200
        await again.look()
        entries = {entry.node: entry.body.weight for entry in await verify_round(scene, 1)}
    assert [entries[node.address] for node in scene.nodes] == WEIGHTS[:2]


async def test_repetition_with_another_voucher_gets_the_first_receipt(vouched: Scene) -> None:
    """The digest is the contribution's; what stands beside it cannot be changed after the receipt."""
    assignment = await get_assignment(vouched)
    body = vouched.nodes[0].sign(assignment, make_payload(0))
    first = await send(vouched, body)
    swapped = await send(vouched, body | {"voucher": get_voucher(vouched, assignment, viewers=50).to_json()})
    assert swapped.content == first.content
    assert parse_hex(first.json()["statement"]["contribution"]) == Contribution.from_json(body["statement"]).digest(
        DOMAIN
    )


async def test_throwaway_key_without_viewers_cannot_enter(vouched: Scene) -> None:
    """A key that the platform knows nothing of is registered in a minute, and weighs nothing."""
    stranger = Node(vouched.house, make_signer("throwaway"))
    await stranger.join()
    body = stranger.sign(await get_assignment(vouched), make_payload(7))
    await expect_refusal(vouched, body, 422, "WrongVoucher")
    lent = get_voucher(vouched, await get_assignment(vouched))
    borrowed = replace(lent.statement, node=stranger.address)
    forged = Signed.issue(borrowed, DOMAIN, stranger.signer)
    body = stranger.sign(await get_assignment(vouched), make_payload(7), voucher=forged)
    await expect_refusal(vouched, body, 422, "WrongVoucher")
