"""Private validation sets: who may have the set, and what tells of it, before the job has ended."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.jobs import store
from coordinator.jobs.agreement import EVIDENCE, HOLDERS, load_agreement
from coordinator.jobs.errors import JobRefused, ValidationPrivate
from coordinator.jobs.tables import JobRow


def verify_unseen(session: Session, validation: bytes, holders: tuple[bytes, ...]) -> None:
    """Verify that a set can be private for one more job. Raises JobRefused.

    No job shows it or has shown it, and none that was opened keeps it: else the end of one would show what the other
    still needs, or outsiders would wait for more ends than one. What was accepted and not opened may be tried again.
    """
    for share in store.list_shares(session, validation):
        other = store.find_job(session, share.job)
        waits = share.audience == HOLDERS and other is not None and other.state == "accepted"
        if other is None or not waits or load_agreement(other).spec.validation_holders != holders:
            expected = "a set that no other job uses or shows to others, as spec.validationHolders is given"
            raise JobRefused("spec.validation", expected, share.job)


def verify_not_kept(session: Session, validation: bytes, requester: bytes, now: int) -> None:
    """Verify that a requester shows no set that another job of its own keeps private. Raises JobRefused.

    Somebody else who has the file may use it: it is no secret then, and nobody is to be kept from a set they have.
    """
    for other in _list_keepers(session, validation):
        if other.requester == requester and _may_score(other, now):
            expected = "a set that no job of yours keeps private, or spec.validationHolders as that job has them"
            raise JobRefused("spec.validation", expected, other.job)


def find_keeper(session: Session, row: JobRow, visitor: bytes | None, now: int) -> JobRow | None:
    """The job for which what tells of this job's validation set is not for this visitor, or not yet.

    It is the job itself, or one that was accepted beside it with the same set.
    """
    spec = load_agreement(row).spec
    if spec.validation is None or spec.validation_holders is None or visitor in spec.validation_holders:
        return None
    if not has_ended(row):
        return row
    return next((other for other in _list_keepers(session, spec.validation) if _may_score(other, now)), None)


def verify_holder(session: Session, row: JobRow, visitor: bytes | None, now: int) -> None:
    """Verify that a visitor may have the validation set, and what tells of it, now. Raises ValidationPrivate."""
    keeper = find_keeper(session, row, visitor, now)
    if keeper is not None:
        raise ValidationPrivate(keeper.job, load_agreement(keeper).spec.validation_holders or ())


def is_holder(row: JobRow, visitor: bytes | None) -> bool:
    """Whether the spec names this visitor: then evidence is for it too."""
    return visitor is not None and visitor in (load_agreement(row).spec.validation_holders or ())


def has_ended(row: JobRow) -> bool:
    """Whether no update of the job will be scored any more and no round of it can still be struck."""
    last_is_final = row.state == "finished" and row.rounds_final >= load_agreement(row).terms.rounds
    return row.state in ("closed", "rejected") or last_is_final


def choose_audience(row: JobRow) -> str:
    """For whom a file is that tells of the job's validation set."""
    return EVIDENCE if load_agreement(row).spec.validation_holders is None else HOLDERS


def _list_keepers(session: Session, validation: bytes) -> list[JobRow]:
    shares = [share for share in store.list_shares(session, validation) if share.audience == HOLDERS]
    return [row for share in shares if (row := store.find_job(session, share.job)) is not None]


def _may_score(row: JobRow, now: int) -> bool:
    """Whether the job is scored by its set, or may be: its acceptance can still be used."""
    return row.acceptance_deadline >= now if row.state == "accepted" else not has_ended(row)
