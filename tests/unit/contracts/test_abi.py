"""Encoding and decoding against selectors and words known from Solidity."""

import pytest

from contracts.abi import Interface, MalformedAnswer, compute_signature, decode_revert
from contracts.artifacts import load_artifact, load_interfaces
from contracts.state import Anchor
from ledger.hashing import keccak256

TOKEN = load_artifact("TallyToken").interface
WORD = (7).to_bytes(32, "big")


def test_selector_is_the_well_known_one() -> None:
    assert TOKEN.encode_call("transfer", (b"\x11" * 20, 7)).hex() == ("a9059cbb" + "00" * 12 + "11" * 20 + WORD.hex())


def test_calldata_decodes_to_what_was_encoded() -> None:
    data = TOKEN.encode_call("transfer", (b"\x11" * 20, 7))
    assert TOKEN.decode_call(data) == ("transfer", (b"\x11" * 20, 7))
    with pytest.raises(MalformedAnswer, match="selector 0x01020304"):
        TOKEN.decode_call(b"\x01\x02\x03\x04")


def test_struct_is_spelled_as_a_tuple() -> None:
    function = load_artifact("NodeRegistry").interface.functions["register"]
    assert compute_signature(function) == "register((address,address,address,uint64),bytes)"


@pytest.mark.parametrize("data", [b"", b"\x00" * 31])
def test_answer_that_is_too_short_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedAnswer, match=r"TallyToken\.balanceOf"):
        TOKEN.decode_result("balanceOf", data)


def test_address_with_dirty_upper_bytes_is_malformed() -> None:
    ledger = load_artifact("JobLedger").interface
    with pytest.raises(MalformedAnswer):
        ledger.decode_result("registry", b"\x01" * 32)


def test_event_needs_its_indexed_fields() -> None:
    topic = keccak256(b"Transfer(address,address,uint256)")
    padded = bytes(12) + b"\x22" * 20
    assert TOKEN.decode_event([topic, padded, padded], WORD) == (
        "Transfer",
        {"from": b"\x22" * 20, "to": b"\x22" * 20, "value": 7},
    )
    with pytest.raises(MalformedAnswer, match="2 indexed fields, got 1"):
        TOKEN.decode_event([topic, padded], WORD)
    with pytest.raises(MalformedAnswer):
        TOKEN.decode_event([topic, padded, padded], WORD[1:])
    assert TOKEN.decode_event([bytes(32)], b"") is None
    assert TOKEN.decode_event([], b"") is None


def test_revert_names_error_and_operands_of_any_contract() -> None:
    data = keccak256(b"JobLedger_NotFinal(uint256,uint256)")[:4] + WORD + WORD
    assert decode_revert(load_interfaces().values(), data) == ("JobLedger_NotFinal", {"actual": 7, "finalAt": 7})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big"), ("Panic", {"code": 0x11})),
        (
            bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (2).to_bytes(32, "big") + b"no".ljust(32, b"\0"),
            ("Error", {"reason": "no"}),
        ),
        (bytes.fromhex("08c379a0"), None),
        (b"\x01\x02\x03\x04", None),
        (b"", None),
    ],
)
def test_builtin_and_unknown_reverts(data: bytes, expected: object) -> None:
    assert decode_revert([], data) == expected


def test_anchor_word_is_that_of_abi_encode() -> None:
    anchor = Anchor(b"\x01" * 32, b"\x02" * 32, 3, 4)
    words = b"\x01" * 32 + b"\x02" * 32 + (3).to_bytes(32, "big") + (4).to_bytes(32, "big")
    assert anchor.word() == keccak256(words)


def test_code_is_recognised_whatever_its_immutables() -> None:
    artifact = load_artifact("JobLedger")
    found = bytearray(artifact.code)
    start, length = artifact.immutables[0]
    found[start : start + length] = b"\xaa" * length
    assert artifact.is_code(bytes(found))
    found[0] ^= 1
    assert not artifact.is_code(bytes(found))
    assert not artifact.is_code(b"")
    assert not artifact.is_code(artifact.code + b"\0")


def test_interface_without_constructor_takes_no_arguments() -> None:
    assert Interface("Empty", []).encode_deployment(()) == b""
