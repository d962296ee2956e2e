"""Many JSON objects of one shape, read a member at a time: the same values as one by one, at a fraction of the cost.

An audit reads a dozen values of few types from every receipt. Here all values of a member are checked and converted
together. Whatever is not exactly as expected gives None: the caller then reads one by one, and that finds the first
value that is wrong and names it. So nothing is accepted here that would be refused there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from ledger.canonical import SAFE_INTEGER
from ledger.hexadecimal import find_address

Column: TypeAlias = "Sequence[Any] | None"

DECIMAL: Final = r"(?:0|-?[1-9][0-9]{0,77})"

_DECIMALS: Final = re.compile(f"(?:{DECIMAL},)+")


def split_columns(values: Sequence[object], names: Sequence[str]) -> Sequence[tuple[Any, ...]] | None:
    """Returns the members `names` (at least two) of JSON objects as columns, or None unless all have exactly these."""
    if set(map(type, values)) != {dict} or set(map(len, values)) != {len(names)}:  # type: ignore[arg-type]  # dicts
        return None
    try:
        return list(zip(*map(itemgetter(*names), values), strict=True))  # type: ignore[arg-type]  # dicts
    except KeyError:
        return None


def choose_column(kind: str) -> Callable[[Sequence[Any]], Column]:
    """Returns what reads a column of one atomic type from its JSON form; the types are those of `ledger.structs`."""
    if kind == "address":
        return _read_addresses
    if kind.startswith("bytes"):
        length = int(kind.removeprefix("bytes"))
        return lambda column: read_bytes(column, length)
    return _read_decimals if int(kind.removeprefix("u").removeprefix("int")) > 64 else _read_safe


def read_bytes(column: Sequence[Any], length: int) -> Column:
    """Returns a column of 0x texts as bytes of `length`, or None if any is not lower-case hex of that length."""
    if set(map(type, column)) != {str}:
        return None
    text, width, count = "".join(column), 2 + 2 * length, len(column)
    if set(map(len, column)) != {width} or text[::width] != "0" * count or text[1::width] != "x" * count:
        return None
    digits = text.replace("0x", "")
    try:
        content = bytes.fromhex(digits)
    except ValueError:
        return None
    # Writing it again finds upper case and spaces; a second 0x inside a text leaves too few digits.
    if content.hex() != digits or len(content) != count * length:
        return None
    return [content[at : at + length] for at in range(0, len(content), length)]


def _read_addresses(column: Sequence[Any]) -> Column:
    addresses = [find_address(text) for text in column]
    return None if None in addresses else addresses


def _read_decimals(column: Sequence[Any]) -> Column:
    if set(map(type, column)) != {str}:
        return None
    text = ",".join(column) + ","
    if text.count(",") != len(column) or _DECIMALS.fullmatch(text) is None:
        return None
    return list(map(int, column))


def _read_safe(column: Sequence[Any]) -> Column:
    if set(map(type, column)) != {int} or min(column) < 0 or max(column) > SAFE_INTEGER:
        return None
    return column
