"""Canonical JSON (RFC 8785) without floats: equal values have equal bytes, so a digest can stand on them.

Only null, booleans, strings, safe integers (|n| ≤ 2^53 − 1), lists and objects with string keys. Amounts and fractions
are decimal strings. What Python's encoder writes for these is RFC 8785 once keys are sorted by UTF-16 code units.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn, TypeAlias

from ledger.errors import MalformedJson

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"

SAFE_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 32

_SUBJECT: Final = "canonical JSON"
_ALLOWED: Final = "null, a boolean, a string, a safe integer, a list or an object (write fractions as decimal strings)"
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"\\')
_TO_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))


def encode(value: object) -> bytes:
    """Returns the canonical bytes of `value`.

    Raises:
        MalformedJson: for floats, unsafe integers, other types, keys that are not strings, lone surrogates, or nesting
            deeper than `MAX_DEPTH`.
    """
    try:
        return _ENCODER.encode(_sort(value, MAX_DEPTH)).encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedJson(_SUBJECT, "text without lone surrogates", error.object[error.start : error.end]) from None


def decode(content: bytes, *, require_canonical: bool = False) -> JsonValue:
    """Reads JSON strictly: UTF-8, no duplicate keys, no floats, no unsafe integers.

    With `require_canonical`, the bytes must be the ones that `encode` writes.

    Raises:
        MalformedJson: for anything else.
    """
    if type(content) is not bytes:
        raise MalformedJson(_SUBJECT, "bytes", content)
    _check_depth(content)
    try:
        value: JsonValue = _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJson(_SUBJECT, f"UTF-8, but byte {error.start} is not") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(_SUBJECT, f"not JSON: {error}") from None
    # The parser's hooks leave one thing for the encoder to refuse: a lone surrogate, which only an escape brings in.
    if require_canonical or b"\\u" in content:
        canonical = encode(value)
        if require_canonical and canonical != content:
            raise MalformedJson(_SUBJECT, "the RFC 8785 form (sorted keys, no spaces, shortest escapes)", content)
    return value


def _check_depth(content: bytes) -> None:
    """Refuses deep nesting before the parser sees it.

    Python's parser recurses in C: where a library has raised the interpreter's recursion limit (importing eth_account
    does), some ten thousand brackets would end the process instead of raising.
    """
    # Most texts have no escape and no bracket in a string: then their quotes cancel, and each pass takes a level away.
    structure = content.translate(_TO_SQUARE, _NOT_STRUCTURE).replace(b'""', b"")
    if b'"' not in structure and b"\\" not in structure:
        for _ in range(MAX_DEPTH):
            structure = structure.replace(b"[]", b"")
            if not structure:
                return
    depth = 0
    for bracket in _STRING.sub(b"", content).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedJson(_SUBJECT, f"nested deeper than {MAX_DEPTH} levels")


def _sort(value: object, depth: int) -> object:
    """Returns a copy with sorted keys in which every type is exactly one that JSON has."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return _check_safe(value)  # type: ignore[arg-type]  # exactly int, by the line above
    if depth == 0:
        raise MalformedJson(_SUBJECT, f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        return [_sort(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: _sort(value[key], depth - 1) for key in _sort_keys(value)}
    raise MalformedJson(_SUBJECT, _ALLOWED, value)


def _sort_keys(value: dict[object, object]) -> list[str]:
    keys = [key for key in value if type(key) is str]
    if len(keys) != len(value):
        raise MalformedJson(_SUBJECT, "keys that are strings", next(key for key in value if type(key) is not str))
    if all(key.isascii() for key in keys):
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _check_safe(value: int) -> int:
    if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        raise MalformedJson(_SUBJECT, "an integer of at most 2^53 − 1 in size (write larger ones as strings)", value)
    return value


def _refuse_float(text: str) -> NoReturn:
    raise MalformedJson(_SUBJECT, _ALLOWED, f"the number {text[:40]}")


def _read_int(text: str) -> int:
    if len(text) < 16 and text != "-0":  # below 10^15, so safe
        return int(text)
    if len(text) > 17 or text == "-0":
        raise MalformedJson(_SUBJECT, "an integer of at most 2^53 − 1 in size (write larger ones as strings)", text)
    return _check_safe(int(text))


def _read_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        raise MalformedJson(_SUBJECT, "each key once", next(key for key in keys if keys.count(key) > 1))
    return value


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_read_object, parse_float=_refuse_float, parse_int=_read_int, parse_constant=_refuse_float
)
