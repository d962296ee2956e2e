"""The list of faults: one class each, with what it means and the exhibits that prove it.

Twins of the enum `Fault` and of the challenges in `IChallengeCourt.sol`, in its order; each subject is the word by
which the court tells a fault from others. An exhibit is whole: whoever holds a fault needs nothing else but the anchors
of the rounds that it names. (More names than usual, and more than 300 lines: this is the one list.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from ledger.eip712 import Domain
from ledger.entry import Entry
from ledger.hashing import keccak256
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed, Statement


class FaultKind(IntEnum):
    """Kinds of fault, as the court numbers them (Solidity: Fault)."""

    RECEIPT_REPLACED = 1
    RECEIPT_DROPPED = 2
    ROUND_MISSING = 3
    RECEIPTS_CONFLICT = 4
    RECEIPTS_BROKEN = 5
    FIRST_RECEIPT_BROKEN = 6
    LAST_RECEIPT_BROKEN = 7
    CLOSINGS_CONFLICT = 8
    CLOSING_EXCEEDED = 9
    CLOSING_DIFFERS = 10
    HEADERS_CONFLICT = 11
    HEADER_REPLACED = 12
    MODEL_BROKEN = 13
    CONTRIBUTION_ALTERED = 14
    SIGNATURES_FALSE = 15
    COUNTED_TWICE = 16
    FIRST_TOTALS_WRONG = 17
    TOTALS_WRONG = 18
    VERDICT_UNFIT = 19
    REWARD_WRONG = 20
    CARRY_UNFOUNDED = 21
    CARRY_WRONG = 22
    ENTRY_SKIPPED = 23
    DEMAND_UNANSWERED = 24

    @property
    def slug(self) -> str:
        """The name that people and programs read."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry of `round` with its proof under that round's anchored root, 32 bytes an element, from the leaf up."""

    round: int
    entry: Entry
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in `round`."""

    KIND: ClassVar[FaultKind]
    MEANING: ClassVar[str]

    round: int

    def subject(self, domain: Domain) -> bytes:
        """Returns the 32 bytes that tell this fault from others of its kind in its round."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _OfReceipt(Fault):
    receipt: Signed[Receipt]

    def subject(self, domain: Domain) -> bytes:
        """Returns the receipt's digest."""
        return self.receipt.statement.digest(domain)


@dataclass(frozen=True, slots=True)
class _OfEntry(Fault):
    entry: ProvenEntry

    def subject(self, domain: Domain) -> bytes:
        """Returns the hash of the entry's leaf."""
        del domain
        return self.entry.entry.leaf_hash()


@dataclass(frozen=True, slots=True)
class ReceiptReplaced(_OfReceipt):
    """`entry` has the receipt's seq, and another contribution or node."""

    KIND: ClassVar[FaultKind] = FaultKind.RECEIPT_REPLACED
    MEANING: ClassVar[str] = "the place that a receipt promised holds something else"

    entry: ProvenEntry


@dataclass(frozen=True, slots=True)
class ReceiptDropped(_OfReceipt):
    """The receipt's seq is not below the round's count."""

    KIND: ClassVar[FaultKind] = FaultKind.RECEIPT_DROPPED
    MEANING: ClassVar[str] = "the place that a receipt promised is not in the tally"


@dataclass(frozen=True, slots=True)
class RoundMissing(_OfReceipt):
    """The time by which the receipt promised an anchor is over."""

    KIND: ClassVar[FaultKind] = FaultKind.ROUND_MISSING
    MEANING: ClassVar[str] = "a receipt promised a round on chain by a time that is over"


@dataclass(frozen=True, slots=True)
class ReceiptsConflict(Fault):
    """Two different receipts that share their seq, their contribution or their node."""

    KIND: ClassVar[FaultKind] = FaultKind.RECEIPTS_CONFLICT
    MEANING: ClassVar[str] = "two receipts of one round contradict each other"

    one: Signed[Receipt]
    other: Signed[Receipt]

    def subject(self, domain: Domain) -> bytes:
        """Returns the pair of the digests."""
        return _pair_digests(domain, self.one.statement, self.other.statement)


@dataclass(frozen=True, slots=True)
class ReceiptsBroken(Fault):
    """The accumulator of `later` (seq i + 1) does not follow from that of `before` (seq i)."""

    KIND: ClassVar[FaultKind] = FaultKind.RECEIPTS_BROKEN
    MEANING: ClassVar[str] = "two receipts in a row do not belong to one history"

    before: Signed[Receipt]
    later: Signed[Receipt]

    def subject(self, domain: Domain) -> bytes:
        """Returns the digest of the later receipt."""
        return self.later.statement.digest(domain)


@dataclass(frozen=True, slots=True)
class FirstReceiptBroken(_OfReceipt):
    """The receipt with seq 0 does not follow from the start; `contribution` is its own and names the parent."""

    KIND: ClassVar[FaultKind] = FaultKind.FIRST_RECEIPT_BROKEN
    MEANING: ClassVar[str] = "the first receipt does not follow from the start of its round"

    contribution: Contribution


@dataclass(frozen=True, slots=True)
class LastReceiptBroken(_OfReceipt):
    """The accumulator of the receipt with seq = count − 1 is not the posted header's."""

    KIND: ClassVar[FaultKind] = FaultKind.LAST_RECEIPT_BROKEN
    MEANING: ClassVar[str] = "the header ends another history than the last receipt"

    header: RoundHeader


@dataclass(frozen=True, slots=True)
class ClosingsConflict(Fault):
    """Two different closings of one round."""

    KIND: ClassVar[FaultKind] = FaultKind.CLOSINGS_CONFLICT
    MEANING: ClassVar[str] = "two closings of one round contradict each other"

    one: Signed[Closing]
    other: Signed[Closing]

    def subject(self, domain: Domain) -> bytes:
        """Returns the pair of the digests."""
        return _pair_digests(domain, self.one.statement, self.other.statement)


@dataclass(frozen=True, slots=True)
class ClosingExceeded(_OfReceipt):
    """The closing does not count the receipt's seq, or counts it last with another accumulator."""

    KIND: ClassVar[FaultKind] = FaultKind.CLOSING_EXCEEDED
    MEANING: ClassVar[str] = "a receipt is not of the list that the closing fixed"

    closing: Signed[Closing]


@dataclass(frozen=True, slots=True)
class ClosingDiffers(Fault):
    """The posted header has another count, accumulator or closing time than the closing."""

    KIND: ClassVar[FaultKind] = FaultKind.CLOSING_DIFFERS
    MEANING: ClassVar[str] = "the header on chain closes another list than the closing"

    closing: Signed[Closing]
    header: RoundHeader

    def subject(self, domain: Domain) -> bytes:
        """Returns the closing's digest."""
        return self.closing.statement.digest(domain)


@dataclass(frozen=True, slots=True)
class HeadersConflict(Fault):
    """Two different signed headers of one round."""

    KIND: ClassVar[FaultKind] = FaultKind.HEADERS_CONFLICT
    MEANING: ClassVar[str] = "two headers of one round contradict each other"

    one: Signed[RoundHeader]
    other: Signed[RoundHeader]

    def subject(self, domain: Domain) -> bytes:
        """Returns the pair of the digests."""
        return _pair_digests(domain, self.one.statement, self.other.statement)


@dataclass(frozen=True, slots=True)
class HeaderReplaced(Fault):
    """The signed header is not the posted one."""

    KIND: ClassVar[FaultKind] = FaultKind.HEADER_REPLACED
    MEANING: ClassVar[str] = "another header is on chain than the one that was signed"

    header: Signed[RoundHeader]

    def subject(self, domain: Domain) -> bytes:
        """Returns the digest of the signed header."""
        return self.header.statement.digest(domain)


@dataclass(frozen=True, slots=True)
class ModelBroken(Fault):
    """The base model is not the parent's next one; or nothing has weight and the model changed (`parent` not read)."""

    KIND: ClassVar[FaultKind] = FaultKind.MODEL_BROKEN
    MEANING: ClassVar[str] = "the round's model does not follow from the one before"

    header: RoundHeader
    parent: RoundHeader

    def subject(self, domain: Domain) -> bytes:
        """Returns the digest of the posted header."""
        return self.header.digest(domain)


@dataclass(frozen=True, slots=True)
class ContributionAltered(_OfEntry):
    """The contribution that the entry names is for another job, round, node, parent or base model."""

    KIND: ClassVar[FaultKind] = FaultKind.CONTRIBUTION_ALTERED
    MEANING: ClassVar[str] = "an entry names a contribution that was not made for its place"

    contribution: Contribution
    header: RoundHeader


@dataclass(frozen=True, slots=True)
class SignaturesFalse(_OfEntry):
    """The bytes that the entry names are not 130, or do not begin with the node's signature of its contribution."""

    KIND: ClassVar[FaultKind] = FaultKind.SIGNATURES_FALSE
    MEANING: ClassVar[str] = "the node of an entry did not sign its contribution"

    signatures: bytes


@dataclass(frozen=True, slots=True)
class CountedTwice(Fault):
    """Two different entries of one round that share their seq, their node or their contribution."""

    KIND: ClassVar[FaultKind] = FaultKind.COUNTED_TWICE
    MEANING: ClassVar[str] = "a node, a contribution or a place is in the round twice"

    one: ProvenEntry
    other: ProvenEntry

    def subject(self, domain: Domain) -> bytes:
        """Returns the pair of the leaves."""
        del domain
        return pair(self.one.entry.leaf_hash(), self.other.entry.leaf_hash())


@dataclass(frozen=True, slots=True)
class FirstTotalsWrong(_OfEntry):
    """The running totals of the entry with seq 0 are not its own values."""

    KIND: ClassVar[FaultKind] = FaultKind.FIRST_TOTALS_WRONG
    MEANING: ClassVar[str] = "the running totals do not begin with the first entry"


@dataclass(frozen=True, slots=True)
class TotalsWrong(Fault):
    """The running totals of `later` do not follow from `before`, or one of the two is void and the other is not."""

    KIND: ClassVar[FaultKind] = FaultKind.TOTALS_WRONG
    MEANING: ClassVar[str] = "the running totals of an entry are not the sums up to it"

    before: ProvenEntry
    later: ProvenEntry

    def subject(self, domain: Domain) -> bytes:
        """Returns the hash of the later entry's leaf."""
        del domain
        return self.later.entry.leaf_hash()


@dataclass(frozen=True, slots=True)
class VerdictUnfit(_OfEntry):
    """No verdict of the protocol, or weight or score without acceptance."""

    KIND: ClassVar[FaultKind] = FaultKind.VERDICT_UNFIT
    MEANING: ClassVar[str] = "verdict and amounts of an entry do not fit"


@dataclass(frozen=True, slots=True)
class RewardWrong(_OfEntry):
    """The reward is not ⌊pot · gain / totalGain⌋ of the posted header's totals."""

    KIND: ClassVar[FaultKind] = FaultKind.REWARD_WRONG
    MEANING: ClassVar[str] = "an entry is paid by another formula"

    header: RoundHeader


@dataclass(frozen=True, slots=True)
class CarryUnfounded(_OfEntry):
    """What the entry carries cannot be, whatever the node's entry before it says."""

    KIND: ClassVar[FaultKind] = FaultKind.CARRY_UNFOUNDED
    MEANING: ClassVar[str] = "earned, credit, peak or gain of an entry stand on nothing"


@dataclass(frozen=True, slots=True)
class CarryWrong(_OfEntry):
    """What the entry carries does not follow from the node's entry in `previousRound`."""

    KIND: ClassVar[FaultKind] = FaultKind.CARRY_WRONG
    MEANING: ClassVar[str] = "earned, credit, peak or gain do not follow from the node's entry before"

    previous: ProvenEntry


@dataclass(frozen=True, slots=True)
class EntrySkipped(_OfEntry):
    """The node has an entry in a round strictly between `previousRound` and this one."""

    KIND: ClassVar[FaultKind] = FaultKind.ENTRY_SKIPPED
    MEANING: ClassVar[str] = "an entry is carried on from an older one than the node's last"

    skipped: ProvenEntry


@dataclass(frozen=True, slots=True)
class DemandUnanswered(Fault):
    """The entry at `seq` was demanded on chain, and not shown in time."""

    KIND: ClassVar[FaultKind] = FaultKind.DEMAND_UNANSWERED
    MEANING: ClassVar[str] = "an entry that was demanded was not shown"

    seq: int

    def subject(self, domain: Domain) -> bytes:
        """Returns the seq as a word."""
        del domain
        return self.seq.to_bytes(32, "big")


def compute_fault_id(fault: Fault, job: bytes, domain: Domain) -> bytes:
    """Returns keccak256(abi.encode(kind, job, round, subject)), as the court names a fault."""
    return keccak256(fault.KIND.to_bytes(32, "big") + job + fault.round.to_bytes(32, "big") + fault.subject(domain))


def compute_challenge_commitment(challenger: bytes, fault_id: bytes, salt: bytes) -> bytes:
    """Returns keccak256(abi.encode(challenger, faultId, salt)), what is committed before a proof is sent."""
    return keccak256(challenger.rjust(32, b"\0") + fault_id + salt)


def pair(one: bytes, other: bytes) -> bytes:
    """Returns keccak256 of two words, the smaller first."""
    return keccak256(min(one, other) + max(one, other))


def _pair_digests(domain: Domain, one: Statement, other: Statement) -> bytes:
    return pair(one.digest(domain), other.digest(domain))
