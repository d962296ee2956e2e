"""Private validation sets: who may have the set, and what tells of it, before the job has ended."""

from __future__ import annotations

from sqlmodel import Session

from coordinator.jobs import store
from coordinator.jobs.agreement import EVIDENCE, HOLDERS, load_agreement
from coordinator.jobs.errors import JobRefused, ValidationPrivate
from coordinator.jobs.tables import JobRow


def verify_unseen(session: Session, validation: bytes, holders: tuple[bytes, ...]) -> None:
    """Verify that no other job shows a set to more than these holders, or has shown it. Raises JobRefused."""
    for share in store.list_shares(session, validation):
        other = store.find_job(session, share.job)
        kept = share.audience == HOLDERS and other is not None and not has_ended(other)
        if other is None or not kept or load_agreement(other).spec.validation_holders != holders:
            expected = "a set that no other job shows to others, as spec.validationHolders is given"
            raise JobRefused("spec.validation", expected, share.job)


def is_held_back(row: JobRow, visitor: bytes | None) -> bool:
    """Whether what tells of the validation set is not for this visitor, or not yet."""
    holders = load_agreement(row).spec.validation_holders
    return holders is not None and visitor not in holders and not has_ended(row)


def verify_holder(row: JobRow, visitor: bytes | None) -> None:
    """Verify that a visitor may have the validation set, and what tells of it, now. Raises ValidationPrivate."""
    if is_held_back(row, visitor):
        raise ValidationPrivate(row.job, load_agreement(row).spec.validation_holders or ())


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
