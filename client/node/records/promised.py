"""Everything that coordinators signed to the nodes of this machine, as a file for auditors: no secret is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from client.node.records.archive import Archive
from client.node.records.journal import Journal, Kept

Promised = dict[str, list[object]]


def collect_promises(journal: Journal, archive: Archive, nodes: Sequence[bytes], job: bytes | None = None) -> Promised:
    """Receipts, closings and headers as `tally audit watch --receipts` reads them; of one job, or of all.

    A receipt that was refused when it came is among them, and so are both of two headers for one round.
    """
    kept = [one for node in nodes for one in journal.find_all(node) if job in (None, one.job)]
    return {
        "receipts": [json.loads(one.receipt) for one in kept if one.receipt is not None],
        "closings": _once(json.loads(one.closing) for one in kept if one.closing is not None),
        "headers": _once(_list_headers(archive, kept)),
    }


def _list_headers(archive: Archive, kept: Sequence[Kept]) -> Iterator[object]:
    for job, number in dict.fromkeys((one.job, one.round) for one in kept):
        header = archive.find_header(job, number)
        if header is not None:
            yield header.to_json()
    jobs = {one.job for one in kept}
    for other in archive.list_contradictions():
        if other.statement.job in jobs:
            yield other.to_json()


def _once(items: Iterator[object]) -> list[object]:
    """Nodes of a fleet hold the same closing: it is listed once."""
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())
