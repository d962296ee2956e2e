"""Transactions: refused, stuck, repeated, overtaken, reorganised."""

import pytest

from contracts.errors import ChainMoved
from contracts.fees import FeeAboveLimit
from contracts.gateway import Gateway
from contracts.job_events import RoundPosted
from contracts.permit import sign_permit
from contracts.refusals import FeeTooLow, InsufficientFunds, NonceTaken, NotMined, TransactionReverted
from contracts.sender import Sender
from contracts.transactions import Call, Fees, parse_transaction, sign_transaction
from ledger.hashing import keccak256
from ledger.signatures import Signer
from tests.chain.fixtures import TestChain
from tests.chain.life import NAT, Parties, begin, name_node

TARGET = b"\x42" * 20


def test_refusal_before_sending_names_error_and_operands(gateway: Gateway, parties: Parties) -> None:
    with pytest.raises(TransactionReverted) as refusal:
        parties(1).sender.sign(gateway.calls.transfer(TARGET, 7))
    assert refusal.value.error == "ERC20InsufficientBalance"
    assert refusal.value.operands == {"sender": parties(1).address, "balance": 0, "needed": 7}
    assert str(refusal.value).startswith("TallyToken.transfer was refused by the contract: ERC20InsufficientBalance")


def test_refusal_uses_up_no_nonce(gateway: Gateway, parties: Parties) -> None:
    sender = parties(0).sender
    before = sender.fetch_next_nonce()
    with pytest.raises(TransactionReverted):
        sender.sign(gateway.calls.close_job(bytes(32)))
    assert sender.sign(gateway.calls.transfer(TARGET, 1)).nonce == before


def test_refusal_in_a_block_is_explained(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> None:
    sender = parties(0).sender
    everything = gateway.calls.transfer(TARGET, gateway.fetch_token_balance(sender.address))
    dev_chain.stop_mining()
    first, second = sender.sign(everything), sender.sign(gateway.calls.approve(TARGET, 1))
    # The second was fine when it was estimated and finds the tokens gone.
    second = sender.sign(everything, nonce=second.nonce, gas=100_000)
    for transaction in (first, second):
        sender.broadcast(transaction)
    dev_chain.resume_mining()
    dev_chain.mine()
    mined = sender.wait(second.hash)
    assert sender.wait(first.hash).revert is None
    assert mined.revert is not None
    with pytest.raises(TransactionReverted):
        sender.execute(everything)


def test_refusal_in_an_earlier_block_names_its_error(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> None:
    sender = parties(1).sender
    transaction = sender.sign(gateway.calls.transfer(TARGET, 7), gas=100_000)
    sender.broadcast(transaction)
    mined = sender.wait(transaction.hash)
    assert mined.revert is not None
    assert mined.revert.error == "ERC20InsufficientBalance"


def test_empty_account_is_told_what_it_needs(gateway: Gateway) -> None:
    poor = Sender(gateway, Signer(keccak256(b"poor")))
    with pytest.raises(InsufficientFunds) as refusal:
        poor.sign(gateway.calls.approve(TARGET, 1))
    assert refusal.value.balance == 0 < refusal.value.needed
    with pytest.raises(InsufficientFunds) as refusal:
        poor.sign(Call(TARGET, b"", 10**18, "transfer of native coin"))
    assert refusal.value.needed >= 10**18


def test_fee_above_the_senders_limit_is_refused(gateway: Gateway, parties: Parties) -> None:
    sender = Sender(gateway, parties(0).signer, most_fee=1000)
    with pytest.raises(FeeAboveLimit) as refusal:
        sender.sign(gateway.calls.transfer(TARGET, 1))
    assert refusal.value.limit == 1000 < refusal.value.needed


def test_nonces_follow_each_other_before_anything_is_sent(gateway: Gateway, parties: Parties) -> None:
    sender = parties(0).sender
    first, second = (sender.sign(gateway.calls.transfer(TARGET, amount)) for amount in (1, 2))
    assert second.nonce == first.nonce + 1
    sender.broadcast(second)
    assert sender.fetch_receipt(second.hash) is None
    sender.broadcast(first)
    assert sender.wait(second.hash).revert is None
    assert gateway.fetch_token_balance(TARGET) == 3


def test_same_bytes_broadcast_again_by_a_new_process_take_effect_once(
    dev_chain: TestChain, gateway: Gateway, parties: Parties
) -> None:
    dev_chain.stop_mining()
    raw = parties(0).sender.sign(gateway.calls.transfer(TARGET, 9)).raw  # made durable; then killed
    revived = parties(0).sender
    transaction = parse_transaction(raw, "TallyToken.transfer")
    revived.broadcast(transaction)  # killed before this was noted
    revived.broadcast(transaction)  # in the pool
    dev_chain.resume_mining()
    dev_chain.mine()
    revived.broadcast(transaction)  # in a block
    assert revived.wait(transaction.hash).revert is None
    assert gateway.fetch_token_balance(TARGET) == 9
    assert transaction.sender == parties(0).address


def test_round_is_never_posted_twice(gateway: Gateway, parties: Parties) -> None:
    life = begin(gateway, parties)
    life.seal({name_node(1).address: NAT // 50})
    sender = life.coordinator.sender
    transaction = sender.sign(life.post_call(1))
    for _ in range(3):
        sender.broadcast(transaction)
    sender.wait(transaction.hash)
    with pytest.raises(TransactionReverted) as refusal:
        sender.sign(life.post_call(1))
    assert refusal.value.error == "JobLedger_WrongRound"
    assert refusal.value.operands == {"actual": 1, "expected": 2}
    assert len(gateway.fetch_posted_rounds(life.job)) == 1


def test_spent_nonce_is_told_apart_from_ones_own_transaction(gateway: Gateway, parties: Parties) -> None:
    sender = parties(0).sender
    lost = sender.sign(gateway.calls.transfer(TARGET, 1))
    other = sender.sign(gateway.calls.transfer(TARGET, 2), nonce=lost.nonce)
    sender.broadcast(other)
    sender.wait(other.hash)
    sender.broadcast(other)
    with pytest.raises(NonceTaken) as refusal:
        sender.broadcast(lost)
    assert (refusal.value.nonce, refusal.value.next_nonce) == (lost.nonce, lost.nonce + 1)


def test_stuck_transaction_is_replaced_by_one_with_a_higher_fee(
    dev_chain: TestChain, gateway: Gateway, parties: Parties
) -> None:
    dev_chain.stop_mining()
    sender = parties(0).sender
    stuck = sender.sign(gateway.calls.transfer(TARGET, 4))
    sender.broadcast(stuck)
    with pytest.raises(NotMined):
        sender.wait(stuck.hash, timeout_seconds=0.05)
    cheaper = sender.sign(gateway.calls.transfer(TARGET, 5), nonce=stuck.nonce)
    with pytest.raises(FeeTooLow):
        sender.broadcast(cheaper)

    replacement = sender.replace(stuck)
    assert (replacement.nonce, replacement.call) == (stuck.nonce, stuck.call)
    assert replacement.fees.limit > stuck.fees.limit
    sender.broadcast(replacement)
    dev_chain.resume_mining()
    dev_chain.mine()

    assert sender.wait(replacement.hash).revert is None
    assert sender.fetch_receipt(stuck.hash) is None
    with pytest.raises(NonceTaken):
        sender.broadcast(stuck)
    assert gateway.fetch_token_balance(TARGET) == 4


def test_legacy_transaction_is_accepted(gateway: Gateway, parties: Parties) -> None:
    sender = parties(0).sender
    call = gateway.calls.transfer(TARGET, 6)
    fees = Fees(10**10, None)
    transaction = sign_transaction(parties(0).signer, 31337, sender.fetch_next_nonce(), call, 100_000, fees)
    sender.broadcast(transaction)
    assert sender.wait(transaction.hash).gas_price == 10**10
    assert gateway.fetch_token_balance(TARGET) == 6


def test_permit_lets_another_pay_the_gas(gateway: Gateway, parties: Parties) -> None:
    owner, relayer = parties(0), parties(5)
    signature = sign_permit(gateway, owner.signer, TARGET, 11, 2**40)
    relayer.sender.execute(gateway.calls.permit(owner.address, TARGET, 11, 2**40, signature))
    assert gateway.fetch_allowance(owner.address, TARGET) == 11


def test_reorganisation_is_noticed_and_the_round_posted_again(
    dev_chain: TestChain, gateway: Gateway, parties: Parties
) -> None:
    life = begin(gateway, parties)
    life.seal({name_node(1).address: NAT // 50})
    sender = life.coordinator.sender
    transaction = sender.sign(life.post_call(1))
    sender.broadcast(transaction)
    mined = sender.wait(transaction.hash)
    gateway.verify_block(mined.block, mined.block_hash)

    dev_chain.rpc.send("anvil_reorg", 1, [])

    with pytest.raises(ChainMoved) as moved:
        gateway.verify_block(mined.block, mined.block_hash)
    assert moved.value.number == mined.block
    state = gateway.fetch_job(life.job)
    assert state is not None
    assert state.posted == 0
    sender.broadcast(transaction)
    again = sender.wait(transaction.hash)
    assert again.revert is None
    assert again.block_hash != mined.block_hash
    (event,) = gateway.fetch_posted_rounds(life.job)
    assert isinstance(event, RoundPosted)
    assert event.place.block_hash == again.block_hash
