"""Steps 21 to 23: what each node carries on, what it is paid, and the sums. Each formula is checked entry by entry.

Every entry is compared with what follows from the values it stands on as published, so one wrong number is found where
it is and not in everything that was computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.entry import Entry, Standing
from ledger.errors import Malformed
from ledger.tally import compute_pot, compute_reward
from ledger.verify.bundle import AuditedJob, History
from ledger.verify.results import Findings

CHECKS = ("carry", "reward-formula", "running-totals")

_CARRIED = ("previousRound", "credit", "peak", "gain", "earned")
_RUNNING = ("runningWeight", "runningScore", "runningGain", "runningReward", "runningAggregate")


def verify_carry(history: History, entries: Sequence[Entry], findings: Findings) -> None:
    """21. Credit, peak, gain, earned and previousRound follow from the standing of the node's entry before."""
    for seq, entry in enumerate(entries):
        previous = history.standings.get(entry.node)
        if previous is None and not history.complete:
            findings.leave("carry", "an earlier round could not be read")
            continue
        previous = previous or Standing()
        expected = (previous.round, *entry.compute_carry(previous))
        got = (entry.body.previous_round, *entry.carry())
        if got == expected:
            continue
        for name, want, have in zip(_CARRIED, expected, got, strict=True):
            findings.expect("carry", want, have, f"{name} does not follow", seq)
    findings.note("carry", len(entries))


def verify_rewards(job: AuditedJob, entries: Sequence[Entry], findings: Findings) -> None:
    """22. reward = ⌊pot · gain / totalGain⌋, with the pot that the sums of scores and gains give."""
    total_gain = sum(entry.body.gain for entry in entries)
    total_score = sum(entry.body.score for entry in entries)
    pot = compute_pot(job.terms.budget_per_round, job.terms.price_per_nat, total_score, total_gain)
    for seq, entry in enumerate(entries):
        expected = compute_reward(pot, entry.body.gain, total_gain)
        if expected != entry.body.reward:
            findings.expect("reward-formula", expected, entry.body.reward, "the reward does not follow", seq)
    findings.note("reward-formula", len(entries), f"pot {pot}")


def verify_running(entries: Sequence[Entry], findings: Findings) -> None:
    """23. Running values are those of the entry before plus this entry's own; the aggregate's is zero."""
    before = (0, 0, 0, 0)
    for seq, entry in enumerate(entries):
        body = entry.body
        own = (body.weight, body.score, body.gain, body.reward)
        expected = (*(one + more for one, more in zip(before, own, strict=True)), bytes(32))
        before = (body.running_weight, body.running_score, body.running_gain, body.running_reward)
        got = (*before, body.running_aggregate)
        if got == expected:
            continue
        for name, want, have in zip(_RUNNING, expected, got, strict=True):
            findings.expect("running-totals", want, have, f"{name} does not follow", seq)
    findings.note("running-totals", len(entries))


def extend_standings(history: History, entries: Sequence[Entry]) -> tuple[dict[bytes, Standing], bool]:
    """Returns what every node carries on after these entries, and whether all of them can carry anything."""
    standings, complete = dict(history.standings), history.complete
    for entry in entries:
        try:
            standings[entry.node] = entry.standing(history.round + 1)
        except Malformed:
            # Values no standing has; `carry` has failed on this entry, and what builds on it cannot be told.
            standings.pop(entry.node, None)
            complete = False
    return standings, complete
