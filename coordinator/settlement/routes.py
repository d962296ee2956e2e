"""Claims over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlmodel import Session

from coordinator.access.bearer import Visitor
from coordinator.access.errors import NotSignedIn
from coordinator.context import Context, InContext
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from coordinator.rounds.errors import UnknownEntry, UnknownRound
from coordinator.settlement import claims
from coordinator.settlement.errors import NotFinalYet, NothingToClaim, RelayLimit, UnknownClaim
from ledger import wire

router = APIRouter(prefix="/v1/claims", tags=["claims"])


@router.post(
    "",
    summary="Have a claim sent",
    responses=describe_refusals(
        UnknownRound, UnknownEntry, NotFinalYet, NothingToClaim, RelayLimit, NotSignedIn, MalformedRequest
    ),
)
async def ask_claim(request: wire.ClaimRequest, _visitor: Visitor, context: InContext) -> wire.ClaimView:
    """Queue a claim at the coordinator's cost; the tokens go to the node's payout address and nowhere else."""
    return await context.database.run_write(_ask, context, request)


@router.get("/{claim}", summary="A claim as it stands", responses=describe_refusals(UnknownClaim, MalformedRequest))
async def show_claim(claim: Annotated[int, Path(ge=1)], context: InContext) -> wire.ClaimView:
    """Queued, sent, paid or failed, and by which transaction."""
    return await context.database.run_read(_show, claim)


def _ask(session: Session, context: Context, request: wire.ClaimRequest) -> wire.ClaimView:
    claim = claims.ask(session, context, request, context.settings.claims_per_day)
    return claims.build_view(session, claim)


def _show(session: Session, number: int) -> wire.ClaimView:
    return claims.build_view(session, claims.load_claim(session, number))
