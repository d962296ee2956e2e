"""Sign-In with Ethereum: a text is checked line by line before our key signs it, so that it can only mean this sign-in.

Source: EIP-4361. Stricter than it: one statement line, an expiry, no request id, no resources.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from ledger.errors import VerificationError
from ledger.hexadecimal import to_address
from ledger.wire import Nonce

LONGEST_SESSION_SECONDS: Final = 31 * 86_400
CLOCK_SLACK_SECONDS: Final = 300

_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)"
_TEXT: Final = re.compile(
    r"(?P<domain>[^\s/]+) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?P<statement>[^\r\n]+)\n\n"
    r"URI: (?P<uri>\S+)\n"
    r"Version: (?P<version>\d+)\n"
    r"Chain ID: (?P<chain>[1-9]\d*)\n"
    r"Nonce: (?P<nonce>[0-9a-zA-Z]{8,})\n"
    rf"Issued At: (?P<issued>{_TIME})\n"
    rf"Expiration Time: (?P<expires>{_TIME})"
)


def verify_sign_in(offer: Nonce, *, url: str, address: bytes, chain_id: int, now: int) -> None:
    """Checks that signing the offered text does nothing but sign `address` in at `url`; `now` in seconds UTC.

    Raises:
        VerificationError: sign-in-text, -domain, -uri, -address, -version, -chain, -nonce or -time.
    """
    found = _TEXT.fullmatch(offer.message)
    if found is None:
        raise VerificationError("sign-in-text", "the text to sign is no plain EIP-4361 sign-in", got=offer.message)
    here = urlsplit(url)
    expected = {
        "domain": here.netloc.rpartition("@")[2],
        "address": to_address(address),
        "version": "1",
        "chain": str(chain_id),
        "nonce": offer.nonce,
    }
    for part, value in expected.items():
        if found[part] != value:
            raise VerificationError(f"sign-in-{part}", "the text to sign is for another sign-in", value, found[part])
    there = urlsplit(found["uri"])
    if (there.scheme, there.netloc) != (here.scheme, expected["domain"]):
        raise VerificationError("sign-in-uri", "the text to sign is for another address", url, found["uri"])
    _verify_times(found["issued"], found["expires"], now)


def _verify_times(issued: str, expires: str, now: int) -> None:
    issued_at, expires_at = _read_time(issued), _read_time(expires)
    if abs(issued_at - now) > CLOCK_SLACK_SECONDS:
        raise VerificationError("sign-in-time", "the clocks differ by too many seconds", now, issued_at)
    if not now < expires_at <= now + LONGEST_SESSION_SECONDS:
        raise VerificationError("sign-in-time", "the text to sign expires at a wrong time", now, expires_at)


def _read_time(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())
    except ValueError:
        raise VerificationError("sign-in-time", "the text to sign has no such time", got=text) from None
