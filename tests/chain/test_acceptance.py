"""A job whose bond the coordinator cannot lock is refused before anyone pays; else the contract decides."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.gateway import Gateway
from coordinator.jobs import acceptance
from coordinator.jobs.errors import BondUncovered, JobRefused
from ledger.spec import JobSpec
from ledger.statements import Terms
from ledger.wire import JobRequest
from tests.chain.fixtures import TestChain
from tests.chain.life import JobLife, Parties, begin
from tests.chain.settling import Desk
from tests.coordination.learning import make_course, make_spec, make_terms


@pytest.fixture
def life(gateway: Gateway, parties: Parties) -> JobLife:
    return begin(gateway, parties, rounds=1)


@pytest.fixture
def desk(tmp_path: Path, gateway: Gateway, life: JobLife, dev_chain: TestChain) -> Iterator[Desk]:
    desk = Desk.open(tmp_path, life, gateway)
    settings = desk.context.settings.model_copy(update={"rpc_url": dev_chain.url, "min_window_seconds": 5})
    desk.context = replace(desk.context, settings=settings)
    yield desk
    desk.close()


def make_request(desk: Desk, bond: int) -> tuple[JobSpec, Terms]:
    # A model that nobody uploaded: it is missed after the bond was found covered.
    spec = make_spec(make_course(nodes=1), bytes(32), None)
    token = desk.gateway.deployment.tally_token
    coordinator = desk.context.signer.address
    return spec, make_terms(spec, desk.life.requester.address, coordinator, token=token, bond=bond)


async def ask(desk: Desk, bond: int) -> None:
    spec, terms = make_request(desk, bond)
    request = JobRequest(spec=dict(spec.to_json()), terms=terms)
    await acceptance.accept(desk.context, terms.requester, request)


async def test_bond_above_the_free_deposit_is_refused(desk: Desk) -> None:
    free = desk.gateway.fetch_funds(desk.context.signer.address)
    with pytest.raises(BondUncovered) as refusal:
        await ask(desk, free + 1)
    assert (refusal.value.bond, refusal.value.free) == (str(free + 1), str(free))
    with pytest.raises(JobRefused, match=r"spec\.initialModel"):
        await ask(desk, free)


async def test_without_an_answer_of_the_chain_the_contract_decides(desk: Desk) -> None:
    settings = desk.context.settings.model_copy(update={"rpc_url": "http://127.0.0.1:1"})
    desk.context = replace(desk.context, settings=settings)
    with pytest.raises(JobRefused, match=r"spec\.initialModel"):
        await ask(desk, 2**100)
