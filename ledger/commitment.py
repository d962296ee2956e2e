"""Commitments and what hangs on them: openings, the accumulator of receipts, the seed and the beacon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct as Layout
from typing import ClassVar, Final

from ledger.eip712 import StructType
from ledger.hashing import keccak256
from ledger.structs import TypedStruct, define_type
from ledger.words import WORD_BYTES, WORDS

_START: Final = Layout(">32s24xQ32s")


@dataclass(frozen=True, slots=True)
class Opening(TypedStruct):
    """What opens a commitment: the payload's digest and the salt (32 random bytes).

    `vector_commitment` is zero unless the job is verifiable.
    """

    TYPE: ClassVar[StructType] = define_type("Opening(bytes32 payloadSha256,bytes32 vectorCommitment,bytes32 salt)")

    payload_sha256: bytes
    vector_commitment: bytes
    salt: bytes

    def opens(self, commitment: bytes) -> bool:
        """Tells whether this opening is the one that was committed to."""
        return self.struct_hash() == commitment


def compute_commitment(payload_sha256: bytes, vector_commitment: bytes, salt: bytes) -> bytes:
    """Returns keccak256(abi.encode(TYPE_HASH, payloadSha256, vectorCommitment, salt)): the opening's struct hash."""
    return Opening(payload_sha256, vector_commitment, salt).struct_hash()


def start_accumulator(job: bytes, round: int, parent: bytes) -> bytes:
    """Returns a[−1] = keccak256(abi.encode(job, round, parent)), what the first receipt extends."""
    _check_bytes32(job, "accumulator.job")
    WORDS["uint64"].check(round, "accumulator.round")
    _check_bytes32(parent, "accumulator.parent")
    return keccak256(_START.pack(job, round, parent))


def extend_accumulator(accumulator: bytes, contribution: bytes) -> bytes:
    """Returns a[i] = keccak256(abi.encode(a[i−1], contribution)); `contribution` is the contribution's digest."""
    _check_bytes32(accumulator, "accumulator")
    _check_bytes32(contribution, "accumulator.contribution")
    return keccak256(accumulator + contribution)


def compute_seed_digest(seed: bytes) -> bytes:
    """Returns keccak256(seed), announced when a round opens; `seed` is 32 random bytes."""
    _check_bytes32(seed, "seed")
    return keccak256(seed)


def compute_beacon(accumulator: bytes, seed: bytes, salts: Sequence[bytes]) -> bytes:
    """Returns keccak256(abi.encode(accumulator, seed, keccak256(salts))).

    `salts` are those of the openings that open their commitment, in seq order, 32 bytes each, joined.
    """
    _check_bytes32(accumulator, "beacon.accumulator")
    _check_bytes32(seed, "beacon.seed")
    for at, salt in enumerate(salts):
        _check_bytes32(salt, f"beacon.salts[{at}]")
    return keccak256(accumulator + seed + keccak256(b"".join(salts)))


def _check_bytes32(value: bytes, subject: str) -> None:
    if type(value) is not bytes or len(value) != WORD_BYTES:
        WORDS["bytes32"].check(value, subject)  # raises
