"""A line of a round's tally: what became of one contribution, and what its node carries on (DESIGN §4.3).

Amounts are token base units, scores units of 2⁻⁴⁰ nats; integers all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple, Self

from ledger.canonical import JsonValue
from ledger.columns import choose_column, split_columns
from ledger.eip712 import StructType
from ledger.errors import MalformedStatement
from ledger.structs import TypedStruct, define_type, read_member, read_object
from ledger.tree import Leaf
from ledger.words import WORDS

SCORE_BITS: Final = 40
"""A score of 2^40 is one nat."""

_LEAF_KINDS: Final = ("uint64", "address", "uint128")


class Verdict(IntEnum):
    """What screening decided; only ACCEPTED has weight and score."""

    ACCEPTED = 0
    UNREVEALED = 1
    NOT_OPENED = 2
    MALFORMED = 3
    NORM = 4
    DUPLICATE = 5
    RECYCLED = 6
    IMPLAUSIBLE = 7
    EXCLUDED = 8
    VOID = 9


@dataclass(frozen=True, slots=True)
class Body(TypedStruct):
    """The part of an entry that its leaf holds by digest. Only types and widths are checked: audits judge the rest."""

    TYPE: ClassVar[StructType] = define_type(
        "Body(bytes32 contribution,bytes32 signatures,uint8 verdict,uint64 weight,int128 score,int128 credit,"
        "uint128 peak,uint128 gain,uint128 reward,uint64 previousRound,uint64 runningWeight,int128 runningScore,"
        "uint128 runningGain,uint128 runningReward,bytes32 runningAggregate)"
    )

    contribution: bytes
    signatures: bytes
    verdict: int
    weight: int
    score: int
    credit: int
    peak: int
    gain: int
    reward: int
    previous_round: int
    running_weight: int
    running_score: int
    running_gain: int
    running_reward: int
    running_aggregate: bytes

    def digest(self) -> bytes:
        """Returns keccak256(abi.encode(BODY_TYPEHASH, …)), the `body` of the leaf."""
        return self.struct_hash()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a node carries from its newest entry: zero if it has none. `round` is the round of that entry."""

    earned: int = 0
    credit: int = 0
    peak: int = 0
    round: int = 0

    def __post_init__(self) -> None:
        for kind, name in (("uint128", "earned"), ("int128", "credit"), ("uint128", "peak"), ("uint64", "round")):
            WORDS[kind].check(getattr(self, name), f"Standing.{name}")
        if self.peak < self.credit:
            raise MalformedStatement("Standing.peak", f"at least the credit {self.credit}", self.peak)
        if self.round == 0 and (self.earned, self.credit, self.peak) != (0, 0, 0):
            raise MalformedStatement("Standing.round", "the round of the entry it stands on, from 1", 0)


class Carry(NamedTuple):
    """What follows from a node's standing and its new score and reward."""

    credit: int
    peak: int
    gain: int
    earned: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a tally: the leaf's fields with the opened body. `earned` in token base units over the whole job."""

    seq: int
    node: bytes
    earned: int
    body: Body

    def __post_init__(self) -> None:
        if type(self.body) is not Body:
            raise MalformedStatement("Entry.body", "a Body", self.body)
        for kind, name in (("uint64", "seq"), ("address", "node"), ("uint128", "earned")):
            WORDS[kind].check(getattr(self, name), f"Entry.{name}")

    def leaf(self) -> Leaf:
        """Returns the four fields that stand in the tree."""
        return Leaf(self.seq, self.node, self.earned, self.body.digest())

    def leaf_hash(self) -> bytes:
        """Returns the hash of the leaf."""
        return self.leaf().hash()

    def compute_carry(self, before: Standing) -> Carry:
        """Returns what this entry must carry on, each value from those it stands on as they are published here.

        So one wrong number is found where it is, and not in everything that was computed from it.
        """
        body = self.body
        return Carry(
            before.credit + body.score,
            max(before.peak, body.credit),
            body.peak - before.peak,
            before.earned + body.reward,
        )

    def carry(self) -> Carry:
        """Returns what this entry carries on."""
        return Carry(self.body.credit, self.body.peak, self.body.gain, self.earned)

    def standing(self, round: int) -> Standing:
        """Returns what the node carries on from this entry of `round`."""
        return Standing(self.earned, self.body.credit, self.body.peak, round)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"seq", "node", "earned", "body": {…}}."""
        return {**self.leaf().to_json(), "body": self.body.to_json()}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes; raises MalformedStatement or MalformedHex."""
        fields = read_object(value, "Entry", ["seq", "node", "earned", "body"])
        seq, node, earned = (
            read_member(kind, fields[name], f"Entry.{name}")
            for kind, name in zip(_LEAF_KINDS, ("seq", "node", "earned"), strict=True)
        )
        return cls(seq, node, earned, Body.from_json(fields["body"]))  # type: ignore[arg-type]  # checked at construction

    @classmethod
    def from_json_all(cls, values: Sequence[object]) -> list[Self] | None:
        """Reads many at once: what `from_json` gives for each, or None where it might refuse one."""
        columns = split_columns(values, ["seq", "node", "earned", "body"])
        if columns is None:
            return None
        seqs, nodes, earned = (choose_column(kind)(column) for kind, column in zip(_LEAF_KINDS, columns, strict=False))
        bodies = Body.from_json_all(columns[3])
        if seqs is None or nodes is None or earned is None or bodies is None:
            return None
        return list(map(cls, seqs, nodes, earned, bodies))
