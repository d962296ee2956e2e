"""What the chain makes of sealed rounds: anchored, final, rejected; and what nodes have claimed.

For the settlement room; each function is part of the caller's transaction and repeating it changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session

from coordinator.jobs import service as jobs
from coordinator.rounds import store
from coordinator.rounds.errors import UnknownEntry, UnknownRound
from coordinator.rounds.moves import OPEN, move
from coordinator.rounds.tables import RoundRow, StandingRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from ledger import canonical
from ledger.entry import Entry
from ledger.statements import RoundHeader, Signed
from ledger.tree import PaddedTree


def load_round(session: Session, job: bytes, number: int, *, lock: bool = False) -> RoundRow:
    """The round with this number. Raises UnknownRound."""
    row = store.find_round(session, job, number, lock=lock)
    if row is None:
        raise UnknownRound(job, number)
    return row


def load_header(row: RoundRow) -> Signed[RoundHeader] | None:
    """The round's signed header, None before it is sealed."""
    if row.header is None or row.header_signature is None:
        return None
    return Signed(RoundHeader.from_json(canonical.decode(row.header)), row.header_signature)


def load_entry(session: Session, job: bytes, number: int, node: bytes) -> tuple[Entry, list[bytes]]:
    """A node's entry in a sealed round, with its proof. Raises UnknownEntry."""
    row = store.find_entry(session, job, number, node)
    if row is None:
        raise UnknownEntry(job, number, node)
    return Entry.from_json(canonical.decode(row.entry)), _load_tree(session, job, number).proof(row.seq)


def load_entries(
    session: Session, job: bytes, number: int, nodes: Collection[bytes]
) -> list[tuple[Entry, list[bytes]]]:
    """The entries of these nodes in a sealed round, each with its proof, in seq order."""
    tree = _load_tree(session, job, number)
    rows = [row for row in store.list_entries(session, job, number) if row.node in nodes]
    return [(Entry.from_json(canonical.decode(row.entry)), tree.proof(row.seq)) for row in rows]


def load_last_entry(session: Session, row: RoundRow) -> tuple[Entry, list[bytes]]:
    """The last entry of a sealed round with its proof: what `postRound` takes beside the header."""
    last = store.find_entry_at(session, row.job, row.round, row.count - 1)
    if last is None:
        raise UnknownRound(row.job, row.round)
    return Entry.from_json(canonical.decode(last.entry)), _load_tree(session, row.job, row.round).proof(last.seq)


def load_proof(session: Session, row: RoundRow, seq: int) -> tuple[bytes, ...]:
    """The proof of any leaf of a sealed round, padding included."""
    return tuple(_load_tree(session, row.job, row.round).proof(seq))


def mark_anchored(session: Session, job: bytes, number: int, *, final_at: int, transaction: bytes, block: int) -> None:
    """The chain holds the header; again after a reorganisation moved it to another block."""
    row = load_round(session, job, number, lock=True)
    if row.state == "sealed":
        move(session, row, "anchored")
    if row.state == "anchored":
        row.final_at, row.transaction, row.block = final_at, transaction, block
        session.add(row)


def mark_unanchored(session: Session, job: bytes, number: int) -> None:
    """A reorganisation took the header off the chain: it must be posted again."""
    row = load_round(session, job, number, lock=True)
    if row.state == "anchored":
        move(session, row, "sealed")
        row.final_at = row.transaction = row.block = None


def mark_final(session: Session, job: bytes, number: int) -> None:
    """The round's window has passed unchallenged, as those before it: it can be claimed from."""
    row = load_round(session, job, number, lock=True)
    if row.state != "anchored":
        return
    move(session, row, "final")
    jobs.note_final(session, job)
    entries = {entry.node: entry.earned for entry in store.list_entries(session, job, number)}
    for node, standing in store.list_standings(session, job, entries).items():
        standing.final_earned, standing.final_round = entries[node], number
        session.add(standing)


def mark_rejected(session: Session, job: bytes, number: int, *, at: int, reason: str) -> None:
    """The court struck this round: it, all after it and what is open fall, and the job halts."""
    for row in store.list_rounds(session, job, (*OPEN, "sealed", "anchored")):
        if row.round >= number:
            move(session, row, "rejected")
    jobs.mark_rejected(session, job, at=at, reason=reason)
    announce(session, Topic.ASSIGNMENTS)


def note_metrics(session: Session, job: bytes, number: int, metrics: dict[str, float], at: int) -> None:
    """What the round's model reaches on the hold-out; shown, never paid for."""
    row = load_round(session, job, number, lock=True)
    row.metrics, row.measured_at = metrics, at
    session.add(row)
    announce(session, Topic.PROGRESS)


def mark_claimed(session: Session, job: bytes, node: bytes, total: int) -> None:
    """The chain has paid this much to the node's payout in all."""
    row = session.get(StandingRow, (job, node), with_for_update=True) or StandingRow(job=job, node=node)
    row.claimed = total
    session.add(row)
    announce(session, Topic.PROGRESS)


def _load_tree(session: Session, job: bytes, number: int) -> PaddedTree:
    return PaddedTree(store.list_leaves(session, job, number))
