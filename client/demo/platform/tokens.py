"""Access tokens that name viewers: a node may read the histories of these viewers and of nobody else.

A token is `base64url(JSON list of viewers).base64url(HMAC-SHA-256)` under the platform's secret: it needs no
database, and a node cannot add a viewer to it. `python -m client.demo.platform.tokens` issues one by hand.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import sys
from collections.abc import Sequence
from pathlib import Path


class TokenRefused(Exception):
    """A token that this platform did not issue."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the access token is refused: {reason}; ask the platform for a new one")


def issue_token(secret: bytes, viewers: Sequence[str]) -> str:
    """A token for exactly these viewers."""
    body = json.dumps(sorted(viewers), separators=(",", ":")).encode()
    return f"{_encode(body)}.{_encode(_mac(secret, body))}"


def read_token(secret: bytes, token: str) -> tuple[str, ...]:
    """The viewers a token names. Raises TokenRefused when it is malformed or signed under another secret."""
    body_text, _, mac_text = token.partition(".")
    try:
        body, mac = _decode(body_text), _decode(mac_text)
    except (binascii.Error, ValueError) as error:
        raise TokenRefused("it is not a token") from error
    if not hmac.compare_digest(mac, _mac(secret, body)):
        raise TokenRefused("its signature is not this platform's")
    return tuple(json.loads(body))


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def main() -> None:
    """Reads the arguments and prints a token."""
    parser = argparse.ArgumentParser(prog="tokens", description="Issues an access token of the small video platform.")
    parser.add_argument("secret_file", type=Path, help="the platform's --secret-file")
    parser.add_argument("viewers", nargs="+", metavar="VIEWER", help="whose histories the token opens")
    arguments = parser.parse_args()
    sys.stdout.write(issue_token(arguments.secret_file.read_bytes().strip(), arguments.viewers) + "\n")


if __name__ == "__main__":
    main()
