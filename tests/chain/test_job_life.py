"""The full life of a job on a chain: opened, posted, claimed, closed, to the base unit."""

import pytest

from contracts.gateway import Gateway
from contracts.job_events import CloseRequested, JobClosed, JobOpened, RoundPosted
from contracts.money_events import BondDeposited, BondReleased, Claimed, ClaimFailed
from contracts.node_events import NodeRegistered
from contracts.refusals import TransactionReverted
from contracts.state import NOT_FINAL, Finality
from tests.chain.fixtures import TestChain
from tests.chain.life import BUDGET, NAT, WINDOW, JobLife, Parties, begin, name_node

NODES = [name_node(number) for number in range(5)]
PAYOUTS = {node.address: bytes([number + 1]) * 20 for number, node in enumerate(NODES)}


@pytest.fixture
def life(gateway: Gateway, parties: Parties) -> JobLife:
    life = begin(gateway, parties)
    for node in NODES:
        life.coordinator.sender.execute(life.register(node, PAYOUTS[node.address]))
    return life


def scores(*values: int) -> dict[bytes, int]:
    return {node.address: value for node, value in zip(NODES, values, strict=False)}


def test_opened_job_is_kept_as_its_terms_say(gateway: Gateway, life: JobLife) -> None:
    state = gateway.fetch_job(life.job)
    assert state is not None
    assert (state.requester, state.coordinator) == (life.requester.address, life.coordinator.address)
    assert (state.rounds, state.window, state.budget_per_round) == (3, WINDOW, BUDGET)
    assert state.finality == Finality.BY_WINDOW
    assert (state.bond, state.posted, state.last_header) == (5 * BUDGET, 0, life.job)
    assert gateway.fetch_account(life.job).free == 3 * BUDGET
    assert gateway.fetch_funds(life.coordinator.address) == 0
    assert gateway.fetch_token_balance(life.requester.address) == 0


def test_two_rounds_claimed_after_the_window_pay_to_the_base_unit(
    dev_chain: TestChain, gateway: Gateway, life: JobLife
) -> None:
    first = life.post(scores(NAT // 20, NAT // 40, 0, -NAT // 100, NAT // 80))
    second = life.post(scores(NAT // 50, -NAT // 50, NAT // 33, NAT // 50))
    assert second.header.parent == first.header_digest
    dev_chain.move_clock(second.final_at)

    life.requester.sender.execute(life.claim_all(2, second.anchor))
    life.requester.sender.execute(life.claim_all(1, first.anchor))

    for node, standing in life.standings.items():
        assert gateway.fetch_token_balance(PAYOUTS[node]) == standing.earned
        assert gateway.fetch_claimed(life.job, node) == standing.earned
    account = gateway.fetch_account(life.job)
    total = sum(tally.totals.reward for tally in life.tallies.values())
    assert total > 0
    assert account.paid == sum(standing.earned for standing in life.standings.values())
    assert account.paid + account.payable == total
    assert account.funded == account.paid + account.payable + account.free


def test_single_claim_pays_and_is_not_paid_twice(dev_chain: TestChain, gateway: Gateway, life: JobLife) -> None:
    posted = life.post(scores(NAT // 20, NAT // 40))
    item = life.claim_items(1)[0]
    call = gateway.calls.claim(life.job, 1, posted.anchor, item)
    with pytest.raises(TransactionReverted, match="JobLedger_NotFinal") as refusal:
        life.requester.sender.sign(call)
    assert refusal.value.operands["finalAt"] == posted.final_at

    dev_chain.move_clock(posted.final_at)
    assert gateway.fetch_is_final(life.job, 1)
    life.requester.sender.execute(call)
    assert gateway.fetch_token_balance(PAYOUTS[item.entry.node]) == item.entry.earned > 0
    with pytest.raises(TransactionReverted, match="JobLedger_NothingToClaim"):
        life.requester.sender.sign(call)


def test_fifty_claims_are_one_transaction(dev_chain: TestChain, gateway: Gateway, life: JobLife) -> None:
    nodes = [name_node(100 + number) for number in range(50)]
    posted = life.post({node.address: NAT // 1000 + number for number, node in enumerate(nodes)})
    for node in nodes[1:]:
        transaction = life.coordinator.sender.sign(life.register(node, node.address))
        life.coordinator.sender.broadcast(transaction)
    dev_chain.move_clock(posted.final_at)

    mined = life.requester.sender.execute(life.claim_all(1, posted.anchor))

    events = gateway.fetch_events(mined.block, mined.block, (Claimed, ClaimFailed))
    assert [type(event) for event in events] == [ClaimFailed] + [Claimed] * 49, "the first has no payout"
    assert sum(gateway.fetch_token_balance(node.address) for node in nodes) == sum(
        entry.earned for entry in life.tallies[1].entries[1:]
    )


def test_auditor_reads_all_headers_from_the_chain_alone(gateway: Gateway, life: JobLife) -> None:
    life.post(scores(NAT // 20))
    life.post(scores(NAT // 30, NAT // 40))
    posted = gateway.fetch_posted_rounds(life.job)
    assert [event.header for event in posted] == list(life.headers.values())
    for event in posted:
        kept = gateway.fetch_round(life.job, event.round)
        assert kept is not None
        assert kept.anchor == event.anchor.word()
        assert event.final_at == event.window_end != NOT_FINAL
        assert gateway.fetch_posted_round(life.job, event.round) == event
    assert gateway.fetch_round(life.job, 3) is None
    assert gateway.fetch_posted_round(life.job, 3) is None


def test_events_come_typed_and_in_order(gateway: Gateway, life: JobLife) -> None:
    life.post(scores(NAT // 20))
    events = gateway.fetch_events(0, gateway.fetch_head().number)
    kinds = [type(event) for event in events]
    assert kinds == [BondDeposited, JobOpened] + [NodeRegistered] * 5 + [RoundPosted]
    opened = events[1]
    assert isinstance(opened, JobOpened)
    assert opened.terms == life.terms
    assert gateway.fetch_events(0, gateway.fetch_head().number, job=bytes(32)) == ()
    of_job = gateway.fetch_events(0, gateway.fetch_head().number, job=life.job)
    assert [type(event) for event in of_job] == [JobOpened, RoundPosted]


def test_job_closed_after_its_request_returns_what_is_left(
    dev_chain: TestChain, gateway: Gateway, life: JobLife
) -> None:
    posted = life.post(scores(NAT // 20))
    request = life.requester.sender.execute(gateway.calls.request_close(life.job))
    (event,) = gateway.fetch_events(request.block, request.block, (CloseRequested,))
    assert isinstance(event, CloseRequested)
    dev_chain.move_clock(event.closes_at)
    closing = life.coordinator.sender.execute(gateway.calls.close_job(life.job))
    (closed,) = gateway.fetch_events(closing.block, closing.block, (JobClosed,))
    assert isinstance(closed, JobClosed)
    left = 3 * BUDGET - posted.header.total_reward
    assert closed.refunded == gateway.fetch_funds(life.requester.address) == left

    life.requester.sender.execute(gateway.calls.withdraw(life.requester.address, left))
    assert gateway.fetch_token_balance(life.requester.address) == left
    dev_chain.move_clock(max(gateway.fetch_bond_free_at(life.job), gateway.fetch_head().timestamp + 1))
    release = life.requester.sender.execute(gateway.calls.release_bond(life.job))
    (released,) = gateway.fetch_events(release.block, release.block, (BondReleased,))
    assert isinstance(released, BondReleased)
    assert released.amount == gateway.fetch_funds(life.coordinator.address) == 5 * BUDGET
    life.requester.sender.execute(life.claim_all(1, posted.anchor))
    assert gateway.fetch_claimed(life.job, NODES[0].address) == posted.header.total_reward
