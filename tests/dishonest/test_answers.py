"""A coordinator answers demands by itself: every seq, padding too, once, through crashes and reorganisations."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlmodel import select

from client.wallet import encrypt_secret, save_keystore
from contracts.amounts import format_amount
from contracts.challenges import CourtCalls, PostedJob
from contracts.court_events import DemandAnswered, EntryDemanded, PaddingShown
from contracts.errors import ChainUnreachable
from contracts.refusals import TransactionReverted
from contracts.sender import Sender
from contracts.transactions import SignedTransaction
from coordinator import funds
from coordinator.rounds import service as rounds
from coordinator.settings import load_settings
from coordinator.settlement.tables import DemandRow, TransactionRow
from tests.dishonest.coordinator import publish_lie
from tests.dishonest.lies import LIES
from tests.dishonest.stage import AUDITOR, COORDINATOR, NODES, WINDOW, Scene, Stage
from tests.dishonest.watching import Auditor

WIDTH = 4
BOND = 10**17


def demand(scene: Scene, seq: int, number: int = 2) -> None:
    gateway = scene.gateway
    posted = gateway.fetch_posted_rounds(scene.stage.job)
    job = PostedJob(scene.stage.terms, {event.round: event.anchor for event in posted})
    calls = CourtCalls(gateway.deployment, gateway.execution.interfaces)
    scene.stage.sender(gateway, AUDITOR).execute(calls.demand(job, number, seq, BOND))


def list_answers(scene: Scene) -> list[int]:
    head = scene.gateway.fetch_head().number
    kinds = (DemandAnswered, PaddingShown)
    events = scene.gateway.fetch_events(scene.stage.deployment.block, head, kinds, scene.stage.job)
    return sorted(event.seq for event in events if isinstance(event, DemandAnswered | PaddingShown))


def list_demands(scene: Scene) -> list[tuple[int, str]]:
    with scene.house.context.database.read() as session:
        return sorted((row.seq, row.state) for row in session.exec(select(DemandRow)).all())


def count_answering(scene: Scene) -> int:
    with scene.house.context.database.read() as session:
        rows = session.exec(select(TransactionRow)).all()
        return sum(row.subject.startswith("answer:") for row in rows)


async def test_every_demand_is_answered(scene: Scene, auditor: Auditor) -> None:
    await scene.settle(3)
    for seq in range(WIDTH):
        demand(scene, seq)
    await scene.settle(4)
    assert list_answers(scene) == list(range(WIDTH))
    assert list_demands(scene) == [(seq, "answered") for seq in range(WIDTH)]
    assert scene.gateway.fetch_coin(scene.stage.signer(COORDINATOR).address) == WIDTH * BOND
    await scene.settle(2)
    assert count_answering(scene) == WIDTH
    assert await auditor.watch() == 0


async def test_bonds_of_answered_demands_are_collected_while_the_worker_is_stopped(stage: Stage) -> None:
    async with stage.open() as scene:
        await scene.settle(3)
        demand(scene, 0)
        await scene.settle(3)
    settings = load_settings(
        dev=True, data_dir=stage.folder, deployment=stage.folder / "deployment.json", rpc_url=stage.chain.url
    )
    passphrase = "a passphrase of tests"
    secret = stage.chain.chain.accounts[COORDINATOR].private_key
    save_keystore(stage.folder / "coordinator.keystore.json", encrypt_secret(secret, passphrase, 1_024))
    settings = settings.model_copy(update={"passphrase": SecretStr(passphrase)})
    shown = funds.show(settings)
    assert (shown["bonds"], funds.describe(shown)["bonds"]) == (str(BOND), format_amount(BOND))
    collected = funds.collect(settings)
    assert (collected["collected"], collected["bonds"]) == (str(BOND), "0")
    with pytest.raises(funds.NothingToCollect):
        funds.collect(settings)


async def test_what_the_court_was_shown_fits_what_was_handed_out(scene: Scene) -> None:
    await scene.settle(3)
    demand(scene, 1)
    await scene.settle(3)
    head = scene.gateway.fetch_head().number
    (event,) = scene.gateway.fetch_events(scene.stage.deployment.block, head, (DemandAnswered,), scene.stage.job)
    assert isinstance(event, DemandAnswered)
    assert event.shown.receipt == scene.stage.receipts[1]
    assert event.shown.entry.entry.seq == 1
    assert event.shown_previous is not None
    assert (event.shown_previous.round, event.shown_previous.entry.node) == (1, event.shown.entry.entry.node)


async def test_demand_that_comes_with_the_anchor_is_answered_too(scene: Scene) -> None:
    """Both events are in one look: the round is anchored before the demand is answered."""
    await scene.settle(1)
    posted = scene.gateway.fetch_job(scene.stage.job)
    assert posted is not None
    assert posted.posted == 2
    demand(scene, 0)
    await scene.settle(3)
    assert list_answers(scene) == [0]


async def test_answer_that_was_kept_and_not_sent_is_sent_after_a_restart(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.open() as scene:
        await scene.settle(3)
        demand(scene, 2)
        with monkeypatch.context() as patch:
            patch.setattr(Sender, "broadcast", lose)
            assert not await asyncio.to_thread(scene.settlement.look)
        assert count_answering(scene) == 1
        assert list_answers(scene) == []
    async with stage.open() as scene:
        await scene.settle(3)
        assert list_answers(scene) == [2]
        assert count_answering(scene) == 1


async def test_answer_whose_reply_was_lost_is_not_repeated(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    broadcast = Sender.broadcast

    def send_and_lose(sender: Sender, transaction: SignedTransaction) -> None:
        broadcast(sender, transaction)
        lose(sender, transaction)

    async with stage.open() as scene:
        await scene.settle(3)
        demand(scene, 2)
        with monkeypatch.context() as patch:
            patch.setattr(Sender, "broadcast", send_and_lose)
            assert not await asyncio.to_thread(scene.settlement.look)
    async with stage.open() as scene:
        await scene.settle(3)
        assert list_answers(scene) == [2]
        assert count_answering(scene) == 1


async def test_fork_that_takes_an_answer_back_brings_it_again(scene: Scene) -> None:
    await scene.settle(3)
    demand(scene, 0)
    before = scene.stage.chain.save()
    await scene.settle(3)
    assert list_demands(scene) == [(0, "answered")]
    scene.stage.chain.restore(before)
    scene.stage.chain.mine(3)
    await scene.settle(4)
    assert list_answers(scene) == [0]
    assert list_demands(scene) == [(0, "answered")]


async def test_fork_that_takes_a_demand_back_leaves_nothing_to_answer(scene: Scene) -> None:
    await scene.settle(3)
    before = scene.stage.chain.save()
    demand(scene, 0)
    demand(scene, 3)
    await scene.settle(1)
    scene.stage.chain.restore(before)
    scene.stage.chain.mine(5)
    await scene.settle(2)
    assert list_demands(scene) == []


async def test_demand_answered_by_somebody_else_is_not_answered_again(scene: Scene) -> None:
    await scene.settle(3)
    demand(scene, 3)
    with scene.house.context.database.read() as session:
        proof = rounds.load_proof(session, rounds.load_round(session, scene.stage.job, 2), 3)
    posted = scene.gateway.fetch_posted_round(scene.stage.job, 2)
    assert posted is not None
    job = PostedJob(scene.stage.terms, {2: posted.anchor})
    calls = CourtCalls(scene.gateway.deployment, scene.gateway.execution.interfaces)
    scene.stage.sender(scene.gateway, AUDITOR).execute(calls.answer_padding(job, 2, 3, proof))
    await scene.settle(2)
    assert list_demands(scene) == [(3, "answered")]
    assert count_answering(scene) == 0


async def test_demand_past_its_time_costs_no_gas(scene: Scene) -> None:
    await scene.settle(3)
    demand(scene, 0)
    scene.pass_time(2 * WINDOW // 3)
    await scene.settle(2)
    assert list_demands(scene) == [(0, "waiting")]
    assert count_answering(scene) == 0


async def test_evidence_kept_back_from_the_api_and_shown_in_court_is_no_fault(scene: Scene, auditor: Auditor) -> None:
    publish_lie(scene, next(lie for lie in LIES if lie.name == "keep back"), 0)
    scene.pass_time(WINDOW // 6)
    assert await auditor.watch() == 3
    assert len(auditor.find("demand_sent")) == WIDTH
    await scene.settle(4)
    assert list_answers(scene) == list(range(WIDTH))
    scene.pass_time(WINDOW)
    # The rest of the evidence is still missing: unknown, not false.
    assert await auditor.watch() == 3
    assert auditor.find("fault") == []
    head = scene.gateway.fetch_head().number
    events = scene.gateway.fetch_events(scene.stage.deployment.block, head, (EntryDemanded,), scene.stage.job)
    assert len(events) == WIDTH > NODES


async def test_demand_of_a_seq_that_no_leaf_has_is_refused(scene: Scene) -> None:
    await scene.settle(3)
    with pytest.raises(TransactionReverted, match="SeqOutOfRange"):
        demand(scene, WIDTH)


def lose(_sender: Sender, _transaction: SignedTransaction) -> None:
    raise ChainUnreachable("http://127.0.0.1:1", "no answer", 1)
