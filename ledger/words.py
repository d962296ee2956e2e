"""The atomic ABI types as 32-byte words: which Python value is exactly one, and how it is packed.

Common typed-data encoders give one digest for `12`, `"12"` and `"0xc"`, pad short `bytes32` and ignore extra fields.
Here a value has exactly the type and width its Solidity type says, or it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ledger.errors import MalformedStatement
from ledger.hashing import keccak256

WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Word:
    """How one member type becomes a 32-byte word.

    `check(value, subject)` raises MalformedStatement; `pack_format` is the member's part of a big-endian `struct`
    format, and `encode` (if any) turns a checked value into what that format takes. `limits` says the same as `check`
    where that is short: an int from the first up to below the second, or bytes of that length; else None.
    """

    type_name: str
    pack_format: str
    check: Callable[[Any, str], None]
    encode: Callable[[Any], bytes] | None = None
    limits: tuple[int, int] | int | None = None


def _unsigned(bits: int) -> Word:
    limit = 1 << bits
    expected = f"uint{bits}: an int from 0 to 2^{bits} − 1"

    def check(value: object, subject: str) -> None:
        if type(value) is not int or not 0 <= value < limit:
            raise MalformedStatement(subject, expected, value)

    if bits <= 64:
        return Word(f"uint{bits}", "24xQ", check, limits=(0, limit))
    return Word(f"uint{bits}", "32s", check, lambda value: value.to_bytes(WORD_BYTES, "big"), (0, limit))


def _signed(bits: int) -> Word:
    limit = 1 << (bits - 1)
    expected = f"int{bits}: an int from −2^{bits - 1} to 2^{bits - 1} − 1"

    def check(value: object, subject: str) -> None:
        if type(value) is not int or not -limit <= value < limit:
            raise MalformedStatement(subject, expected, value)

    encode = lambda value: value.to_bytes(WORD_BYTES, "big", signed=True)  # noqa: E731 -- as its neighbours
    return Word(f"int{bits}", "32s", check, encode, (-limit, limit))


def _fixed_bytes(type_name: str, length: int, pack_format: str) -> Word:
    expected = f"{type_name}: bytes of length {length}"

    def check(value: object, subject: str) -> None:
        if type(value) is not bytes or len(value) != length:
            raise MalformedStatement(subject, expected, value)

    return Word(type_name, pack_format, check, limits=length)


def _check_bool(value: object, subject: str) -> None:
    if type(value) is not bool:
        raise MalformedStatement(subject, "bool: True or False", value)


def _check_bytes(value: object, subject: str) -> None:
    if type(value) is not bytes:
        raise MalformedStatement(subject, "bytes: bytes of any length", value)


def _check_string(value: object, subject: str) -> None:
    if type(value) is not str:
        raise MalformedStatement(subject, "string: a str", value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedStatement(subject, "string: a str without lone surrogates", value) from None


def _build_words() -> dict[str, Word]:
    widths = range(8, 257, 8)
    words = [
        *(_unsigned(bits) for bits in widths),
        *(_signed(bits) for bits in widths),
        *(_fixed_bytes(f"bytes{size}", size, f"{size}s{WORD_BYTES - size}x") for size in range(1, WORD_BYTES + 1)),
        _fixed_bytes("address", 20, "12x20s"),
        Word("bool", "31x?", _check_bool),
        # EIP-712 puts the digest of a dynamic value in its place.
        Word("bytes", "32s", _check_bytes, keccak256),
        Word("string", "32s", _check_string, lambda text: keccak256(text.encode("utf-8"))),
    ]
    return {word.type_name: word for word in words}


WORDS: Final[Mapping[str, Word]] = MappingProxyType(_build_words())
