"""What an outsider can check of a round whose validation set is private until the job ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.auditor.learning.learned import Unknown
from learning.effect import MOST_HALVINGS
from learning.evidence import OutcomeAccount
from learning.round import RoundOutcome, SaidDescent, Void
from ledger import evidence
from ledger.entry import Entry
from ledger.errors import MalformedJson
from ledger.verify.results import Findings

PRIVATE_SET: Final = "the validation set is private until the job ends"
BLIND_CHECKS: Final = ("sample", "outcome", "gradient", "scores")


def read_descent(content: bytes) -> SaidDescent:
    """What `outcome.json` says of the descent. Raises Malformed."""
    account = OutcomeAccount.from_bytes(content)
    if not 0 <= account.halvings <= MOST_HALVINGS:
        raise MalformedJson(evidence.OUTCOME, f"halvings must be 0 to {MOST_HALVINGS}, got {account.halvings}")
    return SaidDescent(account.halvings, account.void is not Void.LOSS_DID_NOT_FALL)


def compare_verdicts(outcome: RoundOutcome, entries: Sequence[Entry], findings: Findings) -> None:
    """Check `screening`: verdict and weight of every entry; and that nobody has a score in a round without any."""
    if len(outcome.judged) != len(entries):
        raise Unknown("there is not one entry per contribution")
    for one, entry in zip(outcome.judged, entries, strict=True):
        got = (entry.body.verdict, entry.body.weight)
        findings.expect("screening", (int(one.verdict), one.weight), got, f"verdict and weight: {one.detail}", one.seq)
        if outcome.void is not None:
            findings.expect("scores", 0, entry.body.score, "a score in a void round", one.seq)


def compare_clips(outcome: RoundOutcome, content: bytes, findings: Findings) -> None:
    """Of check `outcome`: clip norms and the reason of a void round, which follow from the updates alone."""
    theirs = OutcomeAccount.from_bytes(content)
    mine = (outcome.clip, outcome.state.clip, outcome.void)
    findings.expect("outcome", mine, (theirs.clip, theirs.next_clip, theirs.void), "clip norms or the reason differ")
