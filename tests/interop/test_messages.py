"""Texts signed with EIP-191, as browser wallets sign in: ethers and cast verify ours, we verify theirs."""

import pytest

from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.signatures import Signer, recover_message
from tests.interop.conftest import RunCast, RunScript

KEY = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
SIGN_IN = """tally.example wants you to sign in with your Ethereum account:
0x70997970C51812dc3A010C7d01b50e0d17dc79C8

Sign in to the Tallystick coordinator.

URI: https://tally.example
Version: 1
Chain ID: 31337
Nonce: 32891756abcdef
Issued At: 2026-01-02T03:04:05Z
Expiration Time: 2026-01-02T04:04:05Z"""
TEXTS = ["", "a", SIGN_IN, "Übergröße 🚀\r\n", "x" * 1000]


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(KEY)


def test_ethers_verifies_our_texts_and_we_verify_its(signer: Signer, run_script: RunScript) -> None:
    asked = [
        {"text": text, "signature": to_hex(signer.sign_message(text)), "privateKey": to_hex(KEY)} for text in TEXTS
    ]
    for text, theirs in zip(TEXTS, run_script("messages", asked), strict=True):
        assert theirs["signer"] == to_address(signer.address)
        assert recover_message(text, parse_hex(theirs["signature"], 65)) == signer.address


def test_cast_verifies_our_sign_in_and_we_verify_its(signer: Signer, run_cast: RunCast) -> None:
    address = to_address(signer.address)
    run_cast("wallet", "verify", "--address", address, SIGN_IN, to_hex(signer.sign_message(SIGN_IN)))
    with pytest.raises(AssertionError, match="did not sign"):
        run_cast("wallet", "verify", "--address", address, SIGN_IN + " ", to_hex(signer.sign_message(SIGN_IN)))
    theirs = run_cast("wallet", "sign", "--private-key", to_hex(KEY), SIGN_IN)
    assert recover_message(SIGN_IN, parse_hex(theirs, 65)) == signer.address
