"""Settlement against a real chain: posted in order, never twice, through crashes, lost replies and reorganisations."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from contracts.chain import Chain
from contracts.gateway import Gateway
from contracts.job_events import JobClosed, RoundPosted
from contracts.money_events import Claimed
from contracts.node_events import NodeRegistered
from contracts.rpc import Rpc
from coordinator.nodes.store import find_registry_block
from coordinator.nodes.tables import RegistryBlockRow
from coordinator.settlement import claims
from coordinator.settlement.errors import NotFinalYet, NothingToClaim, RelayLimit
from coordinator.settlement.follower import Follower
from coordinator.settlement.tables import TransactionRow
from ledger import wire
from tests.chain.fixtures import TestChain
from tests.chain.life import NAT, JobLife, Parties, begin, name_node
from tests.chain.provider import run_provider
from tests.chain.settling import Desk

NODES = [name_node(number) for number in range(4)]
PAYOUTS = {node.address: bytes([number + 1]) * 20 for number, node in enumerate(NODES)}
SCORES = {node.address: NAT // (20 + number) for number, node in enumerate(NODES)}


@pytest.fixture
def life(gateway: Gateway, parties: Parties) -> JobLife:
    return begin(gateway, parties, rounds=2)


@pytest.fixture
def desk(tmp_path: Path, gateway: Gateway, life: JobLife) -> Iterator[Desk]:
    desk = Desk.open(tmp_path, life, gateway)
    desk.accept_job()
    for node in NODES:
        desk.hand_in(node, PAYOUTS[node.address])
    yield desk
    desk.close()


def ask(desk: Desk, number: int, node: bytes, limit: int = 9) -> wire.ClaimView:
    request = wire.ClaimRequest(job=desk.life.job, round=number, node=node)
    with desk.context.database.write() as session:
        return claims.build_view(session, claims.ask(session, desk.context, request, limit))


def posted(desk: Desk) -> list[int]:
    events = desk.gateway.fetch_events(desk.gateway.deployment.block, desk.gateway.fetch_head().number, (RoundPosted,))
    return [event.round for event in events if isinstance(event, RoundPosted)]


def finish_windows(dev_chain: TestChain, desk: Desk) -> None:
    final_at = desk.round(len(desk.life.tallies)).final_at
    assert final_at is not None
    dev_chain.move_clock(final_at)
    desk.look()


def test_a_job_settles_to_the_base_unit(dev_chain: TestChain, desk: Desk) -> None:
    desk.look(2)
    assert desk.job().state == "running"
    assert [desk.node(node.address).state for node in NODES] == ["registered"] * len(NODES)

    desk.seal(SCORES)
    desk.seal(dict(list(SCORES.items())[:2]), last=True)
    desk.look(4)
    assert [desk.round(1).state, desk.round(2).state] == ["anchored", "anchored"]
    assert posted(desk) == [1, 2]
    with pytest.raises(NotFinalYet):
        ask(desk, 2, NODES[0].address)

    finish_windows(dev_chain, desk)
    assert [desk.round(1).state, desk.round(2).state] == ["final", "final"]
    asked = [ask(desk, 2 if number < 2 else 1, node.address) for number, node in enumerate(NODES)]
    assert ask(desk, 2, NODES[0].address).claim == asked[0].claim
    desk.look(3)
    for node in NODES:
        assert desk.gateway.fetch_token_balance(PAYOUTS[node.address]) == desk.life.standings[node.address].earned > 0
    with desk.context.database.read() as session:
        views = [claims.build_view(session, claims.load_claim(session, view.claim)) for view in asked]
    assert [view.state for view in views] == ["paid"] * len(NODES)
    with pytest.raises(NothingToClaim):
        ask(desk, 2, NODES[0].address)
    assert desk.job().state == "closed"
    events = desk.gateway.fetch_events(0, desk.gateway.fetch_head().number, (JobClosed,))
    assert len(events) == 1


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_kill_around_sending_posts_exactly_once(dev_chain: TestChain, desk: Desk, lost: str) -> None:
    """Killed with the transaction durable: either the provider never got it, or only its reply was lost."""
    desk.look(2)
    desk.seal(SCORES)
    with run_provider(dev_chain.url) as provider:
        hurt = desk.restart(Gateway(Rpc(provider.url, attempts=1), desk.gateway.deployment))
        if lost == "before":
            provider.fault = lambda request: (500, b"") if request["method"] == "eth_sendRawTransaction" else None
        else:
            provider.lose_replies = {"eth_sendRawTransaction"}
        hurt.look()
        assert posted(desk) == ([] if lost == "before" else [1])
        healed = hurt.restart(desk.gateway)
    healed.look(3)
    assert posted(desk) == [1]
    assert healed.round(1).state == "anchored"
    with healed.context.database.read() as session:
        rows = session.exec(select(TransactionRow).where(TransactionRow.label == "JobLedger.postRound")).all()
    assert len(rows) == 1
    healed.close()


def test_a_reorganisation_brings_back_what_it_took(dev_chain: TestChain, desk: Desk) -> None:
    desk.look(2)
    before = dev_chain.save()
    desk.seal(SCORES)
    desk.look(2)
    first = desk.round(1)
    assert first.state == "anchored"
    dev_chain.restore(before)
    dev_chain.mine(3)
    assert posted(desk) == []
    desk.look(1)
    desk.look(3)
    again = desk.round(1)
    assert again.state == "anchored"
    assert posted(desk) == [1]
    assert again.transaction == first.transaction
    assert again.block != first.block


def test_what_is_mined_is_not_asked_for_again_while_the_chain_only_grows(
    dev_chain: TestChain, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks take long to become final, and many transactions wait for it: a quiet look costs the same for all."""
    genesis = desk.gateway.fetch_block(0)
    monkeypatch.setattr(Chain, "fetch_final_block", lambda _: genesis)
    desk.look(2)
    with run_provider(dev_chain.url) as provider:
        desk = desk.restart(Gateway(Rpc(provider.url), desk.gateway.deployment))

        def count_receipts() -> int:
            before = provider.requests.count("eth_getTransactionReceipt")
            desk.look()
            return provider.requests.count("eth_getTransactionReceipt") - before

        assert count_receipts() == len(NODES)  # a new start knows nothing of the last look
        assert count_receipts() == 0
        before = dev_chain.save()
        dev_chain.mine(2)
        assert count_receipts() == 0
        dev_chain.restore(before)
        dev_chain.pass_time(60)  # empty blocks of the same seconds would be the same blocks again
        dev_chain.mine(2)
        assert count_receipts() == len(NODES)  # the head of the last look is gone
        desk.close()


def test_a_deep_reorganisation_takes_back_registrations(dev_chain: TestChain, desk: Desk) -> None:
    before = dev_chain.save()
    desk.look(4)
    assert desk.node(NODES[0].address).state == "registered"
    dev_chain.restore(before)
    dev_chain.mine(2)
    desk.look(4)
    registered = desk.gateway.fetch_events(0, desk.gateway.fetch_head().number, (NodeRegistered,))
    assert len(registered) == len(NODES)
    assert {desk.node(node.address).state for node in NODES} == {"registered"}


def test_what_is_known_is_as_young_as_the_next_block_or_as_the_last_look(dev_chain: TestChain, desk: Desk) -> None:
    """Rounds wait while it is too old; a chain on which nothing happens keeps nobody waiting."""

    def read() -> RegistryBlockRow:
        with desk.context.database.read() as session:
            known = find_registry_block(session)
            assert known is not None
            return known

    desk.look(4)
    head = desk.gateway.fetch_head()
    later = head.timestamp + 1_000_000
    idle = replace(desk.context, clock=lambda: later)
    assert (read().number, read().next_at) == (head.number, head.timestamp)
    Follower(idle, desk.gateway, 0).advance()
    assert (read().number, read().hash, read().next_at, read().settled) == (head.number, head.hash, later, True)
    dev_chain.mine(5)
    following = desk.gateway.fetch_block(head.number + 4)
    assert following is not None
    follower = Follower(idle, desk.gateway, 2)
    for _ in range(2):
        follower.advance()
        assert (read().number, read().next_at) == (head.number + 3, following.timestamp)


def test_a_reorganisation_takes_back_a_payment(dev_chain: TestChain, desk: Desk) -> None:
    node = NODES[0].address
    desk.look(2)
    desk.seal(SCORES)
    desk.look(2)
    finish_windows(dev_chain, desk)
    before = dev_chain.save()
    claim = ask(desk, 1, node)
    desk.look(2)
    assert desk.gateway.fetch_token_balance(PAYOUTS[node]) > 0
    dev_chain.restore(before)
    dev_chain.mine(3)
    desk.look(3)
    paid = desk.gateway.fetch_events(0, desk.gateway.fetch_head().number, (Claimed,))
    assert len(paid) == 1
    assert desk.gateway.fetch_token_balance(PAYOUTS[node]) == desk.life.standings[node].earned
    with desk.context.database.read() as session:
        assert claims.load_claim(session, claim.claim).state == "paid"


def test_a_registration_that_the_contract_refuses_is_refused_with_its_reason(desk: Desk) -> None:
    late = name_node(77)
    desk.hand_in(late, bytes([9]) * 20, deadline=1)
    desk.look(2)
    row = desk.node(late.address)
    assert row.state == "refused"
    assert "NodeRegistry" in row.detail


def test_the_relay_has_a_daily_limit(dev_chain: TestChain, desk: Desk) -> None:
    desk.look(2)
    desk.seal(SCORES)
    desk.look(2)
    finish_windows(dev_chain, desk)
    with pytest.raises(RelayLimit, match="own gas"):
        ask(desk, 1, NODES[0].address, limit=0)


def test_an_unreachable_chain_is_waited_for(dev_chain: TestChain, desk: Desk) -> None:
    desk.look(2)
    desk.seal(SCORES)
    with run_provider(dev_chain.url) as provider:
        cut = desk.restart(Gateway(Rpc(provider.url, attempts=1), desk.gateway.deployment))
        provider.silent = True
        assert not cut.settlement.look()
        assert cut.round(1).state == "sealed"
        provider.silent = False
        assert cut.settlement.look()
        cut.look(2)
        assert cut.round(1).state == "anchored"
        cut.close()


def test_missing_gas_is_said_where_people_wait_and_forgotten_once_it_is_there(
    dev_chain: TestChain, gateway: Gateway, desk: Desk
) -> None:
    coordinator = "0x" + desk.life.coordinator.address.hex()
    coin = hex(desk.gateway.fetch_balance(desk.life.coordinator.address))
    gateway.rpc.send("anvil_setBalance", coordinator, "0x0")
    desk.look(2)
    assert [desk.node(node.address).state for node in NODES] == ["pending"] * len(NODES)
    details = {desk.node(node.address).detail for node in NODES}
    assert all(detail.startswith("the coordinator cannot pay the gas now: ") for detail in details)
    gateway.rpc.send("anvil_setBalance", coordinator, coin)
    desk = desk.restart()
    desk.look(2)
    assert [(row.state, row.detail) for row in (desk.node(node.address) for node in NODES)] == [("registered", "")] * 4

    desk.seal(SCORES, last=True)
    desk.look(2)
    finish_windows(dev_chain, desk)
    claim = ask(desk, 1, NODES[0].address)
    gateway.rpc.send("anvil_setBalance", coordinator, "0x0")
    desk.look(2)
    with desk.context.database.read() as session:
        waiting = claims.build_view(session, claims.load_claim(session, claim.claim))
    assert waiting.state == "queued"
    assert "cannot pay the gas now" in waiting.detail
    gateway.rpc.send("anvil_setBalance", coordinator, coin)
    desk = desk.restart()
    desk.look(3)
    with desk.context.database.read() as session:
        paid = claims.build_view(session, claims.load_claim(session, claim.claim))
    assert (paid.state, paid.detail) == ("paid", "")
    desk.close()
