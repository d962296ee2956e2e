"""What operators and requesters send by themselves, against real contracts: claims, payouts, rotations, closes."""

import dataclasses
from pathlib import Path

import pytest

from client.chain import ChainAnchors, connect_chain
from client.home import Home
from client.node.operator.claiming import NothingFinal, claim_without_coordinator
from client.node.operator.joining import Enrolment
from client.node.operator.operating import NotYourNode, RotationPending, change_payout
from client.node.operator.rotation import finish_rotation, prepare_rotation
from client.node.operator.wallets import Keyring
from client.node.records.archive import Archive
from client.node.records.database import Database
from client.pins import Pin
from client.requester.ending import JobNotOpen, NotYourJob, close_job
from client.settings import ClientSettings
from client.wallet import create_wallet, read_address
from contracts.errors import ContractMissing, WrongChain
from contracts.gateway import Gateway
from contracts.job_events import RoundPosted
from ledger.errors import VerificationError
from ledger.signatures import Signer
from ledger.statements import Registration, Signed
from ledger.wire import EntryView
from tests.chain.fixtures import TestChain
from tests.chain.life import BUDGET, FAR, NAT, JobLife, Parties, begin, name_node

NODES = [name_node(number) for number in range(3)]


@pytest.fixture
def life(gateway: Gateway, parties: Parties) -> JobLife:
    life = begin(gateway, parties)
    for node in NODES:
        life.coordinator.sender.execute(life.register(node, node.address))
    return life


@pytest.fixture
def pin(gateway: Gateway, life: JobLife) -> Pin:
    deployment = gateway.deployment
    return Pin(
        deployment.chain_id,
        deployment.job_ledger,
        deployment.node_registry,
        deployment.tally_token,
        life.coordinator.address,
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(Database(tmp_path / "journal.sqlite"))


def post(life: JobLife) -> RoundPosted:
    return life.post({node.address: NAT // 40 for node in NODES})


def keep(life: JobLife, archive: Archive, number: int) -> None:
    """What nodes keep of a round: their entries with proofs under the signed header."""
    tally, tree = life.tallies[number], life.tallies[number].tree()
    header = Signed.issue(life.headers[number], life.gateway.domain, life.coordinator.signer)
    for entry in tally.entries:
        view = EntryView(entry=dict(entry.to_json()), proof=tree.proof(entry.seq), header=header, anchor=None)
        archive.keep_entry(entry.node, life.job, number, view)


def test_pin_leads_to_contracts_whose_code_we_know(dev_chain: TestChain, gateway: Gateway, pin: Pin) -> None:
    with connect_chain(dev_chain.url, pin) as found:
        assert found.deployment.job_ledger == gateway.deployment.job_ledger
    wrong = dataclasses.replace(pin, token=bytes([9]) * 20)
    with pytest.raises(VerificationError) as error:
        connect_chain(dev_chain.url, wrong)
    assert error.value.check == "pin"
    with pytest.raises(ContractMissing):
        connect_chain(dev_chain.url, dataclasses.replace(pin, job_ledger=pin.token))
    with pytest.raises(WrongChain):
        connect_chain(dev_chain.url, dataclasses.replace(pin, chain_id=1))


def test_anchor_is_believed_only_as_the_chain_keeps_it(dev_chain: TestChain, life: JobLife, pin: Pin) -> None:
    event = post(life)
    told: list[str] = []
    header = Signed.issue(life.headers[1], life.gateway.domain, life.coordinator.signer)
    anchors = ChainAnchors(dev_chain.url, pin, 0, told.append)
    assert anchors.is_anchored(header, event.final_at)
    assert not anchors.is_anchored(header, event.final_at + 1)
    changed = dataclasses.replace(life.headers[1], total_reward=1)
    assert not anchors.is_anchored(dataclasses.replace(header, statement=changed), event.final_at)
    unasked = ChainAnchors("http://127.0.0.1:9", pin, 0, told.append)
    assert not unasked.is_anchored(header, event.final_at)
    assert not unasked.is_anchored(header, event.final_at)
    assert len(told) == 1, "said once"


def test_nodes_are_paid_without_the_coordinator(
    dev_chain: TestChain, gateway: Gateway, life: JobLife, pin: Pin, archive: Archive
) -> None:
    event = post(life)
    keep(life, archive, 1)
    nodes = [node.address for node in NODES]
    with pytest.raises(NothingFinal):
        claim_without_coordinator(pin, archive, gateway, life.requester.sender, nodes)
    dev_chain.move_clock(event.final_at)
    paid = claim_without_coordinator(pin, archive, gateway, life.requester.sender, nodes)
    assert {item.node: item.amount for item in paid} == {node: life.standings[node].earned for node in nodes}
    assert all(gateway.fetch_token_balance(node) == life.standings[node].earned > 0 for node in nodes)
    with pytest.raises(NothingFinal):
        claim_without_coordinator(pin, archive, gateway, life.requester.sender, nodes)


def test_newer_entry_that_is_not_final_does_not_hide_an_older_final_one(
    dev_chain: TestChain, gateway: Gateway, life: JobLife, pin: Pin, archive: Archive
) -> None:
    event = post(life)
    keep(life, archive, 1)
    dev_chain.move_clock(event.final_at)
    post(life)
    keep(life, archive, 2)
    paid = claim_without_coordinator(pin, archive, gateway, life.requester.sender, [NODES[0].address])
    assert [item.round for item in paid] == [1]


def test_operator_alone_changes_the_payout(gateway: Gateway, life: JobLife) -> None:
    target = bytes([7]) * 20
    with pytest.raises(NotYourNode, match="wallet of the operator"):
        change_payout(gateway, life.coordinator.sender, NODES[0].address, target)
    with pytest.raises(NotYourNode, match="tally node join"):
        change_payout(gateway, life.requester.sender, bytes([1]) * 20, target)
    change_payout(gateway, life.requester.sender, NODES[0].address, target)
    state = gateway.fetch_node(NODES[0].address)
    assert state is not None
    assert state.payout == target


def test_hot_key_is_replaced_after_the_delay(
    dev_chain: TestChain, gateway: Gateway, life: JobLife, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_PASSPHRASE", "secret")
    home = Home(tmp_path)
    old = create_wallet(home.node_wallet, "secret", work=2**10)
    life.coordinator.sender.execute(life.register(old, old.address))

    def register(signer: Signer, enrolment: Enrolment) -> None:
        assert enrolment.payout == old.address, "the payout goes on"
        statement = Registration(signer.address, enrolment.operator, old.address, FAR)
        signed = Signed.issue(statement, gateway.registry_domain, signer)
        life.coordinator.sender.execute(gateway.calls.register(signed.statement, signed.signature))

    keyring = Keyring(home, ClientSettings(keystore_work=2**10), None)
    started = prepare_rotation(home, keyring, gateway, life.requester.sender, register)
    dev_chain.pass_time(600)
    again = prepare_rotation(home, keyring, gateway, life.requester.sender, lambda *_: None)
    assert (again.due_at, again.successor, again.transaction) == (started.due_at, started.successor, None)
    assert read_address(home.node_wallet) == old.address
    with pytest.raises(RotationPending, match="--complete"):
        finish_rotation(home, gateway, life.requester.sender)
    dev_chain.move_clock(started.due_at)
    finished = finish_rotation(home, gateway, life.requester.sender)
    assert read_address(home.node_wallet) == finished.successor == started.successor
    state = gateway.fetch_node(old.address)
    assert state is not None
    assert state.retired
    assert read_address(home.node_wallet.with_name(f"node-{old.address.hex()}.json")) == old.address


def test_requester_gets_back_what_was_not_earned(dev_chain: TestChain, gateway: Gateway, life: JobLife) -> None:
    with pytest.raises(JobNotOpen):
        close_job(gateway, life.requester.sender, bytes(32))
    with pytest.raises(NotYourJob):
        close_job(gateway, life.coordinator.sender, life.job)
    event = post(life)
    requested = close_job(gateway, life.requester.sender, life.job)
    assert requested.step == "requested"
    assert close_job(gateway, life.requester.sender, life.job).step == "waiting"
    state = gateway.fetch_job(life.job)
    assert state is not None
    dev_chain.move_clock(max(event.final_at, state.closes_at))
    closed = close_job(gateway, life.requester.sender, life.job)
    assert closed.step == "closed"
    spent = life.tallies[1].totals.reward
    assert closed.refunded == 3 * BUDGET - spent == gateway.fetch_token_balance(life.requester.address)
    assert close_job(gateway, life.requester.sender, life.job).refunded == 0
