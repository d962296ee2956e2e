"""Errors of the programs, split by who is wrong: us and our user, the wire, or the other party.

What the other party signed and got wrong is a VerificationError of the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping


class ClientError(Exception):
    """Root of what these programs tell people; `exit_code` is what the process ends with."""

    exit_code = 1


class TransportError(ClientError):
    """The wire: nothing was learned about the other party's answer."""


class TransportUnreachable(TransportError):
    """No answer came. Waiting and trying again is right."""

    def __init__(self, url: str, reason: str, attempts: int) -> None:
        self.url, self.reason, self.attempts = url, reason, attempts
        super().__init__(
            f"expected an answer from {url}, got {reason} ({attempts} attempts): "
            "check the address, that the service runs, and the network"
        )


class TransportOverflow(TransportError):
    """An answer longer than such an answer may be."""

    def __init__(self, url: str, limit_bytes: int) -> None:
        self.url, self.limit_bytes = url, limit_bytes
        super().__init__(f"expected at most {limit_bytes} bytes from {url}, got more: is this address a coordinator's?")


class TransportMangled(TransportError):
    """An answer that is not a message of protocol version 1."""

    def __init__(self, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"the answer of {url} is no message of this protocol: {problem}; "
            "check the address, and that both sides run the same version"
        )


class CoordinatorRefused(ClientError):
    """The other side understood and said no: its error name, its sentence, its operands."""

    def __init__(self, url: str, status: int, error: str, detail: str, operands: Mapping[str, object]) -> None:
        self.url, self.status, self.error, self.detail = url, status, error, detail
        self.operands = dict(operands)
        super().__init__(f"{detail} ({error}, status {status})")


class UsageRefused(ClientError):
    """A command was called with options that do not go together or name what is not there."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)
