"""Amounts as people write them: whole coins or tokens, as exact decimal numbers."""

from __future__ import annotations

import re

DECIMALS = 18
_AMOUNT = re.compile(r"([0-9]{1,60})(?:\.([0-9]{1,18}))?")


class MalformedAmount(Exception):
    """Text that is no amount."""

    exit_code = 2

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"expected an amount such as 12 or 0.5, with at most {DECIMALS} decimals, got {text!r}")


def parse_amount(text: str) -> int:
    """Return an amount in base units (wei, for native coin).

    Raises:
        MalformedAmount: not a decimal number, negative, or finer than a base unit.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise MalformedAmount(text)
    whole, part = found.groups(default="")
    return int(whole + part.ljust(DECIMALS, "0"))


def format_amount(amount: int) -> str:
    """Return base units as a decimal number, exact, without trailing zeros."""
    whole, part = divmod(amount, 10**DECIMALS)
    return f"{whole}.{part:0{DECIMALS}d}".rstrip("0").rstrip(".")
