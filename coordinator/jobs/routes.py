"""Routes of jobs and files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse

from coordinator.access.bearer import PossibleVisitor, Requester
from coordinator.access.errors import NotAllowed, NotSignedIn
from coordinator.context import InContext
from coordinator.jobs import acceptance, files, views
from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.errors import (
    BondUncovered,
    JobRefused,
    UnknownBlob,
    UnknownJob,
    UploadQuotaUsed,
    ValidationPrivate,
)
from coordinator.jobs.service import load_job
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from coordinator.storage.blobs import BlobMismatch, BlobTooLarge
from ledger import wire
from ledger.wire_types import Bytes32

router = APIRouter(prefix="/v1", tags=["jobs"])

# A file's bytes never change under its address.
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


async def _read_name(sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", examples=["5a" * 32])]) -> bytes:
    return bytes.fromhex(sha256)


BlobName = Annotated[bytes, Depends(_read_name)]


@router.post(
    "/jobs", summary="Ask for a job", responses=describe_refusals(JobRefused, BondUncovered, NotSignedIn, NotAllowed)
)
async def ask_job(request: wire.JobRequest, visitor: Requester, context: InContext) -> wire.JobAcceptance:
    """Examine spec, terms and files, and answer with the job's id and the signed acceptance that `openJob` takes."""
    return await acceptance.accept(context, visitor, request)


@router.get("/jobs", summary="All jobs, newest first")
async def list_jobs(context: InContext) -> list[wire.JobView]:
    """Every job that this coordinator accepted."""
    return await context.database.run_read(views.list_views)


@router.get("/jobs/{job}", summary="A job", responses=describe_refusals(UnknownJob, MalformedRequest))
async def show_job(job: Bytes32, context: InContext) -> wire.JobView:
    """The job as it stands."""
    return views.build_view(await context.database.run_read(load_job, job))


@router.get("/jobs/{job}/spec", summary="A job's spec", responses=describe_refusals(UnknownJob, MalformedRequest))
async def show_spec(job: Bytes32, context: InContext) -> Response:
    """The canonical bytes whose SHA-256 stands in the terms."""
    row = await context.database.run_read(load_job, job)
    return Response(row.spec, media_type="application/json", headers=_FOR_EVER)


@router.get("/jobs/{job}/terms", summary="A job's terms", responses=describe_refusals(UnknownJob, MalformedRequest))
async def show_terms(job: Bytes32, context: InContext) -> dict[str, Any]:
    """The terms whose struct hash is the job's id."""
    return load_agreement(await context.database.run_read(load_job, job)).terms.to_json()


@router.get("/jobs/{job}/logs", summary="A job's log", responses=describe_refusals(UnknownJob, MalformedRequest))
async def show_logs(
    job: Bytes32, context: InContext, limit: Annotated[int, Query(ge=1, le=10_000)] = 200
) -> list[wire.LogLine]:
    """The newest lines, oldest first."""
    await context.database.run_read(load_job, job)
    return await context.database.run_read(views.list_logs, job, limit)


@router.put(
    "/blobs/{sha256}",
    tags=["files"],
    summary="Upload a file",
    status_code=204,
    responses=describe_refusals(BlobTooLarge, BlobMismatch, UploadQuotaUsed, NotSignedIn, NotAllowed, MalformedRequest),
)
async def put_blob(name: BlobName, request: Request, visitor: Requester, context: InContext) -> None:
    """Keep a file under its SHA-256; it is durable once this answers. Repeating it is the same as once."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > context.settings.max_blob_bytes:
        raise BlobTooLarge(context.settings.max_blob_bytes, int(announced))
    await files.take_upload(context, visitor, name, request.stream())


@router.get(
    "/blobs/{sha256}",
    tags=["files"],
    summary="Download a file",
    response_class=FileResponse,
    responses=describe_refusals(UnknownBlob, ValidationPrivate, NotSignedIn, MalformedRequest),
)
async def get_blob(name: BlobName, visitor: PossibleVisitor, request: Request, context: InContext) -> Response:
    """A file, whole or in part (Range): models for all, evidence and payloads for whom the job's spec allows."""
    content = context.shelf.find(name)
    if content is None:
        content, is_public = await context.database.run_read(files.load_small, context, name, visitor)
        if content is not None and is_public:
            context.shelf.put(name, content)
    # A file response takes a turn of a thread for every piece of it.
    if content is not None and "range" not in request.headers:
        return Response(content, media_type="application/octet-stream", headers=_FOR_EVER)
    return FileResponse(context.blobs.path(name), media_type="application/octet-stream", headers=_FOR_EVER)
