"""The search: every fault of a case that code can decide, the earliest round first.

Within a round, promises come before entries: what was signed twice needs no anchor to be proven.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ledger.faults import carries, entries, histories, promises
from ledger.faults.case import Case, KnownRound, Promises
from ledger.faults.faults import Fault


def find_faults(case: Case) -> Iterator[Fault]:
    """Yields every fault of the posted rounds in order, then those of rounds that are not posted."""
    for number in sorted(case.rounds):
        yield from find_round_faults(case, case.rounds[number])
    yield from find_signed_faults(case.pending)
    yield from promises.find_missing(case)


def find_signed_faults(kept: Promises) -> Iterator[Fault]:
    """Yields what signed words of one job say against each other, whether or not their rounds are posted."""
    return chain(
        promises.find_receipts_conflict(kept.receipts),
        histories.find_receipts_broken(kept.receipts),
        promises.find_closings_conflict(kept.closings),
        promises.find_closing_exceeded(kept.closings, kept.receipts),
        promises.find_headers_conflict(kept.headers),
    )


def find_round_faults(case: Case, known: KnownRound) -> Iterator[Fault]:
    """Yields every fault of one posted round."""
    return chain(
        promises.find_replaced(known),
        promises.find_dropped(known),
        find_signed_faults(known.promises),
        histories.find_first_receipt_broken(known),
        histories.find_last_receipt_broken(known),
        promises.find_closing_differs(known),
        promises.find_header_replaced(known),
        histories.find_model_broken(case, known),
        entries.find_altered(known),
        entries.find_signatures_false(known),
        entries.find_counted_twice(known),
        entries.find_first_totals_wrong(known),
        entries.find_totals_wrong(known),
        entries.find_verdicts_unfit(known),
        entries.find_rewards_wrong(case, known),
        carries.find_unfounded(known),
        carries.find_carries_wrong(case, known),
        carries.find_skipped(case, known),
    )
