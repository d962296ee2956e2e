"""Routes that show rounds: headers, entries with proofs, evidence, explanations, events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from sqlmodel import Session

from coordinator.access.bearer import PossibleVisitor
from coordinator.access.errors import NotAllowed, NotSignedIn
from coordinator.context import Context, InContext
from coordinator.jobs.errors import UnknownJob, ValidationPrivate
from coordinator.jobs.files import is_reader, verify_reader
from coordinator.jobs.privacy import verify_holder
from coordinator.jobs.service import load_job
from coordinator.problems import MalformedRequest
from coordinator.refusals import RequestRefused, describe_refusals
from coordinator.rounds import events, explain, history, store, views
from coordinator.rounds.errors import (
    EvidenceNotForYou,
    NotClosedYet,
    NotSealedYet,
    UnknownEntry,
    UnknownEvidence,
    UnknownRound,
)
from coordinator.rounds.service import load_round
from ledger import canonical, evidence, wire
from ledger.wire_types import Address, Bytes32

router = APIRouter(prefix="/v1", tags=["rounds"])

Number = Annotated[int, Path(ge=1, le=2**53 - 1, examples=[1])]

_EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
_SEALED: tuple[type[RequestRefused], ...] = (UnknownRound, NotSealedYet, MalformedRequest)


@router.get("/jobs/{job}/rounds", summary="A job's rounds", responses=describe_refusals(UnknownJob, MalformedRequest))
async def list_rounds(job: Bytes32, context: InContext) -> list[wire.RoundView]:
    """All rounds so far, in order."""
    return await context.database.run_read(views.list_rounds, job)


@router.get("/jobs/{job}/nodes", summary="Who works", responses=describe_refusals(UnknownJob, MalformedRequest))
async def list_work(job: Bytes32, context: InContext) -> list[wire.NodeWork]:
    """Every node's part in the job, the most earned first."""
    return await context.database.run_read(views.list_work, job)


@router.get(
    "/jobs/{job}/events",
    summary="What happens, as it happens",
    response_class=StreamingResponse,
    responses=_EVENTS | describe_refusals(UnknownJob, MalformedRequest),
)
async def stream_events(job: Bytes32, context: InContext) -> StreamingResponse:
    """Server-Sent Events `job`, `round` and `log`; the data of each is what the other routes answer."""
    await context.database.run_read(load_job, job)
    return StreamingResponse(
        events.stream(context, job), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.get("/nodes/{node}/earnings", tags=["nodes"], summary="What a node has earned")
async def show_earnings(node: Address, context: InContext) -> wire.Earnings:
    """Job by job: in all, in final rounds, and already claimed."""
    return await context.database.run_read(views.show_earnings, node)


@router.get("/nodes/{node}/history", tags=["nodes"], summary="What became of a node's contributions")
async def show_history(
    node: Address,
    context: InContext,
    job: Annotated[Bytes32 | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> wire.NodeHistory:
    """Job by job, or of one job: its entries with verdict, weight, score and reward, the newest `limit` of each job."""
    return await context.database.run_read(history.show_history, node, job, limit)


@router.get("/rounds/{job}/{number}", summary="A round", responses=describe_refusals(UnknownRound, MalformedRequest))
async def show_round(job: Bytes32, number: Number, context: InContext) -> wire.RoundView:
    """The round as it stands."""
    return views.build_round(await context.database.run_read(load_round, job, number))


@router.get(
    "/rounds/{job}/{number}/closing",
    summary="A round's closing",
    responses=describe_refusals(UnknownRound, NotClosedYet, MalformedRequest),
)
async def show_closing(job: Bytes32, number: Number, context: InContext) -> wire.ClosingView:
    """The signed closing with the contribution digests that it fixes, in seq order."""
    return await context.database.run_read(views.show_closing, job, number)


@router.get("/rounds/{job}/{number}/header", summary="A round's header", responses=describe_refusals(*_SEALED))
async def show_header(job: Bytes32, number: Number, context: InContext) -> wire.HeaderView:
    """The signed header and, once posted, its anchor."""
    return views.build_header(await context.database.run_read(load_round, job, number))


@router.get("/rounds/{job}/{number}/entries", summary="A round's entries", responses=describe_refusals(*_SEALED))
async def list_entries(job: Bytes32, number: Number, context: InContext) -> Response:
    """All entries in seq order, as in the evidence; what is paid to whom is public."""
    body = await context.database.run_read(_load_entries, context, job, number)
    return Response(body, media_type="application/json")


@router.get(
    "/rounds/{job}/{number}/entries/{node}",
    summary="A node's entry with its proof",
    responses=describe_refusals(*_SEALED, UnknownEntry),
)
async def show_entry(job: Bytes32, number: Number, node: Address, context: InContext) -> wire.EntryView:
    """The claim, the proof of contribution and the exhibit in a challenge."""
    return await context.database.run_read(views.show_entry, job, number, node)


@router.get(
    "/rounds/{job}/{number}/evidence/{file}",
    summary="A file of a round's evidence",
    responses=describe_refusals(
        *_SEALED, UnknownEvidence, EvidenceNotForYou, ValidationPrivate, NotSignedIn, NotAllowed
    ),
)
async def get_evidence(
    job: Bytes32, number: Number, file: str, visitor: PossibleVisitor, context: InContext
) -> Response:
    """A file by its name (see the manifest); for whom the job's spec says: signed-in auditors, or everyone.

    What tells of a private validation set is for its holders until the job ends.
    Manifest and `screening.json` are for everyone: a refused node must be told why, with proof.
    """
    found = await context.database.run_read(_find_evidence, context, job, number, file, visitor)
    if isinstance(found, str):
        return Response(found, media_type="application/json")
    kind = "application/json" if file.endswith(".json") else "application/octet-stream"
    return FileResponse(context.blobs.path(found), media_type=kind)


@router.get(
    "/explain/{job}/{number}/{node}",
    summary="Why a node was paid this",
    responses=describe_refusals(*_SEALED, UnknownJob, UnknownEntry),
)
async def show_explanation(job: Bytes32, number: Number, node: Address, context: InContext) -> wire.Explanation:
    """Sentences made of the signed entry, its header, and the evidence that the header signs."""
    return await context.database.run_read(explain.explain, context.blobs, job, number, node)


def _load_entries(session: Session, context: Context, job: bytes, number: int) -> bytes:
    views.build_header(load_round(session, job, number))
    return context.blobs.load(store.list_evidence(session, job, number)[evidence.ENTRIES].sha256)


def _find_evidence(
    session: Session, context: Context, job: bytes, number: int, name: str, visitor: bytes | None
) -> bytes | str:
    """The file's SHA-256; for the two files outside the manifest, their text."""
    row = load_round(session, job, number)
    header = views.build_header(row)
    known = name in evidence.FOR_EVERYONE
    if visitor is None and not known and not is_reader(session, context, job, None):
        raise EvidenceNotForYou(job)
    if visitor is not None and not known:
        verify_reader(session, context, job, visitor)
    if name in evidence.PRIVATE:
        verify_holder(session, load_job(session, job), visitor, context.now)
    if name == evidence.HEADER:
        return canonical.encode(header.header.to_json()).decode()
    if name == evidence.ANCHOR and header.anchor is not None:
        return header.anchor.model_dump_json(by_alias=True, include={"final_at", "transaction", "block"})
    files = store.list_evidence(session, job, number)
    if name not in files:
        outside = [evidence.HEADER] + [evidence.ANCHOR] * (header.anchor is not None)
        raise UnknownEvidence(name, sorted([*files, *outside]))
    return files[name].sha256
