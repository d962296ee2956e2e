"""keccak256, SHA-256 and addresses against the cases of ethers."""

from typing import Any

from ledger.hashing import keccak256, sha256
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex
from ledger.signatures import Signer
from tests.vectors import outside

pytestmark = outside.absent


def test_hashes() -> None:
    cases = outside.load("ethers-testcases", "hashes.json")
    assert len(cases) == 257
    for case in cases:
        content = parse_hex(case["data"])
        assert to_hex(keccak256(content)) == case["keccak256"], case["name"]
        assert to_hex(sha256(content)) == case["sha256"], case["name"]


def test_addresses_of_private_keys() -> None:
    cases = outside.load("ethers-testcases", "accounts.json")
    assert len(cases) == 259
    for case in cases:
        address = Signer(parse_hex(case["privateKey"], 32)).address
        assert to_address(address) == case["address"], case["name"]
        assert parse_address(case["address"]) == address == parse_address(case["address"].lower())


def test_solidity_hashes_of_bytes32_words() -> None:
    """Packed hashing of words is plain concatenation, which is all the protocol uses."""
    cases = [case for case in outside.load("ethers-testcases", "solidity-hashes.json") if is_of_words(case)]
    assert cases
    for case in cases:
        words = b"".join(parse_hex(value.lower()) for value in case["values"])
        assert to_hex(keccak256(words)) == case["keccak256"], case["name"]


def is_of_words(case: Any) -> bool:
    return bool(case["types"]) and all(kind in ("bytes32", "address") for kind in case["types"])
