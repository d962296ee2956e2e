"""EIP-4361 messages, built and parsed line by line."""

from dataclasses import replace

import pytest

from coordinator.access.sign_in import MalformedSignIn, SignInMessage
from ledger.errors import Malformed
from ledger.hexadecimal import parse_address

MESSAGE = SignInMessage(
    domain="tally.example",
    address=parse_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    uri="https://tally.example",
    chain_id=31_337,
    nonce="0123456789abcdef",
    issued_at=1_800_000_000,
    expires_at=1_800_000_300,
)
TEXT = """tally.example wants you to sign in with your Ethereum account:
0x70997970C51812dc3A010C7d01b50e0d17dc79C8

Sign in to this Tallystick coordinator. This costs nothing and sends no transaction.

URI: https://tally.example
Version: 1
Chain ID: 31337
Nonce: 0123456789abcdef
Issued At: 2027-01-15T08:00:00Z
Expiration Time: 2027-01-15T08:05:00Z"""


def test_text_is_the_standard_form() -> None:
    assert MESSAGE.to_text() == TEXT
    assert SignInMessage.from_text(TEXT) == MESSAGE


def test_other_message_has_another_text() -> None:
    assert replace(MESSAGE, chain_id=1).to_text() != TEXT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wants you to sign in", "wants you to log in"),
        ("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"),
        ("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x70997970C51812dc3A010C7d01b50e0d17dc79C9"),
        ("This costs nothing", "This costs all"),
        ("Version: 1", "Version: 2"),
        ("Chain ID: 31337", "Chain ID: 031337"),
        ("Chain ID: 31337", "Chain ID: -1"),
        ("Chain ID", "Chain Id"),
        ("Nonce: 0123456789abcdef", "Nonce: 0123"),
        ("Nonce: 0123456789abcdef", "Nonce: 0123456789abcde!"),
        ("2027-01-15T08:00:00Z", "2027-01-15T08:00:00+00:00"),
        ("2027-01-15T08:00:00Z", "2027-1-15T08:00:00Z"),
        ("\nVersion: 1", ""),
        ("08:05:00Z", "08:05:00Z\nNot Before: 2027-01-15T08:00:00Z"),
        ("\n", "\r\n"),
    ],
)
def test_changed_text_is_refused(old: str, new: str) -> None:
    changed = TEXT.replace(old, new)
    assert changed != TEXT
    with pytest.raises(Malformed):
        SignInMessage.from_text(changed)


def test_refusal_names_the_line() -> None:
    with pytest.raises(MalformedSignIn, match="Nonce: expected 8 to 64 letters and digits"):
        SignInMessage.from_text(TEXT.replace("0123456789abcdef", "x"))
