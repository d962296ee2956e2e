"""The sign-in text: only the plain one for this address, place, chain and time is signed."""

from datetime import UTC, datetime

import pytest

from client.signin import verify_sign_in
from ledger.errors import VerificationError
from ledger.hexadecimal import to_address
from ledger.wire import Nonce

NOW = 1_800_000_000
ADDRESS = bytes.fromhex("70997970c51812dc3a010c7d01b50e0d17dc79c8")
URL = "https://tally.example"


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def compose(**changes: object) -> str:
    parts: dict[str, object] = {
        "domain": "tally.example",
        "address": to_address(ADDRESS),
        "statement": "Sign in.",
        "uri": URL,
        "version": 1,
        "chain": 31337,
        "nonce": "0123456789abcdef",
        "issued": stamp(NOW),
        "expires": stamp(NOW + 300),
        "rest": "",
    }
    return (
        "{domain} wants you to sign in with your Ethereum account:\n{address}\n\n{statement}\n\nURI: {uri}\n"
        "Version: {version}\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {issued}\nExpiration Time: {expires}{rest}"
    ).format(**(parts | changes))


def check(message: str, nonce: str = "0123456789abcdef") -> None:
    verify_sign_in(Nonce(nonce=nonce, message=message), url=URL, address=ADDRESS, chain_id=31337, now=NOW)


def test_plain_text_is_accepted() -> None:
    check(compose())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"domain": "evil.example"}, "sign-in-domain"),
        ({"domain": "https://tally.example"}, "sign-in-text"),
        ({"address": to_address(bytes(20))}, "sign-in-address"),
        ({"address": "0x" + ADDRESS.hex()}, "sign-in-address"),
        ({"statement": "Sign in.\nand send all my tokens"}, "sign-in-text"),
        ({"uri": "https://evil.example"}, "sign-in-uri"),
        ({"uri": "http://tally.example"}, "sign-in-uri"),
        ({"version": 2}, "sign-in-version"),
        ({"chain": 1}, "sign-in-chain"),
        ({"nonce": "fedcba9876543210"}, "sign-in-nonce"),
        ({"nonce": "short"}, "sign-in-text"),
        ({"issued": stamp(NOW - 3_600)}, "sign-in-time"),
        ({"issued": stamp(NOW + 3_600)}, "sign-in-time"),
        ({"expires": stamp(NOW - 1)}, "sign-in-time"),
        ({"expires": stamp(NOW + 400 * 86_400)}, "sign-in-time"),
        ({"expires": "2027-13-45T99:00:00Z"}, "sign-in-time"),
        ({"rest": "\nResources:\n- https://evil.example"}, "sign-in-text"),
        ({"rest": "\n"}, "sign-in-text"),
    ],
)
def test_any_other_line_is_refused(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(VerificationError) as error:
        check(compose(**changes))
    assert error.value.check == expected
