"""Sign-In with Ethereum (EIP-4361): the message built and parsed line by line, by ourselves.

The form is fixed: no scheme, one statement, no request id, no resources. Anything else is refused by name of the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ledger.errors import Malformed
from ledger.hexadecimal import parse_address, to_address

STATEMENT: Final = "Sign in to this Tallystick coordinator. This costs nothing and sends no transaction."

_OPENING: Final = " wants you to sign in with your Ethereum account:"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_NONCE: Final = re.compile(r"[0-9a-zA-Z]{8,64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
_LINES: Final = 11


class MalformedSignIn(Malformed):
    """A text that is not the EIP-4361 message of this service."""


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """The members of a sign-in message; times in unix seconds, `address` 20 bytes."""

    domain: str
    address: bytes
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expires_at: int

    def to_text(self) -> str:
        """The text to sign, exactly."""
        return "\n".join(
            (
                f"{self.domain}{_OPENING}",
                to_address(self.address),
                "",
                STATEMENT,
                "",
                f"URI: {self.uri}",
                "Version: 1",
                f"Chain ID: {self.chain_id}",
                f"Nonce: {self.nonce}",
                f"Issued At: {_write_time(self.issued_at)}",
                f"Expiration Time: {_write_time(self.expires_at)}",
            )
        )

    @classmethod
    def from_text(cls, text: str) -> SignInMessage:
        """Read the text, refusing whatever `to_text` would not write.

        Raises:
            MalformedSignIn: with the line that is wrong.
        """
        lines = text.split("\n")
        if len(lines) != _LINES:
            raise MalformedSignIn("sign-in message", f"{_LINES} lines", len(lines))
        _require("line 1", lines[0].endswith(_OPENING), f"a domain and {_OPENING!r}", lines[0])
        _require("lines 3 to 5", lines[2:5] == ["", STATEMENT, ""], repr(STATEMENT), lines[3])
        message = cls(
            domain=lines[0].removesuffix(_OPENING),
            address=parse_address(lines[1], "address of the sign-in message"),
            uri=_read(lines[5], "URI"),
            chain_id=_read_number(_read(lines[7], "Chain ID")),
            nonce=_read(lines[8], "Nonce"),
            issued_at=_read_time(_read(lines[9], "Issued At"), "Issued At"),
            expires_at=_read_time(_read(lines[10], "Expiration Time"), "Expiration Time"),
        )
        _require("Version", _read(lines[6], "Version") == "1", "1", lines[6])
        _require("Nonce", _NONCE.fullmatch(message.nonce) is not None, "8 to 64 letters and digits", message.nonce)
        _require("sign-in message", message.to_text() == text, "an address with its EIP-55 checksum", lines[1])
        return message


def _read(line: str, label: str) -> str:
    prefix = f"{label}: "
    _require(label, line.startswith(prefix), f"a line that starts with {prefix!r}", line)
    return line.removeprefix(prefix)


def _read_number(text: str) -> int:
    _require("Chain ID", _NUMBER.fullmatch(text) is not None, "a chain id", text)
    return int(text)


def _read_time(text: str, label: str) -> int:
    try:
        at = datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise MalformedSignIn(label, "a time such as 2026-01-31T12:00:00Z", text) from None
    return int(at.timestamp())


def _write_time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_TIME)


def _require(subject: str, holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise MalformedSignIn(subject, expected, got)
