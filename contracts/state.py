"""What the contracts keep, read at a block: frozen twins of the structs in `IJobLedger.sol`, `INodeRegistry.sol`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from contracts.refusals import TransactionReverted
from ledger.hashing import keccak256
from ledger.structs import to_snake

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")

NOT_FINAL = 2**64 - 1
"""`final_at` of a round that waits for its witnesses."""


@dataclass(frozen=True)
class Block:
    """A block's place in the chain; two blocks with one number and different hashes tell a reorganisation."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int


@dataclass(frozen=True)
class Anchor:
    """The four words whose hash the chain keeps of a posted round (Solidity: Anchor)."""

    header_digest: bytes
    entries_root: bytes
    count: int
    final_at: int

    def values(self) -> tuple[bytes, bytes, int, int]:
        """Return the words in Solidity's order."""
        return self.header_digest, self.entries_root, self.count, self.final_at

    def word(self) -> bytes:
        """Return the 32 bytes the chain keeps: keccak256(abi.encode(headerDigest, entriesRoot, count, finalAt))."""
        return keccak256(
            self.header_digest + self.entries_root + self.count.to_bytes(32, "big") + self.final_at.to_bytes(32, "big")
        )


class Finality(IntEnum):
    """How the rounds of a job become final (Solidity: Finality)."""

    UNKNOWN = 0
    BY_WINDOW = 1
    BY_WITNESSES = 2


@dataclass(frozen=True)
class JobState:
    """What the ledger keeps of a job (Solidity: Job). Amounts in base units of `token`, times in unix seconds.

    Attributes:
        paid: claimed so far.
        claimable: sum of totalReward up to the newest final round that was claimed from.
        halted: rounds from this one on are struck and none is posted any more; 0 while the job runs.
        finality: a value of Finality.
        posted: the last posted round, 0 if none.
        attested: the last round the quorum attested.
        window_end: until when the last posted round can be challenged.
        closes_at: when the requested close takes effect; 0 if none was requested.
        last_header: digest of the last posted header; the job id before the first.
        bond: what is locked of the coordinator's; 0 once cut or released.
        closed: whether what was left has been returned.
        bounty: the challenger's part of a cut bond that nobody has been awarded yet.
    """

    paid: int
    claimable: int
    halted: int
    finality: int
    coordinator: bytes
    posted: int
    attested: int
    window_end: int
    token: bytes
    closes_at: int
    window: int
    rounds: int
    last_header: bytes
    budget_per_round: int
    bond: int
    requester: bytes
    anchor_seconds: int
    burned_rounds: int
    closed: bool
    min_stake: int
    bounty: int


@dataclass(frozen=True)
class RoundState:
    """What the ledger keeps of a posted round (Solidity: Round).

    Attributes:
        anchor: word of the round's Anchor.
        token: the job's.
        rewards: sum of totalReward of this and all earlier rounds.
        attest_by: until when the quorum can attest it; 0 in a job without witnesses.
    """

    anchor: bytes
    token: bytes
    rewards: int
    attest_by: int


@dataclass(frozen=True)
class AccountState:
    """Where a job's escrow is (Solidity: Account): funded = paid + payable + free + refunded + burned, always."""

    funded: int
    paid: int
    payable: int
    free: int
    refunded: int
    burned: int


@dataclass(frozen=True)
class NodeState:
    """What the registry keeps of a node (Solidity: Node). Amounts in base units of the stake token.

    Attributes:
        operator: owns the registration.
        retired: whether a successor has taken the node's place.
        payout: where claims go.
        leaves_at: when `leaving` can be withdrawn; 0 if nothing leaves.
        rotates_at: when `successor` takes this node's place.
        staked: stake in all, what is leaving included.
        leaving: part of `staked` that can be withdrawn from `leaves_at` on.
        successor: 20 zero bytes if none was named.
    """

    operator: bytes
    retired: bool
    payout: bytes
    leaves_at: int
    rotates_at: int
    staked: int
    leaving: int
    successor: bytes


@dataclass(frozen=True)
class DemandState:
    """What the court keeps of a demand (Solidity: Demand). The bond in wei, times in unix seconds.

    Attributes:
        demander: gets the bond back if nobody answers in time.
        bond: for whoever answers; 0 once it was credited.
        answer_by: until when an answer counts, inclusive.
        answered: whether the entry was shown.
    """

    demander: bytes
    bond: int
    answer_by: int
    answered: bool


def build_state(kind: type[S], members: Mapping[str, Any]) -> S:
    """Return a state from Solidity's members by name, whatever their order; some have a `_` there, to be no keyword."""
    values = {to_snake(name).rstrip("_"): value for name, value in members.items()}
    return kind(**values)


@dataclass(frozen=True)
class Mined:
    """A transaction that is in a block. The block may still fall out of the chain: compare `block_hash` later.

    Attributes:
        hash: the transaction.
        block: number of the block.
        block_hash: hash of the block.
        gas_used: units of gas.
        gas_price: what a unit cost, in wei.
        revert: why it had no effect, or None where it succeeded.
    """

    hash: bytes
    block: int
    block_hash: bytes
    gas_used: int
    gas_price: int
    revert: TransactionReverted | None
