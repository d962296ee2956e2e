"""How a spec's members are checked: each refusal names the member, what it may be and what it was."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from ledger.errors import MalformedSpec

_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,17}[1-9])?")


def parse_decimal(subject: str, text: object) -> Fraction:
    """Reads a decimal string of at least 0 exactly, in its one form: no sign, exponent, or zeros that say nothing.

    Raises:
        MalformedSpec: for anything else.
    """
    fits = type(text) is str and _DECIMAL.fullmatch(text) is not None
    require(subject, fits, "a decimal string such as '0.6', without sign, exponent or needless zeros", text)
    return Fraction(str(text))


def require(subject: str, holds: bool, expected: str, got: object) -> None:
    """Raises MalformedSpec unless it holds."""
    if not holds:
        raise MalformedSpec(subject, expected, got)


def check_int(subject: str, value: object, least: int, most: int) -> None:
    """An integer within bounds, both included."""
    require(subject, type(value) is int and least <= value <= most, f"an integer from {least} to {most}", value)


def check_decimal(subject: str, value: object, most: int) -> None:
    """A decimal string from 0 to `most`."""
    require(subject, parse_decimal(subject, value) <= most, f"at most {most}", value)


def check_text(subject: str, value: object, least: int, most: int) -> None:
    """A text that says something, within a number of characters."""
    fits = type(value) is str and least <= len(value.strip()) and len(value) <= most
    require(subject, fits, f"a text of {least} to {most} characters", value)


def check_digest(subject: str, value: object) -> None:
    """A digest of 32 bytes."""
    require(subject, type(value) is bytes and len(value) == 32, "a SHA-256 digest of 32 bytes", value)


def check_address(subject: str, value: object) -> None:
    """An address of 20 bytes that is not zero."""
    fits = type(value) is bytes and len(value) == 20 and any(value)
    require(subject, fits, "an address of 20 bytes other than zero", value)
