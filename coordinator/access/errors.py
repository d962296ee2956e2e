"""Why someone is not let in."""

from __future__ import annotations

from coordinator.refusals import RequestRefused
from ledger.hexadecimal import to_address


class NotSignedIn(RequestRefused):
    """The request carries no bearer token that is known and valid."""

    status = 401
    headers = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012  typed as a constant mapping by its base

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{problem}: sign in with POST /v1/auth/nonce and POST /v1/auth/login")


class SignInRefused(RequestRefused):
    """A line of the signed message is not what was given out, or the nonce is unknown, used or expired."""

    status = 401

    def __init__(self, line: str, expected: str, got: str) -> None:
        self.line = line
        self.expected = expected
        self.got = got
        super().__init__(f"{line}: expected {expected}, got {got}: ask for a new nonce and sign its message unchanged")


class WalletUnverified(RequestRefused):
    """The signature is not the address' own key's, and the chain could not be asked for a contract wallet there."""

    status = 503

    def __init__(self, address: bytes, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(
            f"expected a signature by the key of {to_address(address)}, or one that a contract wallet at that address "
            f"approves; only the chain knows the latter, and could not be asked ({reason}): send the same again later"
        )


class NotAllowed(RequestRefused):
    """The signed-in address may not do this."""

    status = 403

    def __init__(self, address: bytes, action: str, expected: str) -> None:
        self.address = address
        self.action = action
        self.expected = expected
        super().__init__(f"expected {expected} to {action}: sign in with such an address")
