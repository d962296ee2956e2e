"""Transaction bytes against eth-account, which encodes and recovers them independently."""

import dataclasses

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from contracts.transactions import (
    Call,
    Fees,
    MalformedTransaction,
    compute_create_address,
    parse_transaction,
    sign_transaction,
)
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import Signer

KEY = bytes(range(1, 33))
NUMBERS = st.integers(0, 2**64 - 1)
CALLS = st.builds(
    Call,
    target=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=80),
    value=st.integers(0, 2**96),
    label=st.just("Contract.function"),
)
FEES = st.builds(Fees, limit=st.integers(0, 2**80), priority=st.one_of(st.none(), st.integers(0, 2**80)))


@given(call=CALLS, fees=FEES, nonce=NUMBERS, gas=NUMBERS, chain_id=st.integers(1, 2**40))
def test_signed_bytes_equal_those_of_eth_account(call: Call, fees: Fees, nonce: int, gas: int, chain_id: int) -> None:
    fields = {
        "to": to_address(call.target) if call.target else b"",
        "data": to_hex(call.data),
        "value": call.value,
        "nonce": nonce,
        "gas": gas,
        "chainId": chain_id,
    }
    if fees.priority is None:
        fields["gasPrice"] = fees.limit
    else:
        fields |= {"maxFeePerGas": fees.limit, "maxPriorityFeePerGas": fees.priority, "type": 2}
    expected = Account.sign_transaction(fields, KEY)

    ours = sign_transaction(Signer(KEY), chain_id, nonce, call, gas, fees)

    assert ours.raw == bytes(expected.raw_transaction)
    assert ours.hash == bytes(expected.hash)


@given(call=CALLS, fees=FEES, nonce=NUMBERS, gas=NUMBERS, chain_id=st.integers(1, 2**40))
def test_persisted_bytes_say_all_but_the_label(call: Call, fees: Fees, nonce: int, gas: int, chain_id: int) -> None:
    ours = sign_transaction(Signer(KEY), chain_id, nonce, call, gas, fees)
    assert parse_transaction(ours.raw, call.label) == ours


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x02\xc0", b"\xc0", b"\x7f", b"\x02" + b"\xff" * 30])
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedTransaction):
        parse_transaction(raw, "")


def test_create_address_is_that_of_the_yellow_paper() -> None:
    """The first contract of the first account of the usual dev phrase, known from every dev chain."""
    sender = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
    assert to_address(compute_create_address(sender, 0)) == "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def test_raised_fees_are_higher_in_both_parts() -> None:
    raised = Fees(0, 100).raise_by(15)
    assert raised == Fees(1, 115)
    assert raised.at_least(Fees(7, 3)) == Fees(7, 115)
    assert Fees(10, None).raise_by(15).at_least(Fees(9, 9)) == Fees(12, None)


def test_most_cost_counts_gas_and_value() -> None:
    call = Call(bytes(20), b"", 5, "transfer")
    transaction = sign_transaction(Signer(KEY), 1, 0, call, 10, Fees(3, 1))
    assert transaction.most_cost == 35
    assert dataclasses.replace(transaction, gas=0).most_cost == 5
