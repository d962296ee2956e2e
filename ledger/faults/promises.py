"""Broken promises: receipts that were not kept, and two truths under one signature."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from ledger.faults.case import Case, KnownRound
from ledger.faults.faults import (
    ClosingDiffers,
    ClosingExceeded,
    ClosingsConflict,
    HeaderReplaced,
    HeadersConflict,
    ReceiptDropped,
    ReceiptReplaced,
    ReceiptsConflict,
    RoundMissing,
)
from ledger.statements import Closing, Receipt, RoundHeader, Signed

S = TypeVar("S", Closing, RoundHeader)


def find_replaced(known: KnownRound) -> Iterator[ReceiptReplaced]:
    """Receipts whose place holds another contribution or another node."""
    for signed in known.receipts:
        receipt = signed.statement
        proven = known.by_seq.get(receipt.seq)
        if proven is None:
            continue
        if (proven.entry.body.contribution, proven.entry.node) != (receipt.contribution, receipt.node):
            yield ReceiptReplaced(known.number, signed, proven)


def find_dropped(known: KnownRound) -> Iterator[ReceiptDropped]:
    """Receipts whose place lies past the last entry."""
    for signed in known.receipts:
        if signed.statement.seq >= known.header.count:
            yield ReceiptDropped(known.number, signed)


def find_missing(case: Case) -> Iterator[RoundMissing]:
    """Receipts of rounds that are not on chain although their time is over; a halted job owes no round any more."""
    for signed in case.pending.receipts:
        receipt = signed.statement
        excused = 0 < case.halted <= receipt.round
        if receipt.round not in case.rounds and receipt.anchor_by < case.now and not excused:
            yield RoundMissing(receipt.round, signed)


def find_receipts_conflict(receipts: Sequence[Signed[Receipt]]) -> Iterator[ReceiptsConflict]:
    """Different receipts of one round that share a seq, a contribution or a node."""
    seen: dict[Hashable, Signed[Receipt]] = {}
    for signed in receipts:
        receipt = signed.statement
        for key in (("seq", receipt.seq), ("contribution", receipt.contribution), ("node", receipt.node)):
            one = seen.setdefault((receipt.job, receipt.round, *key), signed)
            if one.statement != receipt:
                yield ReceiptsConflict(receipt.round, one, signed)
                break


def find_closings_conflict(closings: Sequence[Signed[Closing]]) -> Iterator[ClosingsConflict]:
    """A closing that differs from the first one known of its round."""
    for one, other in _find_conflicts(closings):
        yield ClosingsConflict(one.statement.round, one, other)


def find_closing_differs(known: KnownRound) -> Iterator[ClosingDiffers]:
    """Closings with another count, accumulator or time than the posted header."""
    head = known.header
    for signed in known.promises.closings:
        closing = signed.statement
        said = (closing.count, closing.accumulator, closing.closed_at)
        if said != (head.count, head.accumulator, head.closed_at):
            yield ClosingDiffers(known.number, signed, head)


def find_closing_exceeded(
    closings: Sequence[Signed[Closing]], receipts: Sequence[Signed[Receipt]]
) -> Iterator[ClosingExceeded]:
    """Receipts that a closing of their round does not count, or counts last with another accumulator."""
    for closing in closings:
        for receipt in receipts:
            if _exceeds(closing.statement, receipt.statement):
                yield ClosingExceeded(receipt.statement.round, receipt, closing)


def find_headers_conflict(headers: Sequence[Signed[RoundHeader]]) -> Iterator[HeadersConflict]:
    """A signed header that differs from the first one known of its round."""
    for one, other in _find_conflicts(headers):
        yield HeadersConflict(one.statement.round, one, other)


def find_header_replaced(known: KnownRound) -> Iterator[HeaderReplaced]:
    """A signed header that is not the posted one."""
    for signed in known.promises.headers:
        if signed.statement != known.header:
            yield HeaderReplaced(known.number, signed)


def _find_conflicts(items: Sequence[Signed[S]]) -> Iterator[tuple[Signed[S], Signed[S]]]:
    first: dict[Hashable, Signed[S]] = {}
    for signed in items:
        one = first.setdefault(signed.statement.round, signed)
        if one.statement != signed.statement:
            yield one, signed


def _exceeds(closing: Closing, receipt: Receipt) -> bool:
    if (closing.job, closing.round) != (receipt.job, receipt.round):
        return False
    is_last = receipt.seq == closing.count - 1
    return receipt.seq >= closing.count or (is_last and receipt.accumulator != closing.accumulator)
