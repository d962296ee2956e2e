"""Promises that nodes hold: files with receipts, closings or headers that a coordinator signed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from client.errors import UsageRefused
from ledger.errors import Malformed
from ledger.faults.case import Promises
from ledger.statements import Closing, Receipt, RoundHeader, Signed, Statement

S = TypeVar("S", bound=Statement)

LIMIT_BYTES = 256 << 20
_LISTS = ("receipts", "closings", "headers")


def load_promises(paths: Iterable[Path]) -> Promises:
    """What the files hold together: each a list of signed receipts, or what `tally node receipts` writes.

    Raises:
        UsageRefused: a file cannot be read, or holds something else.
    """
    lists = [_load(path) for path in paths]
    return Promises(
        tuple(one for kept in lists for one in kept.receipts),
        tuple(one for kept in lists for one in kept.closings),
        tuple(one for kept in lists for one in kept.headers),
    )


def _load(path: Path) -> Promises:
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise UsageRefused(f"--receipts: expected at most {LIMIT_BYTES} bytes in {path}, got {path.stat().st_size}")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageRefused(f"--receipts: {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageRefused(f"--receipts: {path} is not JSON: {error}") from None
    if isinstance(value, list):
        value = {"receipts": value}
    if not isinstance(value, dict) or not set(value) <= set(_LISTS):
        raise UsageRefused(
            f"--receipts: expected {path} to hold a list of signed receipts, or what `tally node receipts` writes"
        )
    return Promises(
        _read(path, Receipt, value.get("receipts", [])),
        _read(path, Closing, value.get("closings", [])),
        _read(path, RoundHeader, value.get("headers", [])),
    )


def _read(path: Path, kind: type[S], items: object) -> tuple[Signed[S], ...]:
    if not isinstance(items, list):
        raise UsageRefused(f"--receipts: {path} holds no list of signed statements where one was expected")
    try:
        return tuple(Signed.from_json(kind, item) for item in items)
    except Malformed as error:
        raise UsageRefused(f"--receipts: {path}: {error}") from None
