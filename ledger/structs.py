"""Typed structs as frozen dataclasses: checked when made, hashed as EIP-712 does, written as JSON, read back strictly.

JSON: the members' own names; bytes32 as lower-case hex, addresses with EIP-55 checksum, integers of up to 64 bits as
numbers (at most 2^53 − 1), wider ones as decimal strings.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Final, Self, TypeVar

from ledger.canonical import SAFE_INTEGER, JsonValue
from ledger.columns import DECIMAL, choose_column, split_columns
from ledger.eip712 import StructType
from ledger.errors import Malformed, MalformedStatement
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex
from ledger.words import WORDS

T = TypeVar("T")

_DECIMAL: Final = re.compile(DECIMAL)
_TYPE_STRING: Final = re.compile(r"(?P<name>\w+)\((?P<members>[\w ,]+)\)")


def define_type(type_string: str) -> StructType:
    """Returns the struct type that an EIP-712 type string of atomic members defines."""
    parts = _TYPE_STRING.fullmatch(type_string)
    if parts is None:
        raise MalformedStatement("type", "Name(type member,…) with atomic members", type_string)
    members = [member.split(" ") for member in parts["members"].split(",")]
    return StructType(parts["name"], [(kind, name) for kind, name in members])


@dataclass(frozen=True, slots=True)
class TypedStruct:
    """Base of statements, bodies and openings: `TYPE` fixes the members, fields are the same names in snake_case.

    Raises:
        MalformedStatement: at construction, when a value is not exactly of its member's type and width.
    """

    TYPE: ClassVar[StructType]
    _read_values: ClassVar[Any]
    _json_members: ClassVar[tuple[tuple[str, str, _JsonForm], ...]]

    def __init_subclass__(cls) -> None:
        if "TYPE" in cls.__dict__:
            struct = cls.TYPE
            cls._read_values = attrgetter(*(to_snake(name) for _, name in struct.members))
            cls._json_members = tuple(
                (name, f"{struct.name}.{name}", _choose_form(kind)) for kind, name in struct.members
            )

    def __post_init__(self) -> None:
        self.TYPE.check(self._read_values(self))

    def values(self) -> tuple[Any, ...]:
        """Returns the members' values in order."""
        values: tuple[Any, ...] = self._read_values(self)
        return values

    def struct_hash(self) -> bytes:
        """Returns `hashStruct`: keccak256(abi.encode(TYPE_HASH, …))."""
        return self.TYPE.hash_checked(self._read_values(self))

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the members by name as JSON values.

        Raises:
            MalformedStatement: when an integer of up to 64 bits is above 2^53 − 1, which JSON readers round.
        """
        members = zip(self._json_members, self.values(), strict=True)
        return {name: form.write(value, subject) for (name, subject, form), value in members}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes.

        Raises:
            MalformedStatement, MalformedHex: for a missing or unknown member, another JSON type, or another form.
        """
        fields = read_object(value, cls.TYPE.name, [name for name, _, _ in cls._json_members])
        return cls(*(form.read(fields[name], subject) for name, subject, form in cls._json_members))

    @classmethod
    def from_json_all(cls, values: Sequence[object]) -> list[Self] | None:
        """Reads many at once: what `from_json` gives for each, or None where it might refuse one."""
        columns = read_columns(values, cls.TYPE.members)
        if columns is None:
            return None
        # What __init__ does, a member at a time; its check has been made for whole columns.
        made = [object.__new__(cls) for _ in values]
        for (_, name), column in zip(cls.TYPE.members, columns, strict=True):
            deque(map(getattr(cls, to_snake(name)).__set__, made, column), maxlen=0)
        return made


def to_snake(name: str) -> str:
    """Returns a camelCase name in snake_case."""
    return re.sub(r"([A-Z])", lambda capital: "_" + capital[1].lower(), name)


def read_object(
    value: object, subject: str, names: Sequence[str], error: type[Malformed] = MalformedStatement
) -> Mapping[str, object]:
    """Returns a JSON object that has exactly the keys `names`.

    Raises:
        Malformed: as `error`, naming the missing and the unknown keys.
    """
    if type(value) is not dict:
        raise error(subject, "a JSON object", value)
    if len(value) != len(names) or not value.keys() >= set(names):
        missing = [name for name in names if name not in value]
        unknown = [str(key) for key in value if key not in names]
        raise error(subject, f"expected exactly {', '.join(names)}; missing: {missing}, unknown: {unknown}")
    return value


def read_columns(values: Sequence[object], members: Sequence[tuple[str, str]]) -> list[Sequence[Any]] | None:
    """Returns the columns of JSON objects with exactly these (type, name) members, or None if any might be refused.

    Every value is then exactly of its member's type and width.
    """
    split = split_columns(values, [name for _, name in members])
    if split is None:
        return None
    columns = []
    for (kind, _), texts in zip(members, split, strict=True):
        column = choose_column(kind)(texts)
        if column is None or not _is_within(WORDS[kind].limits, column):
            return None
        columns.append(column)
    return columns


def _is_within(limits: tuple[int, int] | int | None, column: Sequence[Any]) -> bool:
    """Whether a column that was read is within a word's limits; bytes were read by their length."""
    return not isinstance(limits, tuple) or (limits[0] <= min(column) and max(column) < limits[1])


def read_all(
    values: Sequence[object], together: Callable[[Sequence[object]], list[T] | None], one: Callable[[object], T]
) -> list[T]:
    """Reads all values together where they are as expected, else one by one, so that the first wrong one is named."""
    try:
        read = together(values)
    except Malformed:
        read = None
    return [one(value) for value in values] if read is None else read


def read_member(kind: str, value: object, subject: str) -> int | bytes:
    """Reads one atomic member from its JSON form.

    Raises:
        MalformedStatement, MalformedHex: for another JSON type or another form; the width is checked at construction.
    """
    return _choose_form(kind).read(value, subject)


@dataclass(frozen=True, slots=True)
class _JsonForm:
    """How the members of one type are read from JSON and written to it."""

    read: Callable[[object, str], int | bytes]
    write: Callable[[Any, str], JsonValue]


def _choose_form(kind: str) -> _JsonForm:
    if kind == "address":
        return _JsonForm(parse_address, lambda value, _: to_address(value))
    if kind.startswith("bytes"):
        length = int(kind.removeprefix("bytes"))
        return _JsonForm(lambda value, subject: parse_hex(value, length, subject), lambda value, _: to_hex(value))
    if int(kind.removeprefix("u").removeprefix("int")) > 64:
        return _JsonForm(_read_decimal, lambda value, _: str(value))
    return _JsonForm(_read_safe, _write_safe)


def _read_decimal(value: object, subject: str) -> int:
    if type(value) is not str or _DECIMAL.fullmatch(value) is None:
        raise MalformedStatement(subject, "a decimal string such as '1000', without leading zeros or '+'", value)
    return int(value)


def _read_safe(value: object, subject: str) -> int:
    if type(value) is not int or not 0 <= value <= SAFE_INTEGER:
        raise MalformedStatement(subject, "a JSON integer from 0 to 2^53 − 1", value)
    return value


def _write_safe(value: int, subject: str) -> JsonValue:
    if value > SAFE_INTEGER:
        raise MalformedStatement(subject, "at most 2^53 − 1 to be written as JSON", value)
    return value
