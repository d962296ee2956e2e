"""secp256k1 signatures in one form only: 65 bytes r‖s‖v, v 27 or 28, low s; made with RFC 6979 nonces."""

from __future__ import annotations

from typing import Final, NoReturn

from coincurve import PrivateKey, PublicKey

from ledger.errors import MalformedSignature, VerificationError
from ledger.hashing import keccak256

SIGNATURE_BYTES: Final = 65

# Order of the curve's group and half of it (SEC 2, §2.4.1).
_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_ZERO: Final = bytes(32)
_ORDER_BYTES: Final = _ORDER.to_bytes(32, "big")
_HALF_ORDER_BYTES: Final = (_ORDER // 2).to_bytes(32, "big")


class WrongSigner(VerificationError):
    """A canonical signature, but by another key; `expected` and `got` are 20-byte addresses."""

    def __init__(self, expected: bytes, got: bytes) -> None:
        super().__init__(
            "signature",
            "it is by another key, or over other bytes: sign these with the expected key",
            "0x" + expected.hex(),
            "0x" + got.hex(),
        )
        self.expected_address = expected
        self.got_address = got


class Signer:
    """Signs with one private key (32 bytes). Neither its repr nor a pickle ever holds the key."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        # The key itself is in no message: errors are logged.
        if type(private_key) is not bytes or len(private_key) != 32:
            raise MalformedSignature("private key", "expected 32 bytes")
        if not _ZERO < private_key < _ORDER_BYTES:
            raise MalformedSignature("private key", "expected a number from 1 to the group's order − 1")
        self._key = PrivateKey(private_key)
        self.address = _derive_address(self._key.public_key)

    def __repr__(self) -> str:
        return f"Signer(0x{self.address.hex()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer is never pickled: keys do not leave their process")

    def sign(self, digest: bytes) -> bytes:
        """Returns the signature over a 32-byte digest; the same digest always gives the same bytes (RFC 6979)."""
        _check_digest(digest)
        signed = self._key.sign_recoverable(digest, hasher=None)
        signature = signed[:64] + bytes((27 + signed[64],))
        check_signature(signature)
        return signature

    def sign_message(self, text: str) -> bytes:
        """Returns the EIP-191 `personal_sign` signature over a text."""
        return self.sign(compute_message_digest(text))


def check_signature(signature: object) -> None:
    """Checks the form: 65 bytes, v 27 or 28, 0 < r < n, 0 < s ≤ n/2.

    Raises:
        MalformedSignature: naming the part that is not canonical.
    """
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise MalformedSignature("signature", f"{SIGNATURE_BYTES} bytes r‖s‖v", signature)
    if signature[64] not in (27, 28):
        raise MalformedSignature("signature.v", "27 or 28", signature[64])
    if not _ZERO < signature[32:64] <= _HALF_ORDER_BYTES:
        raise MalformedSignature("signature.s", "a number from 1 to half of the group's order", signature[32:64])
    if not _ZERO < signature[:32] < _ORDER_BYTES:
        raise MalformedSignature("signature.r", "a number from 1 to the group's order − 1", signature[:32])


def recover(digest: bytes, signature: bytes) -> bytes:
    """Returns the 20-byte address whose key signed a 32-byte digest.

    Raises:
        MalformedSignature: when the signature is not canonical, or no key can have made it.
    """
    _check_digest(digest)
    check_signature(signature)
    compact = signature[:64] + (b"\x00" if signature[64] == 27 else b"\x01")
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except ValueError:
        # coincurve raises a bare ValueError when r is the x of no point on the curve.
        raise MalformedSignature("signature", "one that some key can have made", signature) from None
    return _derive_address(key)


def verify_signature(digest: bytes, signature: bytes, expected_address: bytes) -> None:
    """Verifies that the key of `expected_address` signed `digest`.

    Raises:
        MalformedSignature: as `recover` does.
        WrongSigner: when another key signed it.
    """
    address = recover(digest, signature)
    if address != expected_address:
        raise WrongSigner(expected_address, address)


def recover_message(text: str, signature: bytes) -> bytes:
    """Returns the address that signed a text by EIP-191 `personal_sign`; raises as `recover` does."""
    return recover(compute_message_digest(text), signature)


def compute_message_digest(text: str) -> bytes:
    """Returns the digest that `personal_sign` signs (EIP-191, version 0x45)."""
    content = text.encode("utf-8")
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(content) + content)


def _derive_address(key: PublicKey) -> bytes:
    return keccak256(key.format(compressed=False)[1:])[12:]


def _check_digest(digest: bytes) -> None:
    if type(digest) is not bytes or len(digest) != 32:
        raise MalformedSignature("digest", "bytes of length 32", digest)
