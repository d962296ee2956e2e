"""What a person typed, read strictly: job ids, hashes, addresses, ranges of rounds."""

from __future__ import annotations

import re

from client.errors import UsageRefused
from ledger.errors import Malformed
from ledger.hexadecimal import parse_address, parse_hex

_RANGE = re.compile(r"([1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?")


def parse_job(text: str) -> bytes:
    """A job's id. Raises UsageRefused."""
    return parse_hash(text, "JOB")


def parse_hash(text: str, name: str) -> bytes:
    """A hash of 32 bytes. Raises UsageRefused."""
    try:
        return parse_hex(text.lower(), 32, name)
    except Malformed as error:
        raise UsageRefused(str(error)) from None


def parse_node(text: str) -> bytes:
    """An address. Raises UsageRefused."""
    try:
        return parse_address(text, "address")
    except Malformed as error:
        raise UsageRefused(str(error)) from None


def parse_rounds(text: str | None) -> tuple[int, int | None]:
    """`A-B` or `A` as first and last round; all of them for None. Raises UsageRefused."""
    if text is None:
        return 1, None
    found = _RANGE.fullmatch(text)
    first = int(found[1]) if found else 0
    last = int(found[2]) if found and found[2] else first
    if found is None or last < first:
        raise UsageRefused(f"--rounds: expected a range such as 3-5, or one number, got {text!r}")
    return first, last
