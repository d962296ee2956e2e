"""Who sends a request: the address behind its bearer token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from coordinator.access.errors import NotAllowed, NotSignedIn
from coordinator.access.service import find_address
from coordinator.context import Context, InContext

_REMEMBERED = 20_000
_SCHEME = "bearer "


async def find_visitor(request: Request, context: InContext) -> bytes | None:
    """The signed-in address, or None where no token was sent. Raises NotSignedIn for a bad one."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    if not header.lower().startswith(_SCHEME):
        raise NotSignedIn("expected the header `Authorization: Bearer …`")
    return await _find(context, header[len(_SCHEME) :].strip())


async def require_visitor(visitor: Annotated[bytes | None, Depends(find_visitor)]) -> bytes:
    """The signed-in address. Raises NotSignedIn."""
    if visitor is None:
        raise NotSignedIn("there is no bearer token")
    return visitor


async def require_requester(visitor: Annotated[bytes, Depends(require_visitor)], context: InContext) -> bytes:
    """A signed-in address that may ask for jobs. Raises NotSignedIn, NotAllowed."""
    allowed = context.settings.allowed_requesters
    if allowed and visitor not in allowed:
        raise NotAllowed(visitor, "upload files and ask for jobs", "an address that this coordinator lists")
    return visitor


async def _find(context: Context, token: str) -> bytes:
    known = context.known_tokens.get(token)
    if known is None:
        known = await context.database.run_read(find_address, context, token)
        if len(context.known_tokens) >= _REMEMBERED:
            context.known_tokens.clear()
        context.known_tokens[token] = known
    address, expires_at = known
    if context.now > expires_at:
        raise NotSignedIn("the bearer token has expired")
    return address


Visitor = Annotated[bytes, Depends(require_visitor)]
PossibleVisitor = Annotated[bytes | None, Depends(find_visitor)]
Requester = Annotated[bytes, Depends(require_requester)]
