"""What commands print: results on stdout (a table for people, or JSON), progress and remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

TOKEN_DECIMALS = 18
SHOWN_DECIMALS = 6
PIPED_WIDTH = 240
ROOM_BESIDE = 50


def create_console() -> Console:
    """The console for people: stderr, so that stdout holds results only."""
    from rich.console import Console  # noqa: PLC0415 -- imported where something is shown

    return Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; columns of numbers stand to the right."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    # A file or a pipe has no edge: nothing is folded there.
    width = console.width if console.is_terminal else PIPED_WIDTH
    table = Table(title=title or None, title_justify="left")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        longest = max((len(row[index]) for row in rows if row[index].startswith("0x")), default=0)
        # What a person copies stays in one piece where the others have room beside it.
        whole = numeric or 0 < longest <= width - ROOM_BESIDE
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        # As text: a cell may hold what others wrote, which is neither markup nor anything a terminal obeys.
        table.add_row(*(Text(show_text(cell)) for cell in row))
    console.print(table, width=width)


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Names and values on stdout, one pair a line."""
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        sys.stdout.write(f"{name:<{width}}  {show_text(value)}\n")


def show_text(text: str) -> str:
    """Text that others may have written, harmless on a terminal: whatever is not printable becomes �."""
    return text if text.isprintable() else "".join(mark if mark.isprintable() else "�" for mark in text)


def format_amount(amount: int, decimals: int = TOKEN_DECIMALS) -> str:
    """Base units as a decimal number, exact, without trailing zeros."""
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(decimals + 1, "0")
    whole, part = (digits[:-decimals], digits[-decimals:].rstrip("0")) if decimals else (digits, "")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def shorten_amount(amount: int, decimals: int = TOKEN_DECIMALS) -> str:
    """Base units as a decimal number for tables: cut after six places, with … where something was cut."""
    kept = amount - amount % 10 ** max(0, decimals - SHOWN_DECIMALS)
    return format_amount(kept, decimals) + ("…" if kept != amount else "")


def format_time(at: int) -> str:
    """Seconds UTC as a date and time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _is_number(text: str) -> bool:
    return text.removesuffix("…").replace(".", "", 1).replace("-", "", 1).isdecimal() or text in ("", "–")
