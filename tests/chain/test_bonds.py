"""A job's bond on a real chain: released once, when the ledger lets it, however the job ended; then it can be taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from client.wallet import encrypt_secret, save_keystore
from contracts.gateway import Gateway
from contracts.job_events import CloseRequested, JobClosed
from contracts.money_events import BondReleased
from coordinator import funds
from coordinator.settings import CoordinatorSettings, load_settings
from coordinator.settlement.needs import find_needs
from coordinator.settlement.outbox import REVERTED
from coordinator.settlement.tables import BondRow, TransactionRow
from ledger.hexadecimal import to_address, to_hex
from tests.chain.fixtures import TestChain, wait_mined
from tests.chain.life import BUDGET, NAT, JobLife, Parties, begin, name_node
from tests.chain.settling import Desk

SCORES = {name_node(number).address: NAT // (20 + number) for number in range(2)}
BOND = 5 * BUDGET
# Long beside what a test takes: the chain's clock goes on with the world's.
WINDOW = 600


@pytest.fixture
def life(gateway: Gateway, parties: Parties, monkeypatch: pytest.MonkeyPatch) -> JobLife:
    monkeypatch.setattr("tests.chain.life.WINDOW", WINDOW)
    return begin(gateway, parties, rounds=2)


@pytest.fixture
def desk(tmp_path: Path, gateway: Gateway, life: JobLife) -> Iterator[Desk]:
    desk = Desk.open(tmp_path, life, gateway)
    desk.accept_job()
    desk.look(2)
    yield desk
    desk.close()


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Jobs of which the chain was asked when their bond is free."""
    asked: list[bytes] = []
    ask = Gateway.fetch_bond_free_at

    def count(gateway: Gateway, job: bytes) -> int:
        asked.append(job)
        return ask(gateway, job)

    monkeypatch.setattr(Gateway, "fetch_bond_free_at", count)
    return asked


def read_bond(desk: Desk) -> BondRow:
    with desk.context.database.read() as session:
        return session.get_one(BondRow, desk.life.job)


def count_events(desk: Desk, kind: type[BondReleased | JobClosed]) -> int:
    return len(desk.gateway.fetch_events(0, desk.gateway.fetch_head().number, (kind,)))


def list_transactions(desk: Desk, label: str) -> list[TransactionRow]:
    with desk.context.database.read() as session:
        return list(session.exec(select(TransactionRow).where(TransactionRow.label == f"JobLedger.{label}")).all())


def list_needs(desk: Desk) -> list[str]:
    with desk.context.database.read() as session:
        return [need.subject for need in find_needs(session, desk.gateway.calls, desk.context.now)]


def play_to_the_end(dev_chain: TestChain, desk: Desk) -> None:
    """Both rounds are posted and final, and the job is closed."""
    desk.seal(SCORES)
    desk.seal(SCORES, last=True)
    desk.look(4)
    final_at = desk.round(2).final_at
    assert final_at is not None
    dev_chain.move_clock(final_at)
    desk.look(3)
    assert desk.job().state == "closed"


def free_bond(dev_chain: TestChain, desk: Desk) -> None:
    free_at = read_bond(desk).free_at
    assert free_at is not None
    dev_chain.move_clock(free_at)


def strike(desk: Desk, dev_chain: TestChain, number: int) -> None:
    """The court rejects a round that was never posted, and names nobody."""
    court = to_address(desk.gateway.deployment.challenge_court)
    arguments = (desk.life.job, number, (bytes(32), bytes(32), 0, 0), bytes(20))
    data = desk.gateway.execution.interfaces["JobLedger"].encode_call("reject", arguments)
    ledger = to_address(desk.gateway.deployment.job_ledger)
    dev_chain.rpc.send("anvil_setBalance", court, hex(10**20))
    dev_chain.rpc.send("anvil_impersonateAccount", court)
    dev_chain.rpc.send("eth_sendTransaction", {"from": court, "to": ledger, "data": to_hex(data)})
    dev_chain.rpc.send("anvil_stopImpersonatingAccount", court)
    wait_mined(dev_chain.rpc)


def test_a_bond_is_released_once_and_not_before_it_is_free(
    dev_chain: TestChain, desk: Desk, questions: list[bytes]
) -> None:
    assert (read_bond(desk).state, read_bond(desk).closed) == ("locked", False)
    play_to_the_end(dev_chain, desk)
    final_at, free_at = desk.round(2).final_at, read_bond(desk).free_at
    assert final_at is not None
    assert free_at == final_at + WINDOW
    desk.look(3)
    dev_chain.move_clock(free_at - 1)
    assert list_needs(desk) == []
    assert (list_transactions(desk, "releaseBond"), questions) == ([], [desk.life.job])

    free_bond(dev_chain, desk)
    desk.look(3)
    assert (count_events(desk, BondReleased), read_bond(desk).state) == (1, "released")
    assert desk.gateway.fetch_funds(desk.life.coordinator.address) == BOND
    desk = desk.restart()
    dev_chain.mine(100)
    desk.look(3)
    assert (len(list_transactions(desk, "releaseBond")), len(questions)) == (1, 1)
    desk.close()


def test_a_bond_is_released_after_a_restart_before_it_was_free(dev_chain: TestChain, desk: Desk) -> None:
    play_to_the_end(dev_chain, desk)
    desk = desk.restart()
    free_bond(dev_chain, desk)
    desk.look()
    desk = desk.restart()
    desk.look(2)
    assert (count_events(desk, BondReleased), len(list_transactions(desk, "releaseBond"))) == (1, 1)
    assert read_bond(desk).state == "released"
    desk.close()


def test_a_reorganisation_brings_a_release_back(dev_chain: TestChain, desk: Desk) -> None:
    play_to_the_end(dev_chain, desk)
    free_bond(dev_chain, desk)
    before = dev_chain.save()
    desk.look(2)
    (first,) = list_transactions(desk, "releaseBond")
    dev_chain.restore(before)
    dev_chain.mine(3)
    assert count_events(desk, BondReleased) == 0
    dev_chain.stop_mining()
    desk.look(3)
    assert read_bond(desk).state == "locked"
    dev_chain.resume_mining()
    dev_chain.mine()
    desk.look(2)
    (again,) = list_transactions(desk, "releaseBond")
    assert (count_events(desk, BondReleased), read_bond(desk).state) == (1, "released")
    assert (again.hash, again.block != first.block) == (first.hash, True)


def test_a_reorganisation_that_reopens_a_job_has_it_closed_and_its_bond_released(
    dev_chain: TestChain, desk: Desk, questions: list[bytes]
) -> None:
    """On the other branch too little time had passed: what was broadcast again is refused there, and asked for anew."""
    before = dev_chain.save()
    play_to_the_end(dev_chain, desk)
    free_bond(dev_chain, desk)
    desk.look(2)
    dev_chain.restore(before)
    dev_chain.mine(3)
    desk.look(4)
    assert (count_events(desk, JobClosed), count_events(desk, BondReleased)) == (0, 0)
    assert {row.state for row in list_transactions(desk, "releaseBond")} == {REVERTED}
    assert (read_bond(desk).state, read_bond(desk).closed, read_bond(desk).free_at) == ("locked", False, None)
    dev_chain.pass_time(WINDOW)
    desk = desk.restart()
    desk.look(3)
    free_bond(dev_chain, desk)
    desk.look(3)
    assert (count_events(desk, JobClosed), count_events(desk, BondReleased)) == (1, 1)
    assert (read_bond(desk).state, questions) == ("released", [desk.life.job] * 2)
    desk.close()


def test_a_job_whose_requester_asks_for_its_end_and_vanishes_is_closed_and_its_bond_released(
    dev_chain: TestChain, desk: Desk
) -> None:
    mined = desk.life.requester.sender.execute(desk.gateway.calls.request_close(desk.life.job))
    (event,) = desk.gateway.fetch_events(mined.block, mined.block, (CloseRequested,))
    assert isinstance(event, CloseRequested)
    desk.look(2)
    assert (desk.job().state, read_bond(desk).closes_at) == ("closing", event.closes_at)
    dev_chain.move_clock(event.closes_at - 60)
    desk.seal(SCORES)
    assert list_needs(desk) == [f"round:{to_hex(desk.life.job)}:1"]
    desk.look(2)
    final_at = desk.round(1).final_at
    assert final_at is not None
    assert list_needs(desk) == []
    # In effect, but the round's window is not over: the ledger would refuse.
    dev_chain.move_clock(event.closes_at)
    assert list_needs(desk) == []
    dev_chain.move_clock(final_at)
    desk.look(3)
    assert (desk.job().state, count_events(desk, JobClosed)) == ("closed", 1)
    free_bond(dev_chain, desk)
    desk.look(3)
    assert (count_events(desk, BondReleased), read_bond(desk).state) == (1, "released")


def test_a_job_that_ends_before_its_first_round_gives_the_bond_back_at_once(dev_chain: TestChain, desk: Desk) -> None:
    desk.life.requester.sender.execute(desk.gateway.calls.request_close(desk.life.job))
    desk.look(2)
    closes_at = read_bond(desk).closes_at
    assert closes_at is not None
    dev_chain.move_clock(closes_at - 5)
    assert list_needs(desk) == []
    dev_chain.move_clock(closes_at)
    desk.look(3)
    assert (count_events(desk, JobClosed), count_events(desk, BondReleased)) == (1, 1)
    assert desk.gateway.fetch_funds(desk.life.requester.address) == 2 * BUDGET


def test_a_bond_that_anybody_released_is_not_asked_for(dev_chain: TestChain, desk: Desk) -> None:
    play_to_the_end(dev_chain, desk)
    free_bond(dev_chain, desk)
    desk.life.requester.sender.execute(desk.gateway.calls.release_bond(desk.life.job))
    desk.look(3)
    assert (count_events(desk, BondReleased), read_bond(desk).state) == (1, "released")
    assert list_transactions(desk, "releaseBond") == []


def test_a_bond_that_was_cut_is_never_asked_for_and_a_fork_restores_it(
    dev_chain: TestChain, desk: Desk, questions: list[bytes]
) -> None:
    before = dev_chain.save()
    strike(desk, dev_chain, 1)
    desk.look(2)
    assert (desk.job().state, read_bond(desk).state) == ("rejected", "cut")
    desk.life.requester.sender.execute(desk.gateway.calls.close_job(desk.life.job))
    dev_chain.pass_time(3 * WINDOW)
    desk.look(3)
    assert desk.job().state == "closed"
    assert (list_transactions(desk, "closeJob"), list_transactions(desk, "releaseBond"), questions) == ([], [], [])
    dev_chain.restore(before)
    dev_chain.mine(1)
    desk.look(1)
    assert (read_bond(desk).state, read_bond(desk).closed) == ("locked", False)


def stop_for_funds(dev_chain: TestChain, desk: Desk) -> CoordinatorSettings:
    """The worker stops; what the commands about money need is in the folder."""
    desk.close()
    desk.gateway.deployment.save(desk.folder / "deployment.json")
    passphrase = "a passphrase of tests"
    secret = dev_chain.chain.accounts[2].private_key
    save_keystore(desk.folder / "coordinator.keystore.json", encrypt_secret(secret, passphrase, 1_024))
    return load_settings(
        dev=True, data_dir=desk.folder, deployment=desk.folder / "deployment.json", rpc_url=dev_chain.url
    ).model_copy(update={"passphrase": SecretStr(passphrase)})


def test_a_released_bond_can_be_withdrawn_while_the_worker_is_stopped(dev_chain: TestChain, desk: Desk) -> None:
    play_to_the_end(dev_chain, desk)
    free_bond(dev_chain, desk)
    desk.look(3)
    settings = stop_for_funds(dev_chain, desk)
    assert funds.show(settings)["free"] == str(BOND)
    receiver = bytes([7]) * 20
    taken = funds.withdraw(settings, str(BOND // 10**18), receiver)
    assert (taken["free"], desk.gateway.fetch_token_balance(receiver)) == ("0", BOND)


def test_the_coordinator_can_end_a_job_that_everybody_left(dev_chain: TestChain, desk: Desk) -> None:
    """Else its bond would be locked for good."""
    told = funds.close(stop_for_funds(dev_chain, desk), desk.life.job)
    desk = desk.restart()
    desk.look(2)
    closes_at = int(told["closesAt"])
    assert (desk.job().state, read_bond(desk).closes_at) == ("closing", closes_at)
    dev_chain.move_clock(closes_at)
    desk.look(6)  # no round was posted: the bond is free as soon as the job is closed
    assert (desk.job().state, read_bond(desk).state) == ("closed", "released")
    desk.close()
