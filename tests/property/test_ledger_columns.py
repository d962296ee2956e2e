"""Reading many values together never differs from reading them one by one: same values, same first error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import canonical
from ledger.eip712 import StructType
from ledger.entry import Body, Entry
from ledger.errors import Malformed, MalformedJson, MalformedStatement
from ledger.evidence import ReportedContribution
from ledger.signatures import Signer
from ledger.statements import Contribution, Receipt, Signed, Voucher
from ledger.structs import TypedStruct, define_type, read_all
from ledger.tree import PaddedTree
from ledger.words import WORDS
from tests.property.ledger_values import addresses, bytes32, structs_of, values_of
from tests.property.test_ledger_tree import trees

SIGNATURE = Signer(bytes(31) + b"\x01").sign(bytes(32))
KINDS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], st.SearchStrategy[Any]]] = {
    "receipts": (
        partial(Signed.from_json_all, Receipt),
        partial(Signed.from_json, Receipt),
        structs_of(Receipt).map(lambda statement: Signed(statement, SIGNATURE)),
    ),
    "contributions": (
        ReportedContribution.from_json_all,
        ReportedContribution.from_json,
        structs_of(Contribution).map(lambda one: ReportedContribution(Signed(one, SIGNATURE), {"loss": "0.5"})),
    ),
    "vouched contributions": (
        ReportedContribution.from_json_all,
        ReportedContribution.from_json,
        st.builds(
            lambda one, voucher: ReportedContribution(Signed(one, SIGNATURE), {}, Signed(voucher, SIGNATURE)),
            structs_of(Contribution),
            structs_of(Voucher),
        ),
    ),
    "entries": (
        Entry.from_json_all,
        Entry.from_json,
        st.builds(Entry, values_of("uint64"), addresses, values_of("uint128"), structs_of(Body)),
    ),
}
# What a hostile file has where a value should be: other types, widths, spellings of the same value.
STRANGE: Sequence[object] = (
    None, True, 0, -1, 1 << 53, 1 << 64, "", "0", "-0", "00", "+1", "1,2", "1_0", "\u0661", " 1", "1" * 79,
    str(1 << 128), str(-(1 << 127)), str(-(1 << 127) - 1), "0x", "0x" + "0" * 40, "0x" + "A" * 40, "0x" + "a" * 64,
    "0X" + "a" * 64, "0x" + "A" * 64, "0x" + " a" * 32, "0x" + "0x" * 32, "00" + "a" * 62 + "0x", "0x" + "a" * 66,
    "0x" + "\u0661" * 64, "0x" + "0" * 130, "0x" + "f" * 128 + "1b", [], ["0x"], {}, {"loss": 1}, {"loss": "1"},
)  # fmt: skip


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Malformed as error:
        return type(error), str(error)


def assert_same(kind: str, values: Sequence[Any]) -> None:
    together, one, _ = KINDS[kind]
    assert outcome(lambda: read_all(values, together, one)) == outcome(lambda: [one(value) for value in values])


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every member of nested objects."""
    if not isinstance(value, dict):
        return []
    return [place for key in value for place in [(*path, key), *list_places(value[key], (*path, key))]]


def put(value: Any, path: Sequence[Any], strange: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = strange


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_honest_values_are_read_together_as_one_by_one(kind: str, data: st.DataObject) -> None:
    together, one, made = KINDS[kind]
    values = [item.to_json() for item in data.draw(st.lists(made, min_size=1, max_size=4))]
    assert together(values) == [one(value) for value in values]


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3)
@given(data=st.data())
def test_any_strange_value_anywhere_is_refused_as_one_by_one(kind: str, strange: object, data: st.DataObject) -> None:
    first = data.draw(KINDS[kind][2]).to_json()
    places = list_places(first)
    for place in places:
        values = [canonical.decode(canonical.encode(first)) for _ in range(3)]
        put(values[1], place, strange)
        assert_same(kind, values)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_missing_and_unknown_members_are_refused_as_one_by_one(kind: str, data: st.DataObject) -> None:
    first = data.draw(KINDS[kind][2]).to_json()
    strange: object
    for strange in (None, 1, [], {}, first | {"more": 1}, {key: value for key, value in first.items() if key != "seq"}):
        assert_same(kind, [first, strange, first])
    assert_same(kind, [])


@dataclass(frozen=True, slots=True)
class Even(TypedStruct):
    """A struct with a rule beyond types and widths."""

    TYPE: ClassVar[StructType] = define_type("Even(uint64 first,uint64 second)")

    first: int
    second: int

    def __post_init__(self) -> None:
        TypedStruct.__post_init__(self)
        if (self.first + self.second) % 2:
            raise MalformedStatement("Even", "an even sum", self.first + self.second)


def test_rules_of_a_struct_of_its_own_are_never_passed_over() -> None:
    odd = [{"first": 1, "second": 1}, {"first": 1, "second": 2}]
    assert Even.from_json_all(odd[:1]) is None
    with pytest.raises(MalformedStatement, match="an even sum"):
        read_all(odd, Even.from_json_all, Even.from_json)


@pytest.mark.parametrize("kind", WORDS)
@given(data=st.data())
def test_struct_checks_as_its_words_do(kind: str, data: st.DataObject) -> None:
    """The short check accepts exactly what each word's own check accepts."""
    bits = int("0" + kind.lstrip("uint")) if kind.lstrip("u").startswith("int") else 8
    edges = [0, -1, (1 << bits) - 1, 1 << bits, (1 << bits - 1) - 1, -(1 << bits - 1), -(1 << bits - 1) - 1]
    strange: list[object] = [*edges, True, 1.0, None, "1", b"", bytearray(32), *(bytes(size) for size in range(1, 34))]
    value = data.draw(st.one_of(values_of(kind), st.sampled_from(strange)))
    struct = StructType("T", [("bytes32", "before"), (kind, "value")])
    word = outcome(lambda: WORDS[kind].check(value, "T.value"))
    assert outcome(lambda: struct.check((bytes(32), value))) == word


def test_struct_checks_the_number_of_values() -> None:
    with pytest.raises(MalformedStatement, match="2 values"):
        StructType("T", [("uint8", "a"), ("uint8", "b")]).check((1,))


@given(tree=trees)
def test_dump_is_written_at_once_as_its_canonical_json(tree: PaddedTree) -> None:
    assert tree.dump_bytes() == canonical.encode(tree.dump())


def measure_depth(content: bytes) -> int:
    """How deep brackets outside strings nest, one byte after the other."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in content.decode("ascii"):
        if in_string:
            in_string = escaped or byte != '"'
            escaped = byte == "\\" and not escaped
        elif byte == '"':
            in_string = True
        else:
            depth += (byte in "[{") - (byte in "]}")
            deepest = max(deepest, depth)
    return deepest


nested = st.recursive(
    st.sampled_from([None, 1, "", "[[[", "]]]", '"', "\\", '\\"[', "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "]", "{"]), inner, max_size=3),
    max_leaves=20,
)


@given(value=nested, around=st.integers(0, 40), braces=st.booleans())
@example(value=[], around=canonical.MAX_DEPTH - 1, braces=True)
@example(value=[], around=canonical.MAX_DEPTH, braces=True)
@example(value="]]]]", around=canonical.MAX_DEPTH + 1, braces=False)
def test_depth_is_counted_outside_strings_whatever_they_hold(value: Any, around: int, braces: bool) -> None:
    content = canonical.encode(value)
    for level in range(around):
        content = b'{"k":' + content + b"}" if braces and level % 2 else b"[" + content + b"]"
    if measure_depth(content) <= canonical.MAX_DEPTH:
        canonical.decode(content)
    else:
        with pytest.raises(MalformedJson, match="nested deeper"):
            canonical.decode(content)


@given(data=st.data(), salt=bytes32)
def test_addresses_are_read_alike_the_first_and_the_second_time(data: st.DataObject, salt: bytes) -> None:
    """What is remembered of an address never changes what is said of it."""
    receipt = data.draw(structs_of(Receipt)).to_json()
    receipt["node"] = "0x" + salt.hex()[:40].upper()
    first = outcome(lambda: Receipt.from_json(receipt))
    assert first == outcome(lambda: Receipt.from_json(receipt))
