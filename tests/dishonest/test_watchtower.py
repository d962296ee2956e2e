"""Every lie of a real coordinator on a real chain: found, proven, struck, paid for; and what was final stays so."""

import pytest

from contracts.calls import ClaimItem
from coordinator.rounds import store
from ledger.faults.case import Promises
from ledger.tree import PaddedTree
from tests.dishonest.coordinator import draft_sealed, give_out, publish_lie
from tests.dishonest.lies import LIES, Lie
from tests.dishonest.stage import REQUESTER, TOKEN, WINDOW, Scene
from tests.dishonest.watching import Auditor

PROVABLE = [lie for lie in LIES if lie.faults]


async def expect_struck(scene: Scene, auditor: Auditor) -> None:
    """Round 2 is struck, the bond is cut, the auditor has the bounty, and round 1 still pays to the base unit."""
    job, gateway = scene.stage.job, scene.gateway
    state = gateway.fetch_job(job)
    assert state is not None
    assert (state.halted, state.bond, state.bounty) == (2, 0, 0)
    assert gateway.fetch_funds(auditor.address) == scene.stage.terms.bond // 10
    await scene.settle(3)
    with scene.house.context.database.read() as session:
        states = [row.state for row in store.list_rounds(session, job)]
    assert states[:2] == ["final", "rejected"]
    assert set(states[2:]) <= {"rejected"}
    claim_all(scene)


def claim_all(scene: Scene) -> None:
    job, gateway = scene.stage.job, scene.gateway
    entries = list(draft_sealed(scene, 1).entries)
    tree = PaddedTree([entry.leaf() for entry in entries])
    posted = gateway.fetch_posted_round(job, 1)
    assert posted is not None
    items = [ClaimItem(entry, tree.proof(entry.seq)) for entry in entries]
    call = gateway.calls.claim_many(job, 1, posted.anchor, items)
    scene.stage.sender(gateway, REQUESTER).execute(call)
    paid = {entry.node: gateway.fetch_claimed(job, entry.node) for entry in entries}
    assert paid == {entry.node: entry.earned for entry in entries}
    assert sum(paid.values()) == 3 * TOKEN


@pytest.mark.parametrize("lie", PROVABLE, ids=str)
async def test_lie_is_proven_and_struck(scene: Scene, auditor: Auditor, lie: Lie) -> None:
    draft = publish_lie(scene, lie, 1)
    assert await auditor.watch(draft.told) == 1
    found = {line["fault"] for line in auditor.find("fault")}
    assert found & {fault.KIND.slug for fault in lie.faults}
    assert len(auditor.find("challenge_upheld")) == 1
    await expect_struck(scene, auditor)


async def test_round_that_never_comes_is_proven_by_the_receipt_of_any_node(scene: Scene, auditor: Auditor) -> None:
    told = Promises(receipts=tuple(scene.stage.receipts[:1]))
    assert await auditor.watch(told) == 0
    assert auditor.find("fault") == []
    receipt = scene.stage.receipts[0].statement
    scene.pass_time(receipt.anchor_by - scene.gateway.fetch_head().timestamp + 1)
    assert await auditor.watch(told) == 1
    assert [line["fault"] for line in auditor.find("fault")] == ["round-missing"]
    await expect_struck(scene, auditor)


@pytest.mark.parametrize("lie", [lie for lie in LIES if not lie.faults], ids=str)
async def test_what_is_kept_back_is_demanded_and_its_silence_struck(scene: Scene, auditor: Auditor, lie: Lie) -> None:
    publish_lie(scene, lie, 1)
    await auditor.watch()
    assert auditor.find("demand_sent") == []  # the coordinator may still be handing it out
    scene.pass_time(WINDOW // 6)
    await auditor.watch()
    demanded = [(line["round"], line["seq"]) for line in auditor.find("demand_sent")]
    assert demanded
    scene.pass_time(2 * WINDOW // 3 - WINDOW // 6)
    assert await auditor.watch() == 1
    assert {line["fault"] for line in auditor.find("fault")} == {"demand-unanswered"}
    # Only the demand that struck the round got its bond back by the way; the others are reclaimed.
    await expect_struck(scene, auditor)
    assert [(line["round"], line["seq"]) for line in auditor.find("demand_sent")] == demanded


async def test_evidence_that_comes_late_is_taken_and_nothing_is_demanded(scene: Scene, auditor: Auditor) -> None:
    honest = draft_sealed(scene, 2)
    header, files = honest.publish()
    lie = next(lie for lie in LIES if lie.name == "keep back")
    publish_lie(scene, lie, 0)
    assert await auditor.watch() == 3
    give_out(scene, header, files)
    scene.pass_time(WINDOW // 6)
    assert await auditor.watch() == 0
    assert auditor.find("demand_sent") == []


async def test_honest_coordinator_is_not_accused(scene: Scene, auditor: Auditor) -> None:
    await scene.settle(3)
    told = Promises(receipts=tuple(scene.stage.receipts))
    for seconds in (0, WINDOW // 6, WINDOW // 6, WINDOW // 3, WINDOW):
        scene.pass_time(seconds)
        assert await auditor.watch(told) == 0
    assert [(line["round"], line["outcome"]) for line in auditor.find("round")] == [(1, "pass"), (2, "pass")]
    assert auditor.count_transactions() == 0


async def test_watching_alone_sends_nothing(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, PROVABLE[0], 1)
    auditor.challenge = False
    assert await auditor.watch(Promises(receipts=tuple(scene.stage.receipts))) == 1
    assert auditor.find("fault")
    assert auditor.find("challenge_sent") == []
    state = scene.gateway.fetch_job(scene.stage.job)
    assert state is not None
    assert (state.halted, state.bond) == (0, scene.stage.terms.bond)


async def test_restart_tells_and_sends_nothing_twice(scene: Scene, auditor: Auditor) -> None:
    draft = publish_lie(scene, next(lie for lie in LIES if lie.name == "overpay"), 0)
    assert await auditor.watch(draft.told) == 1
    sent, lines = auditor.count_transactions(), len(auditor.lines)
    assert sent == 2
    for _ in range(2):
        assert await auditor.watch(draft.told) == 1
    assert auditor.count_transactions() == sent
    assert [line["event"] for line in auditor.lines[lines:] if line["event"] != "struck"] == []
