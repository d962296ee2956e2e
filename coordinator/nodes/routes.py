"""Routes of nodes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from coordinator.access.bearer import Visitor
from coordinator.access.errors import NotSignedIn
from coordinator.context import Context, InContext
from coordinator.nodes import service, store
from coordinator.nodes.errors import AlreadyRegistered, NotThisNode, RegistrationExpired, TelemetryFull, UnknownNode
from coordinator.nodes.telemetry import TelemetryDesk, get_telemetry_desk
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from ledger import wire
from ledger.wire_types import Address

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])

AtDesk = Annotated[TelemetryDesk, Depends(get_telemetry_desk)]

_KEPT: dict[int | str, dict[str, Any]] = {
    202: {"model": wire.NodeView, "description": "kept; its transaction is pending"}
}


@router.post(
    "",
    summary="Register a node",
    responses=_KEPT | describe_refusals(AlreadyRegistered, RegistrationExpired, MalformedRequest),
)
async def register_node(request: wire.NodeRegistration, response: Response, context: InContext) -> wire.NodeView:
    """Keep a node's signed registration and send it at the coordinator's cost. Repeating it is the same as once."""
    view = await context.database.run_write(_register, context, request)
    response.status_code = 200 if view.state == "registered" else 202
    return view


@router.get("", summary="All nodes, oldest first")
async def list_nodes(context: InContext) -> list[wire.NodeView]:
    """Every node that this coordinator knows."""
    return await context.database.run_read(_list, context)


@router.get("/{node}", summary="A node", responses=describe_refusals(UnknownNode, MalformedRequest))
async def show_node(node: Address, context: InContext) -> wire.NodeView:
    """The node as it stands."""
    return await context.database.run_read(_show, context, node)


@router.post(
    "/{node}/telemetry",
    summary="Tell how a phase of work went",
    status_code=204,
    responses=describe_refusals(UnknownNode, NotThisNode, TelemetryFull, NotSignedIn, MalformedRequest),
)
async def post_telemetry(node: Address, report: wire.TelemetryReport, visitor: Visitor, desk: AtDesk) -> None:
    """Keep a node's own bounded measurements for a set time; all of a report or, where there are too many, none."""
    if visitor != node:
        raise NotThisNode(node, visitor)
    await desk.submit((node, report.measurements))


def _register(session: Session, context: Context, request: wire.NodeRegistration) -> wire.NodeView:
    return service.build_view(context, service.register(session, context, request))


def _list(session: Session, context: Context) -> list[wire.NodeView]:
    return [service.build_view(context, row) for row in store.list_nodes(session)]


def _show(session: Session, context: Context, node: bytes) -> wire.NodeView:
    row = store.find_node(session, node)
    if row is None:
        raise UnknownNode(node)
    return service.build_view(context, row)
