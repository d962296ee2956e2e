"""Gaps: places of a tree of which an auditor does not hold what a complete answer to a demand would hold."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.errors import Malformed
from ledger.faults.carries import find_previous
from ledger.faults.case import Case, KnownRound
from ledger.faults.faults import ProvenEntry
from ledger.statements import Receipt, Signed
from ledger.tree import PaddedTree, compute_depth


def find_gaps(case: Case, known: KnownRound) -> Iterator[int]:
    """The seqs to demand, entries before padding.

    An entry is complete with its proof, contribution, both signatures, receipt, and the node's entry before.
    """
    receipts = {(signed.statement.seq, signed.signature): signed for signed in known.receipts}
    for seq in range(known.header.count):
        proven = known.by_seq.get(seq)
        if proven is None or not _is_complete(case, known, proven, receipts):
            yield seq
    if not _is_padding_known(known):
        yield from range(known.header.count, 1 << compute_depth(known.header.count))


def _is_complete(
    case: Case, known: KnownRound, proven: ProvenEntry, receipts: dict[tuple[int, bytes], Signed[Receipt]]
) -> bool:
    body = proven.entry.body
    pair = known.signatures.get(body.signatures)
    receipt = receipts.get((proven.entry.seq, pair[1])) if pair else None
    if receipt is None or body.contribution not in known.contributions:
        return False
    return body.previous_round == 0 or find_previous(case, proven) is not None


def _is_padding_known(known: KnownRound) -> bool:
    """Whether the known entries, padded, make the anchored tree: then every padding leaf is known too."""
    try:
        tree = PaddedTree([proven.entry.leaf() for proven in known.entries])
    except Malformed:
        return False
    return (tree.root, tree.count) == (known.header.entries_root, known.header.count)
