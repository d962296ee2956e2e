"""Contract interfaces: encoding of calls, decoding of results, events and revert reasons, from the committed artifacts.

Selectors and topics are made with the ledger's own keccak. eth-abi does the encoding of arguments; it accepts more than
it should (short bytes32, for one), so values come in as the ledger's checked statements, or from `calls.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from ledger.hashing import keccak256

Fragment = Mapping[str, Any]
Values = dict[str, Any]

ERROR_STRING: Fragment = {"name": "Error", "inputs": [{"name": "reason", "type": "string"}]}
PANIC: Fragment = {"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]}


class MalformedAnswer(Exception):
    """A contract's answer, event or revert data does not have the shape its interface promises."""

    def __init__(self, what: str, expected: str, got: str) -> None:
        self.what = what
        self.expected = expected
        self.got = got
        super().__init__(f"expected {what} to be {expected}, got {got}")


@dataclass(frozen=True)
class Interface:
    """The ABI of one contract.

    Args:
        name: the contract's name, for messages.
        fragments: the ABI as the compiler wrote it.
    """

    name: str
    fragments: Sequence[Fragment]

    @cached_property
    def functions(self) -> dict[str, Fragment]:
        """Functions by name. Our contracts overload none that we call."""
        return {f["name"]: f for f in self.fragments if f["type"] == "function"}

    @cached_property
    def events(self) -> dict[bytes, Fragment]:
        """Events by topic 0."""
        return {keccak256(compute_signature(f).encode()): f for f in self.fragments if f["type"] == "event"}

    @cached_property
    def reverts(self) -> dict[bytes, Fragment]:
        """Custom errors by selector."""
        return {_selector(f): f for f in self.fragments if f["type"] == "error"}

    def encode_call(self, function: str, arguments: Sequence[object]) -> bytes:
        """Return the calldata of a call; structs are tuples, addresses 20 bytes."""
        fragment = self.functions[function]
        return _selector(fragment) + encode(_types(fragment["inputs"]), arguments)

    def encode_deployment(self, arguments: Sequence[object]) -> bytes:
        """Return the constructor's encoded arguments."""
        inputs: Sequence[Fragment] = next((f["inputs"] for f in self.fragments if f["type"] == "constructor"), [])
        return encode(_types(inputs), arguments)

    def decode_result(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Return what a call answered, one element per output.

        Raises:
            MalformedAnswer: the data does not decode.
        """
        outputs = self.functions[function]["outputs"]
        return _decode(f"the answer of {self.name}.{function}", outputs, data)

    def decode_struct(self, function: str, data: bytes) -> Values:
        """Return the members by name of the one struct that a call answered, so that their order may change.

        Raises:
            MalformedAnswer: the data does not decode.
        """
        (members,) = self.decode_result(function, data)
        (output,) = self.functions[function]["outputs"]
        return dict(zip(_names(output["components"]), members, strict=True))

    def decode_call(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        """Return name and arguments of calldata.

        Raises:
            MalformedAnswer: no function has this selector, or the arguments do not decode.
        """
        for name, fragment in self.functions.items():
            if _selector(fragment) == data[:4]:
                return name, _decode(f"the calldata of {self.name}.{name}", fragment["inputs"], data[4:])
        raise MalformedAnswer(
            f"the calldata for {self.name}", "a call of a known function", f"selector 0x{data[:4].hex()}"
        )

    def decode_event(self, topics: Sequence[bytes], data: bytes) -> tuple[str, Values] | None:
        """Return name and values of a log, or None where the interface has no such event.

        Raises:
            MalformedAnswer: the log has the event's topic and not its shape.
        """
        fragment = self.events.get(topics[0]) if topics else None
        if fragment is None:
            return None
        what = f"the event {self.name}.{fragment['name']}"
        indexed = [field for field in fragment["inputs"] if field["indexed"]]
        plain = [field for field in fragment["inputs"] if not field["indexed"]]
        if len(indexed) != len(topics) - 1:
            raise MalformedAnswer(what, f"{len(indexed)} indexed fields", f"{len(topics) - 1}")
        values = dict(zip(_names(indexed), _decode(what, indexed, b"".join(topics[1:])), strict=True))
        values.update(zip(_names(plain), _decode(what, plain, data), strict=True))
        return fragment["name"], values


def decode_revert(interfaces: Iterable[Interface], data: bytes) -> tuple[str, Values] | None:
    """Return name and operands of revert data, or None where no interface knows the error."""
    known: dict[bytes, Fragment] = {_selector(ERROR_STRING): ERROR_STRING, _selector(PANIC): PANIC}
    for interface in interfaces:
        known.update(interface.reverts)
    fragment = known.get(data[:4])
    if fragment is None:
        return None
    try:
        operands = _decode(f"the error {fragment['name']}", fragment["inputs"], data[4:])
    except MalformedAnswer:
        return None
    return fragment["name"], dict(zip(_names(fragment["inputs"]), operands, strict=True))


def compute_signature(fragment: Fragment) -> str:
    """Return the canonical signature, such as `claim(bytes32,uint64)`, with structs spelled as tuples."""
    return f"{fragment['name']}({','.join(_types(fragment['inputs']))})"


def _selector(fragment: Fragment) -> bytes:
    return keccak256(compute_signature(fragment).encode())[:4]


def _types(fields: Sequence[Fragment]) -> list[str]:
    return [_type(field) for field in fields]


def _type(field: Fragment) -> str:
    kind: str = field["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(field['components']))}){kind.removeprefix('tuple')}"


def _names(fields: Sequence[Fragment]) -> list[str]:
    return [field["name"] or str(position) for position, field in enumerate(fields)]


def _decode(what: str, fields: Sequence[Fragment], data: bytes) -> tuple[Any, ...]:
    types = _types(fields)
    try:
        values = decode(types, data)
    except (DecodingError, OverflowError) as error:
        raise MalformedAnswer(what, f"({','.join(types)})", f"{len(data)} bytes ({error})") from None
    return tuple(_plain(kind, value) for kind, value in zip(fields, values, strict=True))


def _plain(field: Fragment, value: Any) -> Any:
    """Turn eth-abi's addresses, which are hex text, into 20 bytes, also inside structs and arrays."""
    kind: str = field["type"]
    if kind.endswith("]"):
        inner = {**field, "type": kind[: kind.rindex("[")]}
        return tuple(_plain(inner, item) for item in value)
    if kind == "tuple":
        return tuple(_plain(part, item) for part, item in zip(field["components"], value, strict=True))
    return bytes.fromhex(value[2:]) if kind == "address" else value
