"""Routes that nodes work through: assignments, contributions, payloads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from coordinator.access.bearer import Visitor
from coordinator.access.errors import NotSignedIn
from coordinator.context import InContext
from coordinator.jobs.errors import UnknownJob
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from coordinator.rounds import intake, reveal
from coordinator.rounds.desk import Offer, RoundDesk
from coordinator.rounds.errors import (
    AlreadyContributed,
    CohortFull,
    JobNotRunning,
    MalformedPayload,
    NodeNotAdmitted,
    NotClosedYet,
    NotOpened,
    RevealClosed,
    RoundClosed,
    UnknownContribution,
    WrongContribution,
    WrongVoucher,
)
from coordinator.storage.blobs import BlobTooLarge
from ledger import wire
from ledger.wire_types import Bytes32, SignedReceipt

router = APIRouter(prefix="/v1", tags=["rounds"])

MAX_WAIT_SECONDS = 60.0

_NOTHING_YET: dict[int | str, dict[str, Any]] = {204: {"description": "nothing yet: ask again"}}
_PAYLOAD = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


async def get_desk(request: Request) -> RoundDesk:
    """The desk of the application that serves this request."""
    desk: RoundDesk = request.app.state.desk
    return desk


AtDesk = Annotated[RoundDesk, Depends(get_desk)]


@router.get(
    "/assignments",
    summary="What this node is to do now",
    response_model=wire.Assignment,
    responses=_NOTHING_YET | describe_refusals(NotSignedIn, MalformedRequest),
)
async def find_assignment(
    visitor: Visitor, desk: AtDesk, wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0.0
) -> Response:
    """Wait up to so many seconds for work; asking also tells that the node is present."""
    body = await desk.assignments.find(visitor, wait)
    return Response(status_code=204) if body is None else Response(body, media_type="application/json")


@router.post(
    "/contributions",
    summary="Commit to an update",
    response_model=SignedReceipt,
    responses=describe_refusals(
        UnknownJob, JobNotRunning, RoundClosed, NodeNotAdmitted, WrongContribution, WrongVoucher, CohortFull,
        AlreadyContributed, MalformedRequest,
    ),
)  # fmt: skip
async def contribute(request: wire.ContributionRequest, desk: AtDesk, context: InContext) -> Response:
    """Answer a signed contribution with the countersigned receipt, durable before it is sent.

    The same contribution always gets the same bytes; another one by the same node gets 409 with the first receipt.
    """
    receipt = await desk.intake.submit(intake.examine(context, request))
    return Response(receipt, media_type="application/json")


@router.put(
    "/contributions/{contribution}/payload",
    summary="Reveal an update",
    openapi_extra={"requestBody": {"required": True, "content": _PAYLOAD}},
    responses=describe_refusals(
        UnknownContribution, NotClosedYet, RevealClosed, NotOpened, MalformedPayload, BlobTooLarge, MalformedRequest
    ),
)  # fmt: skip
async def put_payload(
    contribution: Bytes32,
    request: Request,
    desk: AtDesk,
    tallystick_salt: Annotated[Bytes32, Header()],
    tallystick_vector_commitment: Annotated[Bytes32, Header()],
) -> wire.ContributionView:
    """Take the payload that opens a commitment, after the closing.

    What does not open it changes nothing and may be sent again; what opens it but is no update is recorded and gets
    verdict 3.
    """
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    offer = Offer(contribution, tallystick_vector_commitment, tallystick_salt, size)
    return await desk.take_payload(offer, request.stream())


@router.get(
    "/contributions/{contribution}",
    summary="A contribution as it stands",
    responses=describe_refusals(UnknownContribution, MalformedRequest),
)
async def show_contribution(contribution: Bytes32, context: InContext) -> wire.ContributionView:
    """Received, revealed, accepted or refused."""
    return await context.database.run_read(reveal.show, contribution)
