from typing import Any

import numpy as np
import pytest

from ledger.eip712 import Domain, StructType, compute_digest, compute_domain, parse_types
from ledger.errors import MalformedStatement
from ledger.hashing import keccak256

# The example of EIP-712 itself.
MAIL: dict[str, list[dict[str, str]]] = {
    "EIP712Domain": [],
    "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    "Mail": [
        {"name": "from", "type": "Person"},
        {"name": "to", "type": "Person"},
        {"name": "contents", "type": "string"},
    ],
}
COW = {"name": "Cow", "wallet": bytes.fromhex("cd2a3d9f938e13cd947ec05abc7fe734df8dd826")}
BOB = {"name": "Bob", "wallet": bytes.fromhex("bb" * 20)}
ETHER_MAIL = Domain("Ether Mail", "1", 1, bytes.fromhex("cc" * 20))


def test_the_example_of_eip712() -> None:
    mail = parse_types(MAIL, "Mail")
    assert mail.type_string == "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    struct_hash = mail.hash({"from": COW, "to": BOB, "contents": "Hello, Bob!"})
    assert struct_hash.hex() == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    assert ETHER_MAIL.separator.hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    digest = compute_digest(ETHER_MAIL, struct_hash)
    assert digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


def test_values_may_come_in_order_or_by_name() -> None:
    mail = parse_types(MAIL, "Mail")
    by_name = mail.hash({"from": COW, "to": BOB, "contents": "x"})
    assert mail.hash([("Cow", COW["wallet"]), ("Bob", BOB["wallet"]), "x"]) == by_name


WRONG: list[tuple[str, list[Any]]] = [
    ("uint8", [-1, 256, True, "1", "0x1", 1.0, None, np.uint8(1)]),
    ("uint64", [-1, 1 << 64, np.int64(1), b"\x01"]),
    ("uint256", [-1, 1 << 256]),
    ("int8", [-129, 128, False]),
    ("int128", [1 << 127, -(1 << 127) - 1, "1"]),
    ("bytes32", [b"", bytes(31), bytes(33), "0x" + "00" * 32, bytearray(32), memoryview(bytes(32))]),
    ("bytes4", [bytes(3), bytes(5)]),
    ("address", [bytes(19), bytes(32), "0x" + "00" * 20]),
    ("bool", [0, 1, "true", np.True_]),
    ("string", [b"text", 1, "\ud800"]),
    ("bytes", ["text", bytearray(1)]),
    ("uint8[]", [1, "12", [256], [True], {0: 1}, (1, -1)]),
    ("uint8[2]", [[], [1], [1, 2, 3]]),
    ("uint8[2][]", [[[1]], [1, 2]]),
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in WRONG for value in values])
def test_inexact_value_is_refused_by_name(kind: str, value: Any) -> None:
    struct = StructType("Thing", [("bool", "before"), (kind, "member")])
    with pytest.raises(MalformedStatement, match=r"^Thing\.member"):
        struct.hash([True, value])


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        ("uint8", 255, "00" * 31 + "ff"),
        ("uint64", (1 << 64) - 1, "00" * 24 + "ff" * 8),
        ("uint72", 1 << 64, "00" * 23 + "01" + "00" * 8),
        ("uint256", (1 << 256) - 1, "ff" * 32),
        ("int8", -128, "ff" * 31 + "80"),
        ("int128", -1, "ff" * 32),
        ("int256", 1, "00" * 31 + "01"),
        ("bytes4", b"\x01\x02\x03\x04", "01020304" + "00" * 28),
        ("address", b"\xaa" * 20, "00" * 12 + "aa" * 20),
        ("bool", True, "00" * 31 + "01"),
        ("bool", False, "00" * 32),
    ],
)
def test_word_of_each_atomic_type(kind: str, value: Any, word: str) -> None:
    struct = StructType("Thing", [(kind, "member")])
    assert struct.hash([value]) == keccak256(keccak256(f"Thing({kind} member)".encode()) + bytes.fromhex(word))


@pytest.mark.parametrize("values", [[], [True], [True, 1, 2], {"a": True}, {"a": True, "b": 1, "c": 2}, "ab", 7])
def test_missing_or_extra_values_are_refused(values: Any) -> None:
    with pytest.raises(MalformedStatement):
        StructType("Thing", [("bool", "a"), ("uint8", "b")]).hash(values)


@pytest.mark.parametrize(
    "kind", ["uint", "int", "uint7", "uint264", "uint08", "bytes0", "bytes33", "byte", "Uint8", "uint8[0]"]
)
def test_type_that_is_not_solidity_written_out_is_refused(kind: str) -> None:
    with pytest.raises(MalformedStatement):
        StructType("Thing", [(kind, "member")])


@pytest.mark.parametrize(
    "kind", ["uint8[01]", "uint8[-1]", "uint8[", "[]", "uint8[] ", "Other", "", "function", "uint8[][", "mapping"]
)
def test_type_that_is_unknown_is_refused(kind: str) -> None:
    with pytest.raises(MalformedStatement):
        StructType("Thing", [(kind, "member")])


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("1Thing", [("bool", "a")]),
        ("Thing", [("bool", "a b")]),
        ("Thing", [("bool", "")]),
        ("Thing", [("bool", "a"), ("uint8", "a")]),
        ("Thing", [("bool", "a)Evil(bool b")]),
        ("bool", [("bool", "a")]),
    ],
)
def test_names_that_could_forge_another_type_are_refused(name: str, members: list[tuple[str, str]]) -> None:
    with pytest.raises(MalformedStatement):
        StructType(name, members)


def test_two_definitions_of_one_struct_are_refused() -> None:
    one, other = StructType("Inner", [("bool", "a")]), StructType("Inner", [("uint8", "a")])
    outer = StructType("Outer", [("Inner", "a")], [one])
    with pytest.raises(MalformedStatement, match="one definition of Inner"):
        StructType("Top", [("Outer", "a"), ("Inner", "b")], [outer, other])
    with pytest.raises(MalformedStatement, match="one definition of Inner"):
        StructType("Inner", [("Outer", "a")], [outer])


@pytest.mark.parametrize(
    ("types", "primary"),
    [
        ({"A": [{"name": "a", "type": "bool"}]}, "B"),
        ({"A": [{"name": "a", "type": "B"}]}, "A"),
        ({"A": [{"name": "a", "type": "A"}]}, "A"),
        ({"A": [{"name": "a", "type": "B[]"}], "B": [{"name": "a", "type": "A"}]}, "A"),
        ({"A": [{"name": "a", "type": "bool"}], "B": [{"name": "a", "type": "bool"}]}, "A"),
        ({"A": [{"name": "a", "type": "bool", "extra": "x"}]}, "A"),
        ({"A": [{"name": "a"}]}, "A"),
    ],
)
def test_parse_types_refuses_unclear_definitions(types: Any, primary: str) -> None:
    with pytest.raises(MalformedStatement):
        parse_types(types, primary)


def test_domain_holds_exactly_the_given_members() -> None:
    assert Domain().separator == keccak256(keccak256(b"EIP712Domain()"))
    assert Domain("a").separator != Domain(version="a").separator
    assert Domain("Tallystick", "1", 5, bytes(20)) == compute_domain(5, bytes(20))


@pytest.mark.parametrize(
    ("chain_id", "contract"), [(None, bytes(20)), (1, None), (True, bytes(20)), ("1", bytes(20)), (1, bytes(32))]
)
def test_domain_of_ours_always_names_chain_and_contract(chain_id: Any, contract: Any) -> None:
    with pytest.raises(MalformedStatement):
        compute_domain(chain_id, contract)


@pytest.mark.parametrize("struct_hash", [b"", bytes(31), bytearray(32), "00"])
def test_digest_takes_a_whole_struct_hash_only(struct_hash: Any) -> None:
    with pytest.raises(MalformedStatement):
        compute_digest(Domain("a"), struct_hash)
