"""The tally of a round: one entry per contribution in the order received, with running totals (DESIGN §4.3).

The score is carried per node as credit; only a new peak of credit earns: debts are paid back before anything is earned.
Amounts are token base units, scores units of 2⁻⁴⁰ nats; integers all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.entry import SCORE_BITS, Body, Carry, Entry, Standing, Verdict
from ledger.errors import MalformedStatement
from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex
from ledger.signatures import check_signature
from ledger.tree import PaddedTree
from ledger.words import WORDS

_ZERO_WORD: Final = bytes(32)


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

    def add(self, weight: int, score: int, gain: int, reward: int) -> Totals:
        """Returns the sums with one more entry's values."""
        return Totals(self.weight + weight, self.score + score, self.gain + gain, self.reward + reward)


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


def compute_pot(budget_per_round: int, price_per_nat: int, total_score: int, total_gain: int) -> int:
    """Returns min(budget, ⌊price · min(totalScore, totalGain) / 2^40⌋), and 0 when the round improved nothing.

    Nobody is paid more than the price for a gain: what only makes good earlier losses is nobody else's reward.
    """
    return min(budget_per_round, price_per_nat * min(total_score, total_gain) >> SCORE_BITS) if total_score > 0 else 0


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
    raised = [_raise(standing, judgement.score) for standing, judgement in zip(before, judgements, strict=True)]
    total_score, total_gain = sum(judgement.score for judgement in judgements), sum(one.gain for one in raised)
    pot = compute_pot(budget_per_round, price_per_nat, total_score, total_gain)
    carried = [
        one._replace(earned=standing.earned + compute_reward(pot, one.gain, total_gain))
        for one, standing in zip(raised, before, strict=True)
    ]
    running = Totals(0, 0, 0, 0)
    entries: list[Entry] = []
    for seq, (judgement, standing, carry) in enumerate(zip(judgements, before, carried, strict=True)):
        reward = carry.earned - standing.earned
        running = running.add(judgement.weight, judgement.score, carry.gain, reward)
        body = _build_body(judgement, standing, carry, running)
        entries.append(Entry(seq, judgement.node, carry.earned, body))
    return Tally(round, tuple(entries), running, pot)


def _raise(standing: Standing, score: int) -> Carry:
    """What a node carries on, before it is paid: scores make credit, and new peaks of credit are gains."""
    credit = standing.credit + score
    peak = max(standing.peak, credit)
    return Carry(credit, peak, peak - standing.peak, standing.earned)


def _build_body(judgement: Judgement, before: Standing, carry: Carry, running: Totals) -> Body:
    return Body(
        contribution=judgement.contribution_digest,
        signatures=judgement.signatures_digest,
        verdict=int(judgement.verdict),
        weight=judgement.weight,
        score=judgement.score,
        credit=carry.credit,
        peak=carry.peak,
        gain=carry.gain,
        reward=carry.earned - before.earned,
        previous_round=before.round,
        running_weight=running.weight,
        running_score=running.score,
        running_gain=running.gain,
        running_reward=running.reward,
        running_aggregate=_ZERO_WORD,
    )


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
