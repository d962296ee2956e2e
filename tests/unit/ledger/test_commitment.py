from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode

from ledger.commitment import (
    Opening,
    compute_beacon,
    compute_commitment,
    compute_seed_digest,
    extend_accumulator,
    start_accumulator,
)
from ledger.errors import MalformedStatement
from ledger.hashing import keccak256

A, B, C = (bytes((fill,)) * 32 for fill in (1, 2, 3))


def test_commitment_is_the_abi_encoding_of_its_opening() -> None:
    type_hash = keccak256(b"Opening(bytes32 payloadSha256,bytes32 vectorCommitment,bytes32 salt)")
    assert compute_commitment(A, B, C) == keccak256(encode(["bytes32"] * 4, [type_hash, A, B, C]))


def test_opening_opens_its_own_commitment_only() -> None:
    opening = Opening(A, B, C)
    assert opening.opens(compute_commitment(A, B, C))
    for other in (compute_commitment(A, C, B), compute_commitment(B, B, C), bytes(32), b""):
        assert not opening.opens(other)


@pytest.mark.parametrize("at", range(32))
def test_every_byte_of_the_commitment_counts(at: int) -> None:
    commitment = compute_commitment(A, B, C)
    assert not Opening(A, B, C).opens(commitment[:at] + bytes((commitment[at] ^ 1,)) + commitment[at + 1 :])


def test_accumulator_starts_from_job_round_and_parent() -> None:
    start = start_accumulator(A, 7, B)
    assert start == keccak256(encode(["bytes32", "uint64", "bytes32"], [A, 7, B]))
    assert len({start, start_accumulator(A, 8, B), start_accumulator(B, 7, B), start_accumulator(A, 7, A)}) == 4


def test_accumulator_depends_on_order() -> None:
    start = start_accumulator(A, 1, B)
    one = extend_accumulator(extend_accumulator(start, A), B)
    assert extend_accumulator(start, A) == keccak256(encode(["bytes32", "bytes32"], [start, A]))
    assert one != extend_accumulator(extend_accumulator(start, B), A)


def test_beacon_depends_on_every_salt_and_its_place() -> None:
    beacon = compute_beacon(A, B, [A, C])
    assert beacon == keccak256(encode(["bytes32"] * 3, [A, B, keccak256(A + C)]))
    others = [compute_beacon(A, B, salts) for salts in ([C, A], [A], [], [A, C, C])]
    assert len({beacon, compute_beacon(B, B, [A, C]), compute_beacon(A, A, [A, C]), *others}) == 7


def test_seed_digest() -> None:
    assert compute_seed_digest(A) == keccak256(A)


@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(33), "00", None])
def test_inexact_bytes_are_refused(bad: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: compute_commitment(bad, A, A),
        lambda: compute_commitment(A, bad, A),
        lambda: compute_commitment(A, A, bad),
        lambda: start_accumulator(bad, 1, A),
        lambda: start_accumulator(A, 1, bad),
        lambda: extend_accumulator(bad, A),
        lambda: extend_accumulator(A, bad),
        lambda: compute_seed_digest(bad),
        lambda: compute_beacon(bad, A, []),
        lambda: compute_beacon(A, bad, []),
        lambda: compute_beacon(A, A, [A, bad]),
    ]
    for call in calls:
        with pytest.raises(MalformedStatement, match="bytes of length 32"):
            call()


@pytest.mark.parametrize("bad", [-1, 1 << 64, True, "1"])
def test_inexact_round_is_refused(bad: Any) -> None:
    with pytest.raises(MalformedStatement, match=r"accumulator\.round"):
        start_accumulator(A, bad, A)
