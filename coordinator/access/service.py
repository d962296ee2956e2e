"""Sign-in: a nonce for an address, and a bearer token for its signature."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from sqlmodel import Session

from contracts.errors import ChainError
from coordinator.access import store
from coordinator.access.errors import NotSignedIn, SignInRefused, WalletUnverified
from coordinator.access.sign_in import SignInMessage
from coordinator.access.tables import NonceRow, TokenRow
from coordinator.context import Context
from ledger import wire
from ledger.errors import MalformedSignature
from ledger.hashing import sha256
from ledger.hexadecimal import to_address
from ledger.signatures import compute_message_digest, recover_message

Approver = Literal["key", "contract"]

_NONCE_BYTES = 16
_TOKEN_BYTES = 32


def issue_nonce(session: Session, context: Context, address: bytes) -> wire.Nonce:
    """Give out the message that this address is to sign."""
    now = context.now
    row = NonceRow(
        nonce=context.randomness(_NONCE_BYTES).hex(),
        address=address,
        issued_at=now,
        expires_at=now + context.settings.nonce_seconds,
    )
    store.add_nonce(session, row)
    return wire.Nonce(nonce=row.nonce, message=_build_message(context, row).to_text())


def use_nonce(session: Session, message: SignInMessage) -> NonceRow:
    """Take the message's nonce out of the store, whatever comes of it: a nonce serves once. Raises SignInRefused."""
    row = store.take_nonce(session, message.nonce)
    if row is None:
        raise SignInRefused("Nonce", "a nonce that was given out and not used yet", message.nonce)
    return row


def return_nonce(session: Session, row: NonceRow) -> None:
    """Put back a nonce whose signature nobody could verify: the same login may be sent again."""
    store.add_nonce(session, NonceRow(**row.model_dump()))


def verify_message(context: Context, row: NonceRow, message: SignInMessage) -> None:
    """Verify a message against the nonce it used: every line is the one given out, and it has not expired.

    Raises:
        SignInRefused: with the line that is wrong.
    """
    expected = _build_message(context, row)
    for name, label in _LABELS.items():
        if getattr(message, name) != getattr(expected, name):
            raise SignInRefused(label, _show(getattr(expected, name)), _show(getattr(message, name)))
    if context.now > row.expires_at:
        raise SignInRefused("Expiration Time", f"a time after {context.now}", str(row.expires_at))


async def find_approver(context: Context, address: bytes, text: str, signature: bytes) -> Approver:
    """Who approved a text in the name of an address: its own key (`personal_sign`), or the contract there (ERC-1271).

    Raises:
        SignInRefused, MalformedSignature: neither; what is wrong as a key's signature.
        WalletUnverified: not its own key, and the chain gave no answer about a contract.
    """
    refusal = _find_problem(address, text, signature)
    if refusal is None:
        return "key"
    try:
        approved = await context.wallets.approves(address, compute_message_digest(text), signature)
    except ChainError as error:
        raise WalletUnverified(address, str(error)) from None
    if not approved:
        raise refusal
    return "contract"


def issue_token(session: Session, context: Context, address: bytes) -> tuple[str, int]:
    """Return a new bearer token and when it expires; only its digest is kept."""
    token = context.randomness(_TOKEN_BYTES).hex()
    row = TokenRow(
        digest=sha256(token.encode()), address=address, expires_at=context.now + context.settings.token_seconds
    )
    store.add_token(session, row, context.now)
    return token, row.expires_at


def find_address(session: Session, context: Context, token: str) -> tuple[bytes, int]:
    """Whose token this is and until when. Raises NotSignedIn for an unknown or expired one."""
    row = store.find_token(session, sha256(token.encode()))
    if row is None:
        raise NotSignedIn("the bearer token is unknown")
    if context.now > row.expires_at:
        raise NotSignedIn("the bearer token has expired")
    return row.address, row.expires_at


def _find_problem(address: bytes, text: str, signature: bytes) -> SignInRefused | MalformedSignature | None:
    """Why a signature is not the address' own key's, or None where it is."""
    try:
        signer = recover_message(text, signature)
    except MalformedSignature as malformed:
        return malformed
    if signer == address:
        return None
    expected = f"one by {to_address(address)}, or one that a contract wallet there approves"
    return SignInRefused("signature", expected, f"one by {to_address(signer)}")


def _build_message(context: Context, row: NonceRow) -> SignInMessage:
    return SignInMessage(
        domain=urlsplit(context.settings.url).netloc,
        address=row.address,
        uri=context.settings.url,
        chain_id=context.deployment.chain_id,
        nonce=row.nonce,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


_LABELS = {
    "domain": "domain",
    "address": "address",
    "uri": "URI",
    "chain_id": "Chain ID",
    "issued_at": "Issued At",
    "expires_at": "Expiration Time",
}


def _show(value: object) -> str:
    return to_address(value) if isinstance(value, bytes) else str(value)
