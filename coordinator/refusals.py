"""Refusals as data: attributes are operands, the class has the HTTP status, the message is a sentence for a person.

Free of the web framework: the compute child and the stores raise them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic.alias_generators import to_camel

from ledger.hexadecimal import ADDRESS_BYTES, to_address, to_hex
from ledger.wire import ErrorMessage


class RequestRefused(Exception):
    """Root of all refusals: attributes are operands, `status` the HTTP status, the message a sentence for a person."""

    status: ClassVar[int] = 400
    headers: ClassVar[Mapping[str, str] | None] = None

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        operands = {to_camel(name): show(value) for name, value in vars(self).items() if not name.startswith("_")}
        return {"error": type(self).__name__, "detail": str(self), **operands}


def describe_refusals(*refusals: type[RequestRefused]) -> dict[int | str, dict[str, Any]]:
    """What a route lists in its `responses`: each refusal under its status, with its name and meaning."""
    listed: dict[int, list[type[RequestRefused]]] = {}
    for refusal in refusals:
        listed.setdefault(refusal.status, []).append(refusal)
    return {status: _describe(kinds) for status, kinds in sorted(listed.items())}


def show(value: object) -> Any:
    """An operand as JSON: bytes as hex, addresses checksummed."""
    if isinstance(value, bytes):
        return to_address(value) if len(value) == ADDRESS_BYTES else to_hex(value)
    if isinstance(value, Mapping):
        return {str(key): show(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [show(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _describe(kinds: list[type[RequestRefused]]) -> dict[str, Any]:
    lines = [f"`{kind.__name__}`: {(kind.__doc__ or '').splitlines()[0]}" for kind in kinds]
    return {"model": ErrorMessage, "description": " · ".join(lines)}
