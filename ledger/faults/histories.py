"""Broken histories: receipts that do not follow each other, headers that do not follow receipts or the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.commitment import extend_accumulator, start_accumulator
from ledger.faults.case import Case, KnownRound
from ledger.faults.faults import FirstReceiptBroken, LastReceiptBroken, ModelBroken, ReceiptsBroken
from ledger.statements import Receipt, Signed


def find_receipts_broken(receipts: Sequence[Signed[Receipt]]) -> Iterator[ReceiptsBroken]:
    """Receipts whose accumulator does not follow from the one before in their round."""
    by_place = {(signed.statement.round, signed.statement.seq): signed for signed in reversed(receipts)}
    for later in receipts:
        receipt = later.statement
        before = by_place.get((receipt.round, receipt.seq - 1))
        if before is None:
            continue
        if extend_accumulator(before.statement.accumulator, receipt.contribution) != receipt.accumulator:
            yield ReceiptsBroken(receipt.round, before, later)


def find_first_receipt_broken(known: KnownRound) -> Iterator[FirstReceiptBroken]:
    """Receipts with seq 0 that do not follow from job, round and the parent that their contribution names."""
    for signed in known.receipts:
        receipt = signed.statement
        made = known.contributions.get(receipt.contribution)
        if receipt.seq != 0 or made is None:
            continue
        start = start_accumulator(receipt.job, receipt.round, made.parent)
        if extend_accumulator(start, receipt.contribution) != receipt.accumulator:
            yield FirstReceiptBroken(known.number, signed, made)


def find_last_receipt_broken(known: KnownRound) -> Iterator[LastReceiptBroken]:
    """The last receipt of the round, where its accumulator is not the header's."""
    for signed in known.receipts:
        receipt = signed.statement
        if receipt.seq == known.header.count - 1 and receipt.accumulator != known.header.accumulator:
            yield LastReceiptBroken(known.number, signed, known.header)


def find_model_broken(case: Case, known: KnownRound) -> Iterator[ModelBroken]:
    """A base model that the round before did not end with, or a model that changed though nothing has weight.

    Round 1 has no parent header: its base model is in the spec, which the chain cannot read.
    """
    head, parent = known.header, case.rounds.get(known.number - 1)
    if parent is not None and parent.header.next_model != head.base_model:
        yield ModelBroken(known.number, head, parent.header)
    elif head.total_weight == 0 and head.next_model != head.base_model:
        yield ModelBroken(known.number, head, head)
