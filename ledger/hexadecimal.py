"""Hex at the edges: lower-case 0x text for bytes, EIP-55 checksums for addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ledger.errors import MalformedHex, MalformedStatement
from ledger.hashing import keccak256

ADDRESS_BYTES: Final = 20

_ADDRESS_DIGITS: Final = 2 + 2 * ADDRESS_BYTES
_REMEMBERED: Final = 1 << 14

_BIT_40: Final = int.from_bytes(b"\x40" * 2 * ADDRESS_BYTES, "big")
_BIT_08: Final = int.from_bytes(b"\x08" * 2 * ADDRESS_BYTES, "big")


def to_hex(content: bytes) -> str:
    """Returns `content` as lower-case hex with 0x."""
    return "0x" + content.hex()


def parse_hex(text: object, length: int | None = None, subject: str = "hex") -> bytes:
    """Reads lower-case 0x hex; `length` is the exact number of bytes, any even number of digits if None.

    Raises:
        MalformedHex: for another type, upper-case digits, a missing 0x, an odd number of digits or another length.
    """
    content = _read_digits(text)
    # Writing it again finds upper-case digits, spaces and a missing 0x.
    if content is None or "0x" + content.hex() != text:
        raise MalformedHex(subject, "lower-case hex text that starts with 0x", text)
    if length is not None and len(content) != length:
        raise MalformedHex(subject, f"{length} bytes of hex", text)
    return content


def to_address(address: bytes) -> str:
    """Returns a 20-byte address as EIP-55 checksummed hex.

    Raises:
        MalformedStatement: when `address` is not 20 bytes.
    """
    if type(address) is not bytes or len(address) != ADDRESS_BYTES:
        raise MalformedStatement("address", f"{ADDRESS_BYTES} bytes", address)
    return _write_address(address)


def parse_address(text: object, subject: str = "address") -> bytes:
    """Reads an address: all lower case, or with a correct EIP-55 checksum.

    Raises:
        MalformedHex: for anything else; a wrong checksum usually means a mistyped address, and is never corrected.
    """
    address = find_address(text)
    if address is not None:
        return address
    address = _read_digits(text)
    if address is None or len(address) != ADDRESS_BYTES or str(text).lower() != "0x" + address.hex():
        raise MalformedHex(subject, "an address: 0x and 40 hex digits", text)
    raise MalformedHex(subject, f"the EIP-55 checksum {to_address(address)} (or all lower case)", text)


def find_address(text: object) -> bytes | None:
    """Returns the address that `parse_address` reads from a text, or None where it raises."""
    return _read_address(text) if type(text) is str and len(text) == _ADDRESS_DIGITS else None


# An address comes back in every file of every round; what is remembered is a function of its text and nothing else.
@lru_cache(maxsize=_REMEMBERED)
def _read_address(text: str) -> bytes | None:
    address = _read_digits(text)
    if address is None or len(address) != ADDRESS_BYTES or text not in ("0x" + address.hex(), to_address(address)):
        return None
    return address


@lru_cache(maxsize=_REMEMBERED)
def _write_address(address: bytes) -> str:
    digits = address.hex().encode("ascii")
    # A letter becomes upper case (bit 0x20 cleared) where the hash of the digits has a hex digit of 8 or more. All
    # forty at once: of the ASCII hex digits, a to f have bit 0x40, 8 and 9 alone have bit 0x08.
    text = int.from_bytes(digits, "big")
    checksum = int.from_bytes(keccak256(digits).hex()[: len(digits)].encode("ascii"), "big")
    high = (checksum & _BIT_40) >> 1 | (checksum & _BIT_08) << 2
    return "0x" + (text ^ (high & (text & _BIT_40) >> 1)).to_bytes(len(digits), "big").decode("ascii")


def _read_digits(text: object) -> bytes | None:
    if type(text) is not str:
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
