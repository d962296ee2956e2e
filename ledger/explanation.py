"""A signed entry in sentences: what became of a contribution, how it counts, and why it is paid so much.

One text for coordinator, node and auditor. Whoever tells it has verified what it is made of, and adds what only the
chain knows: whether the round is final, and what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.entry import SCORE_BITS, Body, Entry
from ledger.evidence import SCREENING
from ledger.screening import Reason
from ledger.statements import RoundHeader, Terms
from ledger.tally import compute_pot, compute_reward
from ledger.verdicts import describe_reason, describe_verdict

Show = Callable[[int], str]
"""Writes an amount of base units as people read it."""


def show_base_units(amount: int) -> str:
    """For whoever does not know how the token is shown."""
    return f"{amount} base units"


def follows_formula(entry: Entry, header: RoundHeader, terms: Terms) -> bool:
    """Whether the reward is what the formula gives."""
    return entry.body.reward == _compute(entry.body, header, terms)[1]


def explain_entry(
    entry: Entry, header: RoundHeader, terms: Terms, reason: Reason | None, show: Show = show_base_units
) -> list[str]:
    """The sentences, from what happened to the update to what the node has earned.

    Args:
        entry: the node's, proven under the header.
        header: of the entry's round.
        terms: of the job.
        reason: why the verdict is what it is; None where the file that says so was not handed out.
        show: writes amounts.
    """
    body, total = entry.body, header.total_score
    return [
        f"Contribution {entry.seq + 1} of {header.count} in round {header.round}: {describe_verdict(body.verdict)}.",
        _tell_reason(body, reason),
        f"Weight {body.weight} of {header.total_weight} in the sum.",
        f"Score {_nats(body.score)} of the round's {_nats(total)}{_share(body.score, total)}.",
        *_tell_credit(body, header),
        _tell_pot(body, header, terms, show),
        _tell_reward(body, header, terms, show),
        f"Earned in this job: {show(entry.earned - body.reward)} before, {show(entry.earned)} now.",
    ]


def _tell_reason(body: Body, reason: Reason | None) -> str:
    if reason is None:
        return f"Why the verdict is {body.verdict} is not told: {SCREENING} was not handed out."
    return f"Verdict {body.verdict}, by the rule {reason.rule.value}: {describe_reason(reason)}."


def _tell_credit(body: Body, header: RoundHeader) -> list[str]:
    since = f"from round {body.previous_round}" if body.previous_round else "from no round before"
    sign = "+" if body.score >= 0 else "−"
    before, peak_before = _nats(body.credit - body.score), _nats(body.peak - body.gain)
    gain = f"{_nats(body.gain)}{_share(body.gain, header.total_gain)}"
    return [
        f"Credit {before} ({since}) {sign} {_nats(abs(body.score))} = {_nats(body.credit)}.",
        f"Highest credit {_nats(body.peak)}, {peak_before} before: a gain of {gain}.",
    ]


def _tell_pot(body: Body, header: RoundHeader, terms: Terms, show: Show) -> str:
    pot, _ = _compute(body, header, terms)
    return (
        f"The round's pot is {show(pot)}: the smaller of the budget {show(terms.budget_per_round)} and "
        f"{show(terms.price_per_nat)} for each nat of the round's score or gain, whichever is less; "
        f"{show(header.total_reward)} of it are paid."
    )


def _tell_reward(body: Body, header: RoundHeader, terms: Terms, show: Show) -> str:
    if header.total_gain == 0:
        return "Reward 0: nobody's credit reached a new peak in this round, so nobody is paid."
    if body.gain == 0:
        return "Reward 0: the credit reached no new peak; what was lost before is paid back first."
    pot, reward = _compute(body, header, terms)
    rest = pot * body.gain % header.total_gain
    floored = f"; {rest}/{header.total_gain} of a base unit was floored away and stays in escrow" if rest else ""
    exact, shown = show_base_units(reward), show(reward)
    formula = f"floor({pot} · {body.gain} / {header.total_gain}) = {exact}"
    return f"Reward {formula}{'' if shown == exact else f', which is {shown}'}{floored}."


def _compute(body: Body, header: RoundHeader, terms: Terms) -> tuple[int, int]:
    """The pot, and what it gives this gain."""
    pot = compute_pot(terms.budget_per_round, terms.price_per_nat, header.total_score, header.total_gain)
    return pot, compute_reward(pot, body.gain, header.total_gain)


def _nats(score: int) -> str:
    return f"{score / (1 << SCORE_BITS):.6f} nats"


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.2f} %)" if whole > 0 else ""
