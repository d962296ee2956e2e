"""How amounts are shown: with a token's own decimals where they are known, else in base units; nothing is computed."""

from __future__ import annotations

from dataclasses import dataclass

from client.output import TOKEN_DECIMALS, format_amount


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it describes itself."""

    decimals: int
    symbol: str = ""

    def show(self, amount: int) -> str:
        """Base units as an exact decimal number with the token's symbol."""
        return f"{format_amount(amount, self.decimals)} {self.symbol or 'tokens'}"


TALLY = Token(TOKEN_DECIMALS)
"""The token of a deployment: its decimals are in our own contract."""


def show_amount(token: Token | None, amount: int) -> str:
    """An amount as people read it; base units where nobody said how the token is shown."""
    return f"{amount} base units" if token is None else token.show(amount)
