"""Routes of registered models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlmodel import Session

from coordinator.context import InContext
from coordinator.models import store
from coordinator.models.errors import UnknownModel
from coordinator.models.tables import ModelRow
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from ledger import wire

router = APIRouter(prefix="/v1/models", tags=["models"])

Name = Annotated[str, Path(pattern="^[0-9a-f]{64}$", examples=["5a" * 32])]


@router.get("", summary="All models, newest first")
async def list_models(context: InContext) -> list[wire.ModelView]:
    """The final models of ended jobs, without their cards; download one with GET /v1/blobs/{sha256}."""
    return await context.database.run_read(_list)


@router.get("/{sha256}", summary="A model's card", responses=describe_refusals(UnknownModel, MalformedRequest))
async def show_model(sha256: Name, context: InContext) -> wire.ModelView:
    """A registered model with its card (Markdown)."""
    return await context.database.run_read(_show, bytes.fromhex(sha256))


def _list(session: Session) -> list[wire.ModelView]:
    return [_build_view(row, None) for row in store.list_models(session)]


def _show(session: Session, digest: bytes) -> wire.ModelView:
    row = store.find_model(session, digest)
    if row is None:
        raise UnknownModel(digest)
    return _build_view(row, row.card)


def _build_view(row: ModelRow, card: str | None) -> wire.ModelView:
    return wire.ModelView(
        model=row.model,
        job=row.job,
        round=row.round,
        final=True,
        size_bytes=row.size_bytes,
        metrics=row.metrics,
        card=card,
    )
