"""The reveal: payloads that open their commitments, after the closing and not before.

A payload that does not open its commitment changes nothing and may be sent again. One that opens it but is no update
is what the node signed for: it is recorded, and the tally will say verdict 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.service import load_job
from coordinator.refusals import RequestRefused
from coordinator.rounds import store
from coordinator.rounds.errors import NotClosedYet, NotOpened, RevealClosed, UnknownContribution
from coordinator.rounds.phases import end_reveal
from coordinator.rounds.tables import ContributionRow, RoundRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from learning.payload import read_update
from learning.tensors import MAX_HEADER_BYTES, MalformedArrays
from ledger import wire
from ledger.commitment import Opening

_PREFIX_BYTES = 8
_ELEMENT_BYTES = 2


@dataclass(frozen=True, slots=True)
class Expected:
    """What a payload must be before it is read: what it opens, how large it may be, how many elements it has."""

    commitment: bytes
    parameters: int

    @property
    def max_bytes(self) -> int:
        """The largest payload of this job, in bytes."""
        return _PREFIX_BYTES + MAX_HEADER_BYTES + _ELEMENT_BYTES * self.parameters

    def verify(self, payload_sha256: bytes, size_bytes: int, vector_commitment: bytes, salt: bytes) -> Opening:
        """The opening, if it opens the commitment. Raises NotOpened."""
        opening = Opening(payload_sha256, vector_commitment, salt)
        if not opening.opens(self.commitment):
            raise NotOpened(self.commitment, opening.struct_hash(), payload_sha256, size_bytes)
        return opening


@dataclass(frozen=True, slots=True)
class Reveal:
    """An opening whose payload is durable; `malformed` says why it is no update, None when it is one."""

    contribution: bytes
    opening: Opening
    malformed: str | None


def expect(session: Session, contribution: bytes) -> dict[bytes, Expected]:
    """What may be sent for a contribution now, and for the others of its round while that is open.

    Raises:
        UnknownContribution: no receipt was given for it.
        NotClosedYet: the commit phase is open.
        RevealClosed: too late.
    """
    row = store.find_contribution(session, contribution)
    if row is None:
        raise UnknownContribution(contribution)
    parent = store.find_round(session, row.job, row.round)
    assert parent is not None  # noqa: S101  a foreign key says so
    if parent.state == "committing":
        raise NotClosedYet(row.job, row.round, parent.commit_deadline)
    if row.payload is None and parent.state != "revealing":
        raise RevealClosed(row.job, row.round, parent.state, parent.reveal_deadline)
    parameters = load_job(session, row.job).parameters
    commitments = {contribution: row.commitment}
    if parent.state == "revealing":
        commitments |= store.list_commitments(session, row.job, row.round)
    return {digest: Expected(commitment, parameters) for digest, commitment in commitments.items()}


def find_problem(payload: bytes, parameters: int) -> str | None:
    """Why a payload is no update of a model with so many parameters; None when it is one."""
    try:
        read_update(payload, parameters)
    except MalformedArrays as error:
        return str(error)
    return None


def record(session: Session, context: Context, reveals: Sequence[Reveal]) -> list[wire.ContributionView | Exception]:
    """Record reveals, in order; end the reveal phase after the last one. Repeating one changes nothing."""
    rows = store.find_contributions(session, [reveal.contribution for reveal in reveals])
    parents = {
        key: store.find_round(session, *key, lock=True) for key in {(row.job, row.round) for row in rows.values()}
    }
    answers: list[wire.ContributionView | Exception] = []
    with session.no_autoflush:
        for reveal in reveals:
            try:
                row = _find(rows, reveal.contribution)
                _record(context, reveal, row, parents[row.job, row.round])
                answers.append(build_view(row))
            except RequestRefused as refusal:
                answers.append(refusal)
    for parent in parents.values():
        _count(session, context, parent)
    return answers


def build_view(row: ContributionRow) -> wire.ContributionView:
    """A contribution as the API shows it."""
    return wire.ContributionView(
        contribution=row.contribution,
        job=row.job,
        round=row.round,
        seq=row.seq,
        node=row.node,
        state=row.state,  # type: ignore[arg-type]  # the column holds only what this room writes
        verdict=row.verdict,
    )


def _find(rows: Mapping[bytes, ContributionRow], contribution: bytes) -> ContributionRow:
    if contribution not in rows:
        raise UnknownContribution(contribution)
    return rows[contribution]


def _record(context: Context, reveal: Reveal, row: ContributionRow, parent: RoundRow | None) -> None:
    assert parent is not None  # noqa: S101  a foreign key says so
    if row.payload is not None:
        return
    if parent.state != "revealing":
        raise RevealClosed(row.job, row.round, parent.state, parent.reveal_deadline)
    row.payload, row.salt = reveal.opening.payload_sha256, reveal.opening.salt
    row.vector_commitment, row.malformed = reveal.opening.vector_commitment, reveal.malformed
    row.state, row.revealed_at = "revealed", context.now
    parent.revealed += 1


def _count(session: Session, context: Context, parent: RoundRow | None) -> None:
    """Write what was recorded of one round; end its reveal phase when everyone has revealed."""
    session.flush()
    announce(session, Topic.PROGRESS)
    if parent is not None and parent.state == "revealing" and parent.revealed == parent.count:
        end_reveal(session, context, parent)


def show(session: Session, contribution: bytes) -> wire.ContributionView:
    """A contribution as the API shows it. Raises UnknownContribution."""
    row = store.find_contribution(session, contribution)
    if row is None:
        raise UnknownContribution(contribution)
    return build_view(row)
