"""What must reach the chain now: derived from the database at every look, so that no crash can lose a need.

Each need has a subject; the outbox has at most one transaction at work for it. Rounds of a job are posted one after
the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlmodel import Session

from contracts.calls import Calls, ClaimItem
from contracts.state import Anchor
from contracts.transactions import Call
from coordinator.jobs import service as jobs
from coordinator.jobs import store as job_store
from coordinator.nodes import service as nodes
from coordinator.rounds import service as rounds
from coordinator.rounds import store as round_store
from coordinator.rounds.tables import RoundRow
from coordinator.settlement import bonds, claims
from coordinator.settlement.outbox import Note, find_at_work, ignore
from coordinator.settlement.tables import ClaimRow
from ledger.hexadecimal import to_hex

CLAIMS_A_TRANSACTION = 50
REGISTRATIONS_A_LOOK = 100


@dataclass(frozen=True)
class Need:
    """A call that must reach the chain.

    Attributes:
        subject: what it is for, unique.
        call: what is sent.
        on_sent: is told the hash of the transaction that carries it, as that is kept.
        on_refused: is told why the contract would refuse it for good; None where waiting may help.
        on_short: is told why its gas cannot be paid now; it is tried again.
    """

    subject: str
    call: Call
    on_sent: Note
    on_refused: Callable[[Session, str], None] | None = None
    on_short: Callable[[Session, str], None] | None = None


def find_needs(session: Session, calls: Calls, now: int) -> list[Need]:
    """Everything that must reach the chain now: rounds first, then registrations, claims, ends of jobs, and bonds.

    Args:
        session: reads.
        calls: builds what is sent.
        now: the time of the chain's head, in unix seconds.
    """
    return [
        *_post_rounds(session, calls),
        *_register_nodes(session, calls),
        *_pay_claims(session, calls),
        *_close_jobs(session, calls, now),
        *_release_bonds(session, calls, now),
    ]


def build_anchor(row: RoundRow) -> Anchor:
    """The four words whose hash the chain keeps of an anchored round."""
    signed = rounds.load_header(row)
    if signed is None or row.header_digest is None or row.final_at is None:
        raise ValueError(f"round {row.round} has no anchor: it is {row.state}")
    return Anchor(row.header_digest, signed.statement.entries_root, signed.statement.count, row.final_at)


def _post_rounds(session: Session, calls: Calls) -> Iterator[Need]:
    sealed = round_store.list_rounds_in(session, ("sealed",))
    for job, rows in groupby(sealed, key=lambda row: row.job):
        row = next(rows)
        if jobs.load_job(session, job).state == "closed":
            continue  # the ledger takes no more of it
        before = round_store.find_round(session, job, row.round - 1)
        if before is not None and before.state not in ("anchored", "final"):
            continue
        subject, signed = f"round:{to_hex(job)}:{row.round}", rounds.load_header(row)
        if signed is not None and find_at_work(session, subject) is None:
            entry, proof = rounds.load_last_entry(session, row)
            yield Need(subject, calls.post_round(signed.statement, entry, proof), ignore)


def _register_nodes(session: Session, calls: Calls) -> Iterator[Need]:
    for signed in nodes.list_pending(session)[:REGISTRATIONS_A_LOOK]:
        node, deadline = signed.statement.node, signed.statement.deadline

        def note_sent(session: Session, transaction: bytes, node: bytes = node) -> None:
            nodes.mark_sent(session, node, transaction)

        def note_refused(session: Session, reason: str, node: bytes = node) -> None:
            nodes.mark_refused(session, node, reason)

        def note_short(session: Session, reason: str, node: bytes = node) -> None:
            nodes.note_waiting(session, node, reason)

        subject = f"register:{to_hex(node)}:{deadline}"
        if find_at_work(session, subject) is None:
            yield Need(subject, calls.register(signed.statement, signed.signature), note_sent, note_refused, note_short)


def _pay_claims(session: Session, calls: Calls) -> Iterator[Need]:
    queued = sorted(claims.list_queued(session), key=lambda claim: (claim.job, claim.round, claim.id))
    for (job, number), group in groupby(queued, key=lambda claim: (claim.job, claim.round)):
        yield _pay_together(session, calls, job, number, list(group)[:CLAIMS_A_TRANSACTION])


def _pay_together(session: Session, calls: Calls, job: bytes, number: int, group: list[ClaimRow]) -> Need:
    row = rounds.load_round(session, job, number)
    items = [
        ClaimItem(entry, proof) for entry, proof in rounds.load_entries(session, job, number, [c.node for c in group])
    ]
    subject = f"claims:{to_hex(job)}:{number}:{group[0].id}-{group[-1].id}"
    numbers = [claim.id or 0 for claim in group]

    def note_sent(session: Session, _transaction: bytes) -> None:
        claims.mark_sent(session, [claims.load_claim(session, number) for number in numbers], subject)

    def note_short(session: Session, reason: str) -> None:
        claims.note_waiting(session, [claims.load_claim(session, number) for number in numbers], reason)

    return Need(subject, calls.claim_many(job, number, build_anchor(row), items), note_sent, on_short=note_short)


def _close_jobs(session: Session, calls: Calls, now: int) -> Iterator[Need]:
    """Once nothing can be posted or struck any more: what is left is the requester's, and the bond's grace runs."""
    finished = job_store.list_jobs(session, ("finished",))
    over = {job.job for job in finished if job.rounds_final == job.rounds_sealed > 0}
    for job in sorted(over.union(_find_ended(session, now))):
        subject = f"close:{to_hex(job)}"
        if find_at_work(session, subject) is None:
            yield Need(subject, calls.close_job(job), ignore)


def _find_ended(session: Session, now: int) -> Iterator[bytes]:
    """Jobs that lock our bond and end otherwise, once no round waits for the end of its window.

    By a request that is in effect, whoever made it; halted without having cost the bond; closed, till a fork came.
    """
    for bond in bonds.list_locked(session, closed=False):
        is_due = bond.closes_at is not None and bond.closes_at <= now
        is_over = is_due or jobs.load_job(session, bond.job).state in ("rejected", "closed")
        if is_over and not round_store.list_rounds(session, bond.job, ("anchored",)):
            yield bond.job


def _release_bonds(session: Session, calls: Calls, now: int) -> Iterator[Need]:
    """A closed job's bond, after its grace, goes to the funds that can be withdrawn."""
    for bond in bonds.list_locked(session, closed=True):
        subject = f"bond:{to_hex(bond.job)}"
        is_free = bond.free_at is not None and bond.free_at <= now
        if is_free and find_at_work(session, subject) is None:
            yield Need(subject, calls.release_bond(bond.job), ignore)
