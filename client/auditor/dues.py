"""Who would have been paid what: every reward beside the one that follows from the scores, carried from round to round.

Scores are the auditor's own where a round could be recomputed, else those that the entries state: then only the
formulas of pay are tested. A round's sums are made anew, so that one wrong number moves every share as it really did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.entry import Entry
from ledger.hexadecimal import to_address
from ledger.statements import Terms
from ledger.tally import compute_pot, compute_reward

RECOMPUTED: Final = "recomputed scores"
PUBLISHED: Final = "published scores"


@dataclass(frozen=True, slots=True)
class Due:
    """A node's reward in a round as signed and as it follows, and what it had earned in all after it (base units)."""

    round: int
    node: bytes
    signed: int
    due: int
    earned_signed: int
    earned_due: int
    basis: str

    def to_json(self) -> dict[str, object]:
        """What `--json` prints; amounts are decimal strings."""
        return {
            "round": self.round,
            "node": to_address(self.node),
            "signed": str(self.signed),
            "due": str(self.due),
            "earnedSigned": str(self.earned_signed),
            "earnedDue": str(self.earned_due),
            "basis": self.basis,
        }


@dataclass(frozen=True, slots=True)
class _Account:
    earned: int = 0
    credit: int = 0
    peak: int = 0


class Dues:
    """Follows a job's pay beside its entries; `rows` are the rounds and nodes where the two differ."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._accounts: dict[bytes, _Account] = {}
        self.rows: list[Due] = []

    def follow(self, number: int, entries: Sequence[Entry], scores: Sequence[tuple[bytes, int]] | None) -> None:
        """Goes on by a round. `scores` are the recomputed ones with their nodes, None where there are none."""
        basis = PUBLISHED if scores is None else RECOMPUTED
        stated = [(entry.node, entry.body.score) for entry in entries]
        # A node counts once a round: what stands there again was counted twice.
        due = self._pay(dict(reversed(stated if scores is None else scores)))
        signed: dict[bytes, tuple[int, int]] = {}
        for entry in entries:
            reward = signed.get(entry.node, (0, 0))[0] + entry.body.reward
            signed[entry.node] = (reward, entry.earned)
        for node in _merge(signed, due):
            self._compare(number, node, signed.get(node), due.get(node, 0), basis)

    def _pay(self, scores: Mapping[bytes, int]) -> dict[bytes, int]:
        """Rewards by node; the accounts go on."""
        before = {node: self._accounts.get(node, _Account()) for node in scores}
        credits_ = {node: before[node].credit + score for node, score in scores.items()}
        peaks = {node: max(before[node].peak, credit) for node, credit in credits_.items()}
        total_gain = sum(peaks[node] - before[node].peak for node in scores)
        terms, total_score = self._terms, sum(scores.values())
        pot = compute_pot(terms.budget_per_round, terms.price_per_nat, total_score, total_gain)
        rewards = {node: compute_reward(pot, peaks[node] - before[node].peak, total_gain) for node in scores}
        for node, reward in rewards.items():
            self._accounts[node] = _Account(before[node].earned + reward, credits_[node], peaks[node])
        return rewards

    def _compare(self, number: int, node: bytes, signed: tuple[int, int] | None, due: int, basis: str) -> None:
        earned_due = self._accounts.get(node, _Account()).earned
        reward, earned = signed or (0, 0)
        if (reward, earned if signed else earned_due) != (due, earned_due):
            self.rows.append(Due(number, node, reward, due, earned, earned_due, basis))


def _merge(*mappings: Mapping[bytes, object]) -> Iterable[bytes]:
    """The nodes of all, in the order they come, each once."""
    return dict.fromkeys(node for mapping in mappings for node in mapping)
