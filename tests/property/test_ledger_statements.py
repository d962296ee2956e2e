"""Laws of statements: one digest for one meaning, an independent encoder agrees, any flipped bit is seen."""

import re
from dataclasses import replace
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from ledger.commitment import Opening
from ledger.eip712 import StructType, compute_digest, parse_types
from ledger.entry import Body
from ledger.errors import Malformed
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address
from ledger.signatures import WrongSigner, recover, verify_signature
from ledger.statements import (
    Acceptance,
    Closing,
    Contribution,
    Receipt,
    Registration,
    RoundHeader,
    Signed,
    Terms,
    Voucher,
)
from ledger.structs import TypedStruct, to_snake
from ledger.words import WORDS
from tests.property.ledger_values import structs_of, values_of
from tests.vectors.golden_job import CHAIN_ID, COORDINATOR, JOB_LEDGER, LEDGER_ADDRESS

SIGNED: list[type[Any]] = [Contribution, Receipt, Closing, RoundHeader, Acceptance, Registration, Voucher]
ALL: list[type[Any]] = [*SIGNED, Terms, Body, Opening]
DOMAIN = {"name": "Tallystick", "version": "1", "chainId": CHAIN_ID, "verifyingContract": to_address(LEDGER_ADDRESS)}

each_struct = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
each_statement = pytest.mark.parametrize("cls", SIGNED, ids=lambda cls: cls.__name__)


def ask_peer(struct: StructType, message: dict[str, Any]) -> bytes:
    """The digest that eth_account computes of the same members."""
    types = {struct.name: [{"type": kind, "name": name} for kind, name in struct.members]}
    signable = encode_typed_data(domain_data=DOMAIN, message_types=types, message_data=message)
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


def flip(kind: str, value: Any, bit: int) -> Any:
    """The value with one bit flipped, still of its type."""
    if isinstance(value, bytes):
        at = bit % (8 * len(value))
        return (int.from_bytes(value, "big") ^ 1 << at).to_bytes(len(value), "big")
    bits = int(kind.lstrip("uint"))
    flipped = (value & (1 << bits) - 1) ^ 1 << bit % bits
    return flipped - (1 << bits) if kind.startswith("int") and flipped >> bits - 1 else flipped


@each_struct
@given(data=st.data())
def test_an_independent_encoder_gives_the_same_digest(cls: type[TypedStruct], data: st.DataObject) -> None:
    """digest(domain, s) = eth_account's digest of s."""
    struct = data.draw(structs_of(cls))
    message = {name: value for (_, name), value in zip(cls.TYPE.members, struct.values(), strict=True)}
    assert compute_digest(JOB_LEDGER, struct.struct_hash()) == ask_peer(cls.TYPE, message)


@given(kinds=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=12), data=st.data())
def test_an_independent_encoder_agrees_on_any_struct(kinds: list[str], data: st.DataObject) -> None:
    """hashStruct(v) = eth_account's, for any list of atomic types."""
    struct = StructType("Thing", [(kind, f"m{at}") for at, kind in enumerate(kinds)])
    values = [data.draw(values_of(kind)) for kind in kinds]
    message = {f"m{at}": value for at, value in enumerate(values)}
    assert compute_digest(JOB_LEDGER, struct.hash(values)) == ask_peer(struct, message)


@given(
    kind=st.sampled_from(["uint64", "int128", "address", "bytes32", "string", "bytes", "bool"]),
    form=st.sampled_from(["[]", "[2]", "[][2]", "[2][]"]),
    data=st.data(),
)
def test_an_independent_encoder_agrees_on_arrays_and_nested_structs(kind: str, form: str, data: st.DataObject) -> None:
    """The same for arrays (of arrays) and structs in structs, by `parse_types`."""
    types = {
        "Outer": [{"name": "items", "type": kind + form}, {"name": "inner", "type": "Inner[]"}],
        "Inner": [{"name": "a", "type": kind}],
    }

    def draw(dimensions: list[str]) -> Any:
        if not dimensions:
            return data.draw(values_of(kind))
        count = 2 if dimensions[-1] == "2" else data.draw(st.integers(0, 3))
        return [draw(dimensions[:-1]) for _ in range(count)]

    message = {
        "items": draw(re.findall(r"\[(\d*)\]", form)),
        "inner": [{"a": data.draw(values_of(kind))} for _ in range(data.draw(st.integers(0, 2)))],
    }
    signable = encode_typed_data(domain_data=DOMAIN, message_types=types, message_data=message)
    expected = keccak256(b"\x19" + signable.version + signable.header + signable.body)
    assert compute_digest(JOB_LEDGER, parse_types(types, "Outer").hash(message)) == expected


@each_struct
@given(data=st.data())
def test_json_there_and_back_is_the_identity(cls: type[TypedStruct], data: st.DataObject) -> None:
    """from_json(to_json(s)) = s."""
    struct = data.draw(structs_of(cls))
    assert cls.from_json(struct.to_json()) == struct


@each_struct
@given(data=st.data())
def test_any_flipped_bit_changes_the_digest(cls: type[TypedStruct], data: st.DataObject) -> None:
    """S ≠ t in one bit of any member ⇒ hash(s) ≠ hash(t)."""
    struct = data.draw(structs_of(cls))
    for kind, name in cls.TYPE.members:
        value = getattr(struct, to_snake(name))
        other = replace(struct, **{to_snake(name): flip(kind, value, data.draw(st.integers(0, 255)))})
        assert other != struct
        assert other.struct_hash() != struct.struct_hash()


@each_statement
@given(data=st.data())
def test_signature_holds_for_no_other_statement(cls: type[Any], data: st.DataObject) -> None:
    """A signature over s verifies for s, and for no statement that differs from s in one bit."""
    statement = data.draw(structs_of(cls))
    signed: Signed[Any] = Signed.issue(statement, JOB_LEDGER, COORDINATOR)
    signed.verify(JOB_LEDGER, COORDINATOR.address)
    kind, name = data.draw(st.sampled_from(cls.TYPE.members))
    changed = flip(kind, getattr(statement, to_snake(name)), data.draw(st.integers(0, 255)))
    other = replace(statement, **{to_snake(name): changed})
    with pytest.raises((WrongSigner, Malformed)):
        Signed(other, signed.signature).verify(JOB_LEDGER, COORDINATOR.address)


@given(digest=st.binary(min_size=32, max_size=32), bit=st.integers(0, 8 * 65 - 1))
def test_any_flipped_bit_of_a_signature_is_seen(digest: bytes, bit: int) -> None:
    """No other 65 bytes that differ in one bit verify for the same digest and address."""
    signature = COORDINATOR.sign(digest)
    flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(65, "big")
    assert recover(digest, signature) == COORDINATOR.address
    with pytest.raises((WrongSigner, Malformed)):
        verify_signature(digest, flipped, COORDINATOR.address)
