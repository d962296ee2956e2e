"""Routes of sign-in."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from sqlmodel import Session

from coordinator.access import service
from coordinator.access.errors import SignInRefused, WalletUnverified
from coordinator.access.sign_in import SignInMessage
from coordinator.context import Context, InContext
from coordinator.problems import MalformedRequest
from coordinator.refusals import describe_refusals
from ledger import wire
from ledger.hexadecimal import to_address

FindRoles = Callable[[Session, bytes], list[str]]


def create_router(find_roles: FindRoles) -> APIRouter:
    """Routes under /v1/auth; `find_roles` tells what the chain knows an address as."""
    router = APIRouter(prefix="/v1/auth", tags=["auth"])

    @router.post("/nonce", summary="Ask for a message to sign", responses=describe_refusals(MalformedRequest))
    async def give_nonce(request: wire.NonceRequest, context: InContext) -> wire.Nonce:
        """Answer with the complete EIP-4361 text for this address; its nonce serves once, for a few minutes."""
        return await context.database.run_write(service.issue_nonce, context, request.address)

    @router.post(
        "/login",
        summary="Exchange a signed message for a bearer token",
        responses=describe_refusals(SignInRefused, WalletUnverified, MalformedRequest),
    )
    async def login(request: wire.Login, context: InContext) -> wire.Session:
        """Verify the message line by line and the signature, and answer with a token.

        Contract wallets sign in too: where the signature is not the address' own key's, the contract there is asked
        (ERC-1271). Nodes sign with their own key only.
        """
        message = SignInMessage.from_text(request.message)
        row = await context.database.run_write(service.use_nonce, message)
        service.verify_message(context, row, message)
        try:
            approver = await service.find_approver(context, row.address, request.message, request.signature)
        except WalletUnverified:
            await context.database.run_write(service.return_nonce, row)
            raise
        return await context.database.run_write(_open, context, message.address, find_roles, approver)

    return router


def _open(
    session: Session, context: Context, address: bytes, find_roles: FindRoles, approver: service.Approver
) -> wire.Session:
    roles = find_roles(session, address)
    if "node" in roles and approver != "key":
        raise SignInRefused("signature", f"one by the key of node {to_address(address)}", "a contract's approval")
    token, expires_at = service.issue_token(session, context, address)
    allowed = {"requester": context.settings.allowed_requesters, "auditor": context.settings.allowed_auditors}
    open_to = [role for role, addresses in allowed.items() if not addresses or address in addresses]
    return wire.Session(token=token, address=address, expires_at=expires_at, roles=[*roles, *open_to])
