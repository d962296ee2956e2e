"""The signed statements of protocol version 1 and the terms of a job (EIP-712).

A statement is checked when it is made, so that an instance can always be signed and hashed; a dict off the wire never
is. The twins in Solidity are the structs of the same names. (More names than usual: the list of all statements.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from ledger.canonical import JsonValue
from ledger.columns import read_bytes, split_columns
from ledger.eip712 import Domain, StructType, compute_digest
from ledger.hexadecimal import parse_hex, to_hex
from ledger.signatures import SIGNATURE_BYTES, Signer, check_signature, verify_signature
from ledger.structs import TypedStruct, define_type, read_object


@dataclass(frozen=True, slots=True)
class Statement(TypedStruct):
    """Base of what is signed under a domain."""

    def digest(self, domain: Domain) -> bytes:
        """Returns the 32 bytes that are signed, and by which the statement is known."""
        return compute_digest(domain, self.struct_hash())


@dataclass(frozen=True, slots=True)
class Terms(TypedStruct):
    """What the chain enforces for a job. Amounts in token base units, times in seconds.

    `price_per_nat` is base units per nat of fall in loss; `witnesses` and `threshold` are zero without a quorum.
    """

    TYPE: ClassVar[StructType] = define_type(
        "Terms(bytes32 specDigest,address requester,address coordinator,address token,uint64 rounds,"
        "uint128 budgetPerRound,uint128 pricePerNat,uint64 window,uint64 anchorSeconds,uint128 bond,uint128 minStake,"
        "bytes32 witnesses,uint32 threshold,uint64 nonce)"
    )

    spec_digest: bytes
    requester: bytes
    coordinator: bytes
    token: bytes
    rounds: int
    budget_per_round: int
    price_per_nat: int
    window: int
    anchor_seconds: int
    bond: int
    min_stake: int
    witnesses: bytes
    threshold: int
    nonce: int

    def job_id(self) -> bytes:
        """Returns the job's id: the struct hash, as `JobLedger.openJob` computes it."""
        return self.struct_hash()


@dataclass(frozen=True, slots=True)
class Contribution(Statement):
    """A node's word that it trained from `base_model` and commits to an update. Signed by the node."""

    TYPE: ClassVar[StructType] = define_type(
        "Contribution(bytes32 job,uint64 round,address node,bytes32 parent,bytes32 baseModel,bytes32 commitment,"
        "uint64 samples,bytes32 report)"
    )

    job: bytes
    round: int
    node: bytes
    parent: bytes
    base_model: bytes
    commitment: bytes
    samples: int
    report: bytes


@dataclass(frozen=True, slots=True)
class Receipt(Statement):
    """The coordinator's promise that a contribution is entry `seq` of its round. Signed by the coordinator."""

    TYPE: ClassVar[StructType] = define_type(
        "Receipt(bytes32 job,uint64 round,uint64 seq,address node,bytes32 contribution,bytes32 accumulator,"
        "uint64 receivedAt,uint64 anchorBy)"
    )

    job: bytes
    round: int
    seq: int
    node: bytes
    contribution: bytes
    accumulator: bytes
    received_at: int
    anchor_by: int


@dataclass(frozen=True, slots=True)
class Closing(Statement):
    """The coordinator's word that no more commitments come. Signed by the coordinator."""

    TYPE: ClassVar[StructType] = define_type(
        "Closing(bytes32 job,uint64 round,uint64 count,bytes32 accumulator,uint64 closedAt,bytes32 seedDigest)"
    )

    job: bytes
    round: int
    count: int
    accumulator: bytes
    closed_at: int
    seed_digest: bytes


@dataclass(frozen=True, slots=True)
class RoundHeader(Statement):
    """The signed head of a round's tally. Signed by the coordinator; `total_score` in units of 2⁻⁴⁰ nats."""

    TYPE: ClassVar[StructType] = define_type(
        "RoundHeader(bytes32 job,uint64 round,bytes32 parent,bytes32 baseModel,bytes32 nextModel,bytes32 entriesRoot,"
        "bytes32 accumulator,uint64 count,uint64 totalWeight,int128 totalScore,uint128 totalGain,uint128 totalReward,"
        "bytes32 aggregate,bytes32 evidence,bytes32 beacon,uint64 openedAt,uint64 closedAt)"
    )

    job: bytes
    round: int
    parent: bytes
    base_model: bytes
    next_model: bytes
    entries_root: bytes
    accumulator: bytes
    count: int
    total_weight: int
    total_score: int
    total_gain: int
    total_reward: int
    aggregate: bytes
    evidence: bytes
    beacon: bytes
    opened_at: int
    closed_at: int


@dataclass(frozen=True, slots=True)
class Acceptance(Statement):
    """The coordinator's word that it will run a job; `openJob` needs it by `deadline`. Signed by the coordinator."""

    TYPE: ClassVar[StructType] = define_type("Acceptance(bytes32 job,uint64 deadline)")

    job: bytes
    deadline: int


@dataclass(frozen=True, slots=True)
class Voucher(Statement):
    """A platform's word on what data it gave a node: `samples` of `viewers` distinct viewers. Signed by the platform.

    Under the domain of JobLedger, and valid for exactly this job, round and node. No contract reads it.
    """

    TYPE: ClassVar[StructType] = define_type(
        "Voucher(bytes32 job,uint64 round,address node,uint64 viewers,uint64 samples)"
    )

    job: bytes
    round: int
    node: bytes
    viewers: int
    samples: int


@dataclass(frozen=True, slots=True)
class Registration(Statement):
    """A node's word about its operator and payout. Signed by the node under the domain of NodeRegistry."""

    TYPE: ClassVar[StructType] = define_type(
        "Registration(address node,address operator,address payout,uint64 deadline)"
    )

    node: bytes
    operator: bytes
    payout: bytes
    deadline: int


S = TypeVar("S", bound=Statement)


@dataclass(frozen=True, slots=True)
class Signed(Generic[S]):
    """A statement with a canonical signature; whose signature it is, `verify` tells.

    Raises:
        MalformedSignature: at construction, when the signature is not canonical.
    """

    statement: S
    signature: bytes

    def __post_init__(self) -> None:
        check_signature(self.signature)

    @classmethod
    def issue(cls, statement: S, domain: Domain, signer: Signer) -> Signed[S]:
        """Signs a statement under a domain."""
        return cls(statement, signer.sign(statement.digest(domain)))

    def verify(self, domain: Domain, expected_address: bytes) -> None:
        """Verifies that the key of `expected_address` signed the statement under `domain`.

        Raises:
            WrongSigner, MalformedSignature: when it did not.
        """
        verify_signature(self.statement.digest(domain), self.signature, expected_address)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"statement": {…}, "signature": "0x…"}."""
        return {"statement": self.statement.to_json(), "signature": to_hex(self.signature)}

    @staticmethod
    def from_json(statement_class: type[S], value: object) -> Signed[S]:
        """Reads what `to_json` writes; raises MalformedStatement, MalformedHex or MalformedSignature."""
        subject = f"signed {statement_class.TYPE.name}"
        fields = read_object(value, subject, ["statement", "signature"])
        signature = parse_hex(fields["signature"], SIGNATURE_BYTES, f"{subject}.signature")
        return Signed(statement_class.from_json(fields["statement"]), signature)

    @staticmethod
    def from_json_all(statement_class: type[S], values: Sequence[object]) -> list[Signed[S]] | None:
        """Reads many at once: what `from_json` gives for each, or None where it might refuse one."""
        columns = split_columns(values, ["statement", "signature"])
        if columns is None:
            return None
        statements = statement_class.from_json_all(columns[0])
        signatures = read_bytes(columns[1], SIGNATURE_BYTES)
        if statements is None or signatures is None:
            return None
        return [Signed(statement, signature) for statement, signature in zip(statements, signatures, strict=True)]
