"""What the machine of rounds plays with: a funded job without HTTP, payloads, what a sealed round must say."""

from collections.abc import Mapping

import numpy as np
from sqlmodel import Session, select

from coordinator.context import Context
from coordinator.jobs import service as jobs
from coordinator.jobs.tables import JobRow
from coordinator.nodes import service as nodes
from coordinator.rounds import store
from coordinator.rounds.moves import MOVES
from coordinator.rounds.tables import EntryRow, RoundRow
from learning.payload import write_update
from ledger import canonical
from ledger.entry import Entry, Verdict
from ledger.statements import Acceptance, Signed, Terms
from tests.coordination.learning import make_course, make_spec, make_terms
from tests.coordination.people import DOMAIN
from tests.coordination.premises import make_signer

NODES = [make_signer(f"node {number}") for number in range(5)]
COURSE = make_course(nodes=1)
SIZE = 85


def make_payload(number: int) -> bytes:
    """An update, or for odd numbers now and then something else."""
    if number % 5 == 4:
        return b"\x80\x04 no update"
    return write_update(np.random.default_rng(number).integers(-50, 50, SIZE).astype(np.int16))


def found_job(context: Context, rounds: int, rules: Mapping[str, object]) -> Terms:
    """A funded by-weight job for two to four of five registered nodes; `rules` are more of the spec's."""
    initial = context.blobs.save(COURSE.initial)[0]
    spec = make_spec(COURSE, initial, None, minimum=2, maximum=4, **rules)
    terms = make_terms(spec, make_signer("requester").address, context.signer.address, rounds)
    job = terms.job_id()
    acceptance = Signed.issue(Acceptance(job, 1), DOMAIN, context.signer)
    with context.database.write() as session:
        session.add(
            JobRow(
                job=job,
                state="accepted",
                spec=spec.to_bytes(),
                terms=canonical.encode(terms.to_json()),
                requester=terms.requester,
                parameters=SIZE,
                acceptance_deadline=1,
                acceptance_signature=acceptance.signature,
                created_at=1,
                model=initial,
            )
        )
        session.flush()
        jobs.mark_opened(session, job, at=1, block=1, block_hash=bytes(32), transaction=bytes(32))
        for signer in NODES:
            address = signer.address
            nodes.mark_registered(
                session, node=address, operator=address, payout=address, at=1, block=1, transaction=bytes(32)
            )
    return terms


def check_entries(session: Session, row: RoundRow, earned: dict[bytes, int]) -> None:
    """Every contribution is one entry in its place; `earned` grows by what the round pays."""
    contributions = store.list_contributions(session, row.job, row.round)
    rows = session.exec(select(EntryRow).where(EntryRow.round == row.round).order_by("seq")).all()
    entries = [Entry.from_json(canonical.decode(one.entry)) for one in rows]
    assert [entry.body.contribution for entry in entries] == [known.contribution for known in contributions]
    for entry, known in zip(entries, contributions, strict=True):
        earned[entry.node] = earned.get(entry.node, 0) + entry.body.reward
        assert entry.earned == earned[entry.node]
        if known.payload is None:
            assert entry.body.verdict in (Verdict.UNREVEALED, Verdict.VOID)
        if known.malformed is not None:
            assert entry.body.verdict in (Verdict.MALFORMED, Verdict.VOID)


def is_reachable(state: str, to: str) -> bool:
    """Whether some moves lead there; between two looks a round may make more than one."""
    seen: set[str] = set()
    waiting = [state]
    while waiting:
        for after in MOVES[waiting.pop()] - seen:
            seen.add(after)
            waiting.append(after)
    return to in seen
