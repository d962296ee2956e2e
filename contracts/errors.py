"""What can go wrong between us and a chain: the wire, the chain itself, the contracts found there."""

from __future__ import annotations

from urllib.parse import urlsplit

from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex


class ChainError(Exception):
    """Root of every error raised by this package about a chain, a contract or a transaction."""


class ChainUnreachable(ChainError):
    """No usable answer came from the RPC provider, after all retries. Waiting and trying again is right."""

    def __init__(self, url: str, reason: str, attempts: int) -> None:
        self.url = describe_url(url)
        self.reason = reason
        self.attempts = attempts
        super().__init__(
            f"expected an answer from the chain at {self.url}, got {reason} ({attempts} attempts): "
            "check that the provider runs and that the address is right"
        )


class ProviderRefused(ChainError):
    """The provider answered with a JSON-RPC error that is not a revert. The same request will fail again."""

    def __init__(self, method: str, code: int, reason: str, data: object = None) -> None:
        self.method = method
        self.code = code
        self.reason = reason
        self.data = data
        super().__init__(f"the provider refused {method}: {reason} (code {code})")


class NoProvider(ChainError):
    """Something answers at the address, but no JSON-RPC provider of a chain."""

    def __init__(self, url: str, got: str) -> None:
        self.url = describe_url(url)
        self.got = got
        super().__init__(
            f"expected the id of a chain from {self.url}, got {got}: is this the address of an RPC provider?"
        )


class WrongChain(ChainError):
    """The provider serves another chain than the deployment lives on."""

    def __init__(self, expected: int, got: int) -> None:
        self.expected = expected
        self.got = got
        super().__init__(f"expected chain id {expected}, got {got}: give the RPC address of chain {expected}")


class ContractMissing(ChainError):
    """There is no code at an address of the deployment, or other code than was deployed."""

    def __init__(self, contract: str, address: str, expected: bytes | str, code: bytes) -> None:
        self.contract = contract
        self.address = address
        self.expected = to_hex(expected) if isinstance(expected, bytes) else expected
        self.got = to_hex(keccak256(code)) if code else ""
        got = f"code with hash {self.got}" if code else "no code"
        wanted = f"code with hash {self.expected}" if isinstance(expected, bytes) else expected
        super().__init__(
            f"expected {contract} at {address} to have {wanted}, got {got}: "
            "check the deployment file, and whether the chain was started anew since"
        )


class ChainMoved(ChainError):
    """A block that was read before is no longer on the chain: what was read from it must be read again."""

    def __init__(self, number: int, expected: str, got: str) -> None:
        self.number = number
        self.expected = expected
        self.got = got
        super().__init__(f"expected block {number} to have hash {expected}, got {got}: the chain reorganised")


def describe_url(url: str) -> str:
    """Return scheme, host and port of a URL; paths and user parts often hold provider keys and are left out."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
