"""Files over HTTP: uploads under a cap and a quota, downloads by whoever may fetch them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlmodel import Session

from coordinator.access.errors import NotAllowed
from coordinator.context import Context
from coordinator.jobs import store
from coordinator.jobs.agreement import EVIDENCE, HOLDERS, PUBLIC, load_agreement
from coordinator.jobs.errors import UnknownBlob, UploadQuotaUsed
from coordinator.jobs.privacy import find_keeper, is_holder, verify_holder
from coordinator.jobs.tables import BlobRow
from coordinator.storage.blobs import BlobMismatch

_SMALL_BYTES = 2**20


async def take_upload(context: Context, uploader: bytes, digest: bytes, chunks: AsyncIterator[bytes]) -> int:
    """Keep an uploaded file; return its size in bytes.

    Raises:
        BlobTooLarge: it is larger than the cap.
        BlobMismatch: the bytes have another SHA-256.
        UploadQuotaUsed: the address has uploaded enough.
    """
    used = await context.database.run_read(store.sum_uploads, uploader)
    if used >= context.settings.upload_quota_bytes:
        raise UploadQuotaUsed(context.settings.upload_quota_bytes, used)

    def verify(got: bytes, size_bytes: int) -> None:
        if got != digest:
            raise BlobMismatch(digest, got, size_bytes)

    received = await context.blobs.receive(chunks, context.settings.max_blob_bytes, verify)
    await context.database.run_write(_note, context, uploader, digest, received.size_bytes)
    return received.size_bytes


def verify_may_fetch(session: Session, context: Context, digest: bytes, visitor: bytes | None) -> None:
    """Verify that the visitor may fetch a file because of some job, or uploaded it.

    Raises:
        ValidationPrivate: not yet.
        UnknownBlob: not at all.
    """
    if visitor is not None and store.find_blob(session, digest, visitor) is not None:
        return
    shares = store.list_shares(session, digest)
    if not any(_admits(session, context, share.job, share.audience, visitor) for share in shares):
        for row in (store.find_job(session, share.job) for share in shares if share.audience == HOLDERS):
            if row is not None:
                verify_holder(session, row, visitor, context.now)
        raise UnknownBlob(digest)


def load_small(session: Session, context: Context, digest: bytes, visitor: bytes | None) -> tuple[bytes | None, bool]:
    """A file that the visitor may fetch, if it is small (None: send it piece by piece), and whether everyone may.

    Raises:
        UnknownBlob: it is not here, or not for this visitor.
        ValidationPrivate: it is not for this visitor before the job ends.
    """
    verify_may_fetch(session, context, digest, visitor)
    if not context.blobs.has(digest):
        raise UnknownBlob(digest)
    if context.blobs.size_bytes(digest) > _SMALL_BYTES:
        return None, False
    return context.blobs.load(digest), any(share.audience == PUBLIC for share in store.list_shares(session, digest))


def is_reader(session: Session, context: Context, job: bytes, visitor: bytes | None) -> bool:
    """Whether the visitor may read a job's evidence."""
    row = store.find_job(session, job)
    if row is None:
        return False
    if load_agreement(row).spec.evidence_readers == "public" or visitor == row.requester or is_holder(row, visitor):
        return True
    allowed = context.settings.allowed_auditors
    return visitor is not None and (not allowed or visitor in allowed)


def verify_reader(session: Session, context: Context, job: bytes, visitor: bytes) -> None:
    """Verify that a signed-in address may read a job's evidence. Raises NotAllowed."""
    if not is_reader(session, context, job, visitor):
        raise NotAllowed(visitor, "read this job's evidence", "an auditor that this coordinator lists")


def _admits(session: Session, context: Context, job: bytes, audience: str, visitor: bytes | None) -> bool:
    if audience == PUBLIC:
        return True
    row = store.find_job(session, job)
    if audience == HOLDERS and (row is None or find_keeper(session, row, visitor, context.now) is not None):
        return False
    if audience in (EVIDENCE, HOLDERS):
        return is_reader(session, context, job, visitor)
    return row is not None and visitor == row.requester


def _note(session: Session, context: Context, uploader: bytes, digest: bytes, size: int) -> None:
    if store.find_blob(session, digest, uploader) is None:
        session.add(BlobRow(sha256=digest, size_bytes=size, uploader=uploader, created_at=context.now))
