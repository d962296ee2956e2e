"""Amounts as people write them: whole coins or tokens, as exact decimal numbers."""

from __future__ import annotations

import re

DECIMALS = 18
"""Of native coin, and of a token that says nothing else."""

_AMOUNT = re.compile(r"([0-9]{1,60})(?:\.([0-9]{1,60}))?")


class MalformedAmount(Exception):
    """Text that is no amount."""

    exit_code = 2

    def __init__(self, text: str, decimals: int) -> None:
        self.text, self.decimals = text, decimals
        example = "12 or 0.5" if decimals else "12"
        super().__init__(f"expected an amount such as {example}, with at most {decimals} decimals, got {text!r}")


def parse_amount(text: str, decimals: int = DECIMALS) -> int:
    """Return an amount in base units (wei, for native coin); a whole unit has `decimals` of them after the point.

    Raises:
        MalformedAmount: not a decimal number, negative, or finer than a base unit.
    """
    found = _AMOUNT.fullmatch(text)
    whole, part = ("", "") if found is None else found.groups(default="")
    if found is None or len(part) > decimals:
        raise MalformedAmount(text, decimals)
    return int(whole + part.ljust(decimals, "0"))


def format_amount(amount: int, decimals: int = DECIMALS) -> str:
    """Return base units as a decimal number, exact, without trailing zeros."""
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(amount)
