"""Draws of cohorts: made when a round opens, kept, and told in its evidence.

What a draw depends on is on chain or in the evidence of the round before: see `ledger/draw.py`. Where all who are
present fit, nothing is drawn, and only then does it not matter how many nodes there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from coordinator.jobs.agreement import Agreement
from coordinator.jobs.tables import JobRow
from coordinator.nodes import store as nodes
from coordinator.rounds import cohort, store
from coordinator.rounds.tables import DrawRow, RoundRow
from ledger.draw import Draw, compute_draw_seed, draw_cohort, find_earliest

_ADDRESS_BYTES = 20


def draw(
    session: Session, job: JobRow, agreement: Agreement, before: RoundRow | None, present: Sequence[bytes]
) -> Draw:
    """Who is in the round after `before` when it opens, of the present nodes that may join, sorted by address."""
    assert job.opened_block is not None  # noqa: S101  only a job that the chain opened has rounds
    opened = (job.opened_block, job.opened_hash or b"")
    number, source = (1, opened[1]) if before is None else (before.round + 1, before.draw_source or b"")
    seed = compute_draw_seed(job.job, number, source)
    known = nodes.find_registry_block(session)
    block = opened if known is None else (known.number, known.hash)
    maximum = agreement.spec.cohort.maximum
    if len(present) < maximum:
        return Draw(seed, *block, drawn=False, population=None, admitted=tuple(present))
    earliest = find_earliest(_list_blocks(session, job.job, number), opened[0])
    places = {
        node: earliest is None or registered > earliest
        for node, registered in cohort.list_eligible(session, job.job, agreement)
    }
    return draw_cohort(seed, block, places, present, maximum)


def must_wait(
    session: Session, agreement: Agreement, before: RoundRow | None, present: Sequence[bytes], now: int
) -> bool:
    """Whether the round after `before` has to wait for the chain: the block it would name would not stand an audit.

    1. It is out of date, after an outage of the coordinator or of its provider. Two rounds later it decides who is
    late, so that this holds also where all fit. 2. After a reorganisation it may be older than that of the round
    before. 3. While the chain is caught up with, it is not what is known of stakes: nobody is drawn then.
    """
    known = nodes.find_registry_block(session)
    if known is None:
        return False
    # 1
    if known.next_at < now - agreement.terms.anchor_seconds:
        return True
    # 2
    last = None if before is None else store.find_draw(session, before.job, before.round)
    if last is not None and known.number < last.block:
        return True
    # 3
    return len(present) >= agreement.spec.cohort.maximum and not known.settled


def keep(session: Session, row: RoundRow, drawn: Draw) -> None:
    """Keep a round's draw, in the transaction that opens it."""
    session.add(
        DrawRow(
            job=row.job,
            round=row.round,
            seed=drawn.seed,
            block=drawn.block,
            block_hash=drawn.block_hash,
            drawn=drawn.drawn,
            population=drawn.population,
            admitted=b"".join(drawn.admitted),
            absent=b"".join(drawn.absent),
            late=b"".join(drawn.late),
        )
    )


def load(session: Session, row: RoundRow) -> Draw:
    """A round's draw as its evidence tells it, with those who came later."""
    kept = store.find_draw(session, row.job, row.round)
    assert kept is not None  # noqa: S101  kept with the round
    admitted = _split(kept.admitted)
    joined = store.list_cohort(session, row.job, row.round).difference(admitted)
    return Draw(
        kept.seed,
        kept.block,
        kept.block_hash,
        kept.drawn,
        kept.population,
        admitted,
        _split(kept.absent),
        _split(kept.late),
        tuple(sorted(joined)),
    )


def _list_blocks(session: Session, job: bytes, number: int) -> list[int | None]:
    """The blocks that the two rounds before this one were drawn at, in order."""
    kept = [store.find_draw(session, job, earlier) for earlier in range(max(1, number - 2), number)]
    return [None if one is None else one.block for one in kept]


def _split(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[at : at + _ADDRESS_BYTES] for at in range(0, len(joined), _ADDRESS_BYTES))
