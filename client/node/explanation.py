"""Why a node was paid this: computed here, from the signed entry, its header and the job's terms alone."""

from __future__ import annotations

from dataclasses import dataclass

from client.entries import describe_verdict
from client.money import Token, show_amount
from client.output import format_time
from ledger.entry import SCORE_BITS, Entry
from ledger.hexadecimal import to_hex
from ledger.screening import Reason
from ledger.statements import RoundHeader, Terms
from ledger.tally import compute_pot, compute_reward
from ledger.verdicts import describe_reason
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
        return compute_pot(self.terms.budget_per_round, self.terms.price_per_nat, self.header.total_score)

    @property
    def follows(self) -> bool:
        """Whether the reward is what the formula gives."""
        body = self.entry.body
        return body.reward == compute_reward(self.pot, body.gain, self.header.total_gain)

    def explain(self, now: int) -> list[str]:
        """The explanation in sentences; `now` in seconds UTC."""
        return [*self._explain_score(), *self._explain_reward(), self._explain_claim(now)]

    def to_json(self, now: int) -> dict[str, object]:
        """The numbers and the sentences."""
        body = self.entry.body
        return {
            "job": to_hex(self.header.job),
            "round": self.header.round,
            "entry": self.entry.to_json(),
            "verdict": describe_verdict(self.entry),
            "reason": None if self.reason is None else self.reason.to_json(),
            "pot": str(self.pot),
            "totalScore": str(self.header.total_score),
            "totalGain": str(self.header.total_gain),
            "reward": str(body.reward),
            "rewardFollows": self.follows,
            "finalAt": None if self.standing is None else self.standing.final_at,
            "lines": self.explain(now),
        }

    def _explain_score(self) -> list[str]:
        body, head = self.entry.body, self.header
        before, peak_before = body.credit - body.score, body.peak - body.gain
        carried = f"carried from round {body.previous_round}" if body.previous_round else "nothing carried"
        score, gain, fall = _nats(body.score), _nats(body.gain), _nats(head.total_score)
        return [
            f"Contribution {self.entry.seq + 1} of {head.count} in round {head.round}: {describe_verdict(self.entry)}.",
            self._tell_reason(),
            f"Weight {body.weight} of {head.total_weight}.",
            f"Score {score}{_percent(body.score, head.total_score)}; validation loss fell by {fall}.",
            f"Credit {_nats(before)} ({carried}) plus {score} makes {_nats(body.credit)}.",
            f"Highest credit {_nats(body.peak)}, before {_nats(peak_before)}.",
            f"That is a gain of {gain}{_percent(body.gain, head.total_gain)}.",
        ]

    def _tell_reason(self) -> str:
        if self.reason is None:
            return "The coordinator did not hand out why: the round's screening.json would say."
        return f"Verdict {self.entry.body.verdict}, rule {self.reason.rule.value}: {describe_reason(self.reason)}."

    def _explain_reward(self) -> list[str]:
        body, terms = self.entry.body, self.terms
        pot = (
            f"The round's pot is {self._show(self.pot)}: the smaller of the budget "
            f"{self._show(terms.budget_per_round)} and {self._show(terms.price_per_nat)} a nat of that fall."
        )
        if self.header.total_gain == 0:
            reward = "Nobody reached a new peak of credit, so nobody is paid for this round."
        elif body.gain == 0:
            reward = "You reached no new peak of credit, so this round pays you nothing: debts are paid back first."
        else:
            share = f"floor({self.pot} · {body.gain} / {self.header.total_gain})"
            reward = f"Reward: {share} = {body.reward} base units, which is {self._show(body.reward)}."
            rest = self.pot * body.gain % self.header.total_gain
            floored = f" {rest}/{self.header.total_gain} of a base unit was floored away and stays in escrow."
            reward += floored if rest else ""
        checked = "" if self.follows else " THE ENTRY SAYS OTHERWISE: a fault of the coordinator; keep the entry."
        return [pot, reward + checked, f"Earned in this job up to this round: {self._show(self.entry.earned)}."]

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


def _nats(score: int) -> str:
    return f"{score / 2**SCORE_BITS:.6f} nats"


def _percent(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.2f} % of all)" if whole > 0 else ""
