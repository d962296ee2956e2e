"""The tally of a round: one entry per contribution in the order received, with running totals (DESIGN §4.3).

The score is carried per node as credit; only a new peak of credit earns: debts are paid back before anything is earned.
Amounts are token base units, scores units of 2⁻⁴⁰ nats; integers all. (More names than usual: it is one account.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from ledger.canonical import JsonValue
from ledger.columns import choose_column, split_columns
from ledger.eip712 import StructType
from ledger.errors import MalformedStatement
from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex
from ledger.signatures import check_signature
from ledger.structs import TypedStruct, define_type, read_member, read_object
from ledger.tree import Leaf, PaddedTree
from ledger.words import WORDS

SCORE_BITS: Final = 40
"""A score of 2^40 is one nat."""

_ZERO_WORD: Final = bytes(32)
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What screening and scoring decided about a contribution; `weight` and `score` are 0 unless it was accepted."""

    node: bytes
    contribution_digest: bytes
    signatures_digest: bytes
    verdict: Verdict
    weight: int = 0
    score: int = 0

    def __post_init__(self) -> None:
        if type(self.verdict) is not Verdict:
            raise MalformedStatement("Judgement.verdict", "a Verdict", self.verdict)
        WORDS["address"].check(self.node, "Judgement.node")
        WORDS["bytes32"].check(self.contribution_digest, "Judgement.contribution_digest")
        WORDS["bytes32"].check(self.signatures_digest, "Judgement.signatures_digest")
        WORDS["uint64"].check(self.weight, "Judgement.weight")
        WORDS["int128"].check(self.score, "Judgement.score")
        if self.verdict is not Verdict.ACCEPTED and (self.weight, self.score) != (0, 0):
            raise MalformedStatement(
                "Judgement", f"weight and score 0 with verdict {self.verdict.name}", (self.weight, self.score)
            )


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over a tally's entries; they stand in the header."""

    weight: int
    score: int
    gain: int
    reward: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The account of a round; `pot` is what it could pay at most, in token base units."""

    round: int
    entries: tuple[Entry, ...]
    totals: Totals
    pot: int

    def tree(self) -> PaddedTree:
        """Returns the padded tree whose root goes into the header."""
        return PaddedTree([entry.leaf() for entry in self.entries])

    def standings(self) -> dict[bytes, Standing]:
        """Returns what each node of this round carries on."""
        return {entry.node: entry.standing(self.round) for entry in self.entries}


def compute_signatures_digest(node_signature: bytes, receipt_signature: bytes) -> bytes:
    """Returns keccak256(nodeSignature ‖ receiptSignature) of two canonical signatures."""
    check_signature(node_signature)
    check_signature(receipt_signature)
    return keccak256(node_signature + receipt_signature)


def compute_pot(budget_per_round: int, price_per_nat: int, total_score: int) -> int:
    """Returns min(budget, ⌊price · totalScore / 2^40⌋), and 0 when the round improved nothing."""
    return min(budget_per_round, price_per_nat * total_score >> SCORE_BITS) if total_score > 0 else 0


def compute_reward(pot: int, gain: int, total_gain: int) -> int:
    """Returns ⌊pot · gain / totalGain⌋, and 0 when nobody gained."""
    return pot * gain // total_gain if total_gain > 0 else 0


def compute_tally(
    budget_per_round: int,
    price_per_nat: int,
    judgements: Sequence[Judgement],
    standings: Mapping[bytes, Standing],
    round: int,
) -> Tally:
    """Computes a tally from one judgement per seq and what the nodes carry; a node without standing starts at 0.

    Raises:
        MalformedStatement: when there is no judgement, a node or contribution stands twice, only some verdicts are
            VOID, a standing is not older than the round, or an amount outgrows its field (which the error names).
    """
    WORDS["uint128"].check(budget_per_round, "budgetPerRound")
    WORDS["uint128"].check(price_per_nat, "pricePerNat")
    WORDS["uint64"].check(round, "round")
    _check_judgements(judgements)
    before = [standings.get(judgement.node, Standing()) for judgement in judgements]
    for standing in before:
        if standing.round >= round:
            raise MalformedStatement("Standing.round", f"a round before {round}", standing.round)
    new_credits = [standing.credit + judgement.score for standing, judgement in zip(before, judgements, strict=True)]
    new_peaks = [max(standing.peak, credit) for standing, credit in zip(before, new_credits, strict=True)]
    gains = [peak - standing.peak for standing, peak in zip(before, new_peaks, strict=True)]
    total_gain = sum(gains)
    pot = compute_pot(budget_per_round, price_per_nat, sum(judgement.score for judgement in judgements))

    entries: list[Entry] = []
    weight = score = gain = reward = 0
    for seq, judgement in enumerate(judgements):
        own_reward = compute_reward(pot, gains[seq], total_gain)
        weight, score = weight + judgement.weight, score + judgement.score
        gain, reward = gain + gains[seq], reward + own_reward
        body = Body(
            contribution=judgement.contribution_digest,
            signatures=judgement.signatures_digest,
            verdict=int(judgement.verdict),
            weight=judgement.weight,
            score=judgement.score,
            credit=new_credits[seq],
            peak=new_peaks[seq],
            gain=gains[seq],
            reward=own_reward,
            previous_round=before[seq].round,
            running_weight=weight,
            running_score=score,
            running_gain=gain,
            running_reward=reward,
            running_aggregate=_ZERO_WORD,
        )
        entries.append(Entry(seq, judgement.node, before[seq].earned + own_reward, body))
    return Tally(round, tuple(entries), Totals(weight, score, gain, reward), pot)


def _check_judgements(judgements: Sequence[Judgement]) -> None:
    if not judgements:
        raise MalformedStatement("judgements", "at least one: a round without receipts has no tally", 0)
    for name in ("node", "contribution_digest"):
        seen: set[bytes] = set()
        for judgement in judgements:
            value: bytes = getattr(judgement, name)
            if value in seen:
                raise MalformedStatement(f"Judgement.{name}", "each once in a round", to_hex(value))
            seen.add(value)
    voids = sum(judgement.verdict is Verdict.VOID for judgement in judgements)
    if voids not in (0, len(judgements)):
        raise MalformedStatement("Judgement.verdict", "VOID for all entries of a round or for none", f"{voids} of them")
