"""Signatures in bulk: recovering a key is most of an audit's work, and the only part worth spreading over threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ledger.errors import MalformedSignature, show
from ledger.signatures import recover
from ledger.verify.results import Findings


@dataclass(frozen=True, slots=True)
class SignatureClaim:
    """That the key of `signer` (20 bytes) made `signature` over `digest`."""

    digest: bytes
    signature: bytes
    signer: bytes


Spread: TypeAlias = Callable[
    [Callable[[SignatureClaim], bytes | None], Sequence[SignatureClaim]], Iterable[bytes | None]
]
"""How a function is applied to many values, in order: `map`, or the `map` of a pool of threads."""


def recover_signer(claim: SignatureClaim) -> bytes | None:
    """Returns the address that signed, or None where no key can have made the signature."""
    try:
        return recover(claim.digest, claim.signature)
    except MalformedSignature:
        return None


def verify_signers(
    check: str, detail: str, claims: Sequence[SignatureClaim], findings: Findings, spread: Spread
) -> None:
    """Finds every claim whose signature is by another key."""
    for seq, (claim, signer) in enumerate(zip(claims, spread(recover_signer, claims), strict=True)):
        if signer != claim.signer:
            findings.fail(check, detail, seq, show(claim.signer), show(signer) if signer else "no key at all")
    findings.note(check, len(claims))
