"""Why a node was paid this: computed here, from the signed entry, its header and the job's terms alone."""

from __future__ import annotations

from dataclasses import dataclass

from client.money import Token, show_amount
from client.output import format_time
from ledger.entry import Entry
from ledger.explanation import explain_entry, follows_formula
from ledger.hexadecimal import to_hex
from ledger.screening import Reason
from ledger.statements import RoundHeader, Terms
from ledger.tally import compute_pot
from ledger.verdicts import describe_verdict
from ledger.wire import Anchor


@dataclass(frozen=True, slots=True)
class PaidEntry:
    """A verified entry with what it stands on; `standing` is none where the round is not on chain yet.

    `token` says how amounts are shown, `drawn` what the node has claimed in this job (base units), None if not asked,
    `reason` why the verdict is what it is, None where that was not handed out.
    """

    entry: Entry
    header: RoundHeader
    terms: Terms
    standing: Anchor | None
    token: Token | None = None
    drawn: int | None = None
    reason: Reason | None = None

    @property
    def pot(self) -> int:
        """The most the round could pay, in base units."""
        terms, head = self.terms, self.header
        return compute_pot(terms.budget_per_round, terms.price_per_nat, head.total_score, head.total_gain)

    @property
    def follows(self) -> bool:
        """Whether the reward is what the formula gives."""
        return follows_formula(self.entry, self.header, self.terms)

    def explain(self, now: int) -> list[str]:
        """The explanation in sentences; `now` in seconds UTC."""
        lines = explain_entry(self.entry, self.header, self.terms, self.reason, self._show)
        fault = [] if self.follows else ["THE ENTRY SAYS OTHERWISE: a fault of the coordinator; keep the entry."]
        return [*lines, *fault, self._explain_claim(now)]

    def to_json(self, now: int) -> dict[str, object]:
        """The numbers and the sentences."""
        body = self.entry.body
        return {
            "job": to_hex(self.header.job),
            "round": self.header.round,
            "entry": self.entry.to_json(),
            "verdict": describe_verdict(self.entry.body.verdict),
            "reason": None if self.reason is None else self.reason.to_json(),
            "pot": str(self.pot),
            "totalScore": str(self.header.total_score),
            "totalGain": str(self.header.total_gain),
            "reward": str(body.reward),
            "rewardFollows": self.follows,
            "finalAt": None if self.standing is None else self.standing.final_at,
            "lines": self.explain(now),
        }

    def _explain_claim(self, now: int) -> str:
        if self.standing is None:
            return "The round is not on chain yet; it can be claimed once it is final there."
        if self.standing.final_at > now:
            left = self.standing.final_at - now
            return f"It can be claimed from {format_time(self.standing.final_at)} on, in {left} s.{self._tell_left()}"
        place = f"On chain in block {self.standing.block}. "
        return f"{place}It is final since {format_time(self.standing.final_at)} and can be claimed.{self._tell_left()}"

    def _tell_left(self) -> str:
        if self.drawn is None:
            return ""
        left = max(0, self.entry.earned - self.drawn)
        return f" {self._show(self.drawn)} was drawn before, {self._show(left)} is left to draw with this entry."

    def _show(self, amount: int) -> str:
        return show_amount(self.token, amount)
