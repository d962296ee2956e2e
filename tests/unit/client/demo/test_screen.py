"""Amounts on the demo's screen follow the token's decimals."""

import pytest
from rich.console import Console

from client.demo.screen import Screen


@pytest.mark.parametrize(
    ("decimals", "amount", "shown"),
    [(18, 10**18 + 10**14, "1.0001"), (6, 1_999_999, "1.9999"), (2, 105, "1.05"), (0, 7, "7"), (18, 1, "0.0000")],
)
def test_amount_is_rounded_down_to_at_most_four_decimals(decimals: int, amount: int, shown: str) -> None:
    assert Screen(Console(quiet=True), decimals).amount(amount) == shown
