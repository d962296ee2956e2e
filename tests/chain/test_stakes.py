"""Stakes on a real chain: what events tell an auditor, and what the coordinator knows, are what the registry keeps."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from client.auditor.evidence.registry import read_registry
from contracts.challenges import CourtCalls
from contracts.escrow import stake
from contracts.gateway import Gateway
from contracts.transactions import Call
from ledger.hashing import keccak256
from ledger.statements import Contribution, Signed, Terms
from tests.chain.fixtures import TestChain
from tests.chain.life import JobLife, Parties, name_node
from tests.chain.settling import Desk

EXIT_SECONDS = 15 * 86_400
OLD, HEIR, OTHER = (name_node(number) for number in range(3))
NODES = (OLD, HEIR, OTHER)


@dataclass
class StakedLife(JobLife):
    """A job that asks its nodes for a hundred base units."""

    @property
    def terms(self) -> Terms:
        return replace(super().terms, min_stake=100)


@pytest.fixture
def life(gateway: Gateway, parties: Parties) -> StakedLife:
    life = StakedLife(gateway, parties(0), parties(1), parties(2), 3)
    life.open()
    for node in NODES:
        life.requester.sender.execute(life.register(node, node.address))
    parties(0).sender.execute(gateway.calls.transfer(life.requester.address, 10_000))
    return life


@pytest.fixture
def desk(tmp_path: Path, gateway: Gateway, life: StakedLife) -> Iterator[Desk]:
    desk = Desk.open(tmp_path, life, gateway)
    desk.accept_job()
    yield desk
    desk.close()


def contribute(life: JobLife, commitment: bytes) -> Signed[Contribution]:
    """One of the two things that the old node signs for round 1."""
    zero = bytes(32)
    statement = Contribution(life.job, 1, OLD.address, life.job, zero, commitment, 5, zero)
    return Signed.issue(statement, life.gateway.domain, OLD)


def verify_stakes(life: JobLife, desk: Desk, expected: dict[bytes, int]) -> None:
    """The registry, the coordinator and an auditor who reads events alone say the same."""
    desk.look(2)
    head = life.gateway.fetch_head()
    told = read_registry(life.gateway, life.job, head).read_at(head.number)
    for node, amount in expected.items():
        kept = told[node]
        words = (life.gateway.fetch_stake(node), desk.node(node).stake, kept.staked - kept.leaving)
        assert words == (amount, amount, amount), node.hex()


def test_everyone_follows_stakes_through_leaving_rotation_and_slashing(
    dev_chain: TestChain, life: StakedLife, desk: Desk, parties: Parties
) -> None:
    gateway, sender = life.gateway, life.requester.sender

    def send(*calls: Call) -> None:
        for call in calls:
            sender.execute(call)

    stake(gateway, sender, OLD.address, 250)
    stake(gateway, sender, OTHER.address, 100)
    verify_stakes(life, desk, {OLD.address: 250, HEIR.address: 0, OTHER.address: 100})
    send(gateway.calls.unstake(OTHER.address, 1), gateway.calls.rotate_node(OLD.address, HEIR.address))
    verify_stakes(life, desk, {OLD.address: 250, HEIR.address: 0, OTHER.address: 99})
    dev_chain.pass_time(EXIT_SECONDS + 1)
    send(gateway.calls.withdraw_stake(OTHER.address), gateway.calls.complete_rotation(OLD.address))
    verify_stakes(life, desk, {OLD.address: 0, HEIR.address: 250, OTHER.address: 99})
    # The old key signed two contributions: its successor, which has the stake by now, pays for it.
    court = CourtCalls(gateway.deployment, gateway.execution.interfaces)
    one, other = (contribute(life, keccak256(word)) for word in (b"one", b"other"))
    parties(3).sender.execute(court.challenge_node(one, other))
    verify_stakes(life, desk, {OLD.address: 0, HEIR.address: 150, OTHER.address: 99})


def test_gap_before_the_first_block_is_told(life: StakedLife, gateway: Gateway) -> None:
    """A coordinator that names a later block hides registrations: the registry was there before, which is seen."""
    head = gateway.fetch_head()
    assert read_registry(gateway, life.job, head).gap == ""
    late = Gateway(gateway.rpc, replace(gateway.deployment, block=head.number))
    assert "older than block" in read_registry(late, life.job, head).gap
    assert read_registry(late, life.job, head, whole=True).gap == ""
