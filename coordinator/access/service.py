"""Sign-in: a nonce for an address, and a bearer token for its signature."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlmodel import Session

from coordinator.access import store
from coordinator.access.errors import NotSignedIn, SignInRefused
from coordinator.access.sign_in import SignInMessage
from coordinator.access.tables import NonceRow, TokenRow
from coordinator.context import Context
from ledger import wire
from ledger.hashing import sha256
from ledger.hexadecimal import to_address
from ledger.signatures import recover_message

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


def use_nonce(session: Session, message: SignInMessage) -> NonceRow | None:
    """Take the message's nonce out of the store, whatever comes of it: a nonce serves once."""
    return store.take_nonce(session, message.nonce)


def verify_sign_in(context: Context, row: NonceRow | None, message: SignInMessage, text: str, signature: bytes) -> None:
    """Verify a signed message against the nonce it used.

    1. the nonce was given out and not used before; 2. every line is the one given out; 3. it has not expired;
    4. the signature is by the address.

    Raises:
        SignInRefused: with the line that is wrong.
        MalformedSignature: the signature is not canonical.
    """
    # 1
    if row is None:
        raise SignInRefused("Nonce", "a nonce that was given out and not used yet", message.nonce)
    # 2
    expected = _build_message(context, row)
    for name, label in _LABELS.items():
        if getattr(message, name) != getattr(expected, name):
            raise SignInRefused(label, _show(getattr(expected, name)), _show(getattr(message, name)))
    # 3
    if context.now > row.expires_at:
        raise SignInRefused("Expiration Time", f"a time after {context.now}", str(row.expires_at))
    # 4
    signer = recover_message(text, signature)
    if signer != row.address:
        raise SignInRefused("signature", f"one by {to_address(row.address)}", f"one by {to_address(signer)}")


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
