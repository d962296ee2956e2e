"""The two digests of the protocol: keccak256 for what the EVM re-hashes, SHA-256 for files."""

from __future__ import annotations

import hashlib
from typing import Final

from tiny_keccak import keccak256 as _keccak256

__all__ = ["keccak256", "sha256"]

# The library's function itself, not a wrapper: it takes exactly bytes, and it is called once per tree node.
keccak256 = _keccak256

# Known answers: the empty string, "abc", and one byte below, at and above the sponge's rate of 136 bytes.
_KNOWN: Final = (
    (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    (b"a" * 135, "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446"),
    (b"a" * 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e"),
    (b"a" * 137, "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39"),
)


def sha256(content: bytes) -> bytes:
    """Returns the 32-byte SHA-256 digest of `content`."""
    return hashlib.sha256(content).digest()


def _test_keccak() -> None:
    """Stops a program whose library hashes wrongly (SHA-3's padding, say) before it signs anything."""
    for content, expected in _KNOWN:
        got = keccak256(content).hex()
        if got != expected:
            raise ImportError(
                f"keccak256 of {len(content)} bytes: expected {expected}, got {got}; reinstall tiny-keccak"
            )


_test_keccak()
