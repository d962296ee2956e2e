"""Steps 8 to 11: one receipt per contribution, in one unbroken chain, signed by the coordinator, with its promise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ledger.commitment import extend_accumulator, start_accumulator
from ledger.statements import Contribution, Receipt, RoundHeader, Signed
from ledger.verify.bundle import AnchoredRound, AuditedJob, History
from ledger.verify.results import Findings
from ledger.verify.signers import SignatureClaim, Spread, verify_signers

CHECKS = ("receipt-sequence", "receipt-accumulator", "receipt-signature", "anchor-by")

CLOCK_SLACK_SECONDS: Final = 300
"""How much later than the rules give a receipt's anchorBy may lie: deadlines move by outages, in whole seconds."""


def verify_sequence(
    job: AuditedJob,
    history: History,
    contributions: Sequence[Contribution],
    digests: Sequence[bytes],
    receipts: Sequence[Signed[Receipt]],
    findings: Findings,
) -> None:
    """8. Receipt i is for contribution i of this job and round, with seq i; neither outnumbers the other or the places.

    A round that closes at K contributions has K places: with more, somebody was let in after it was complete.
    """
    check = "receipt-sequence"
    findings.expect(check, len(contributions), len(receipts), "there is not one receipt per contribution")
    places = job.spec.cohort.places
    if len(receipts) > places:
        findings.fail(check, "there are more receipts than places", places, f"at most {places}", str(len(receipts)))
    names = ("job", "round", "seq", "node", "contribution")
    for seq, (contribution, digest, signed) in enumerate(zip(contributions, digests, receipts, strict=False)):
        receipt = signed.statement
        expected = (job.id, history.round + 1, seq, contribution.node, digest)
        got = (receipt.job, receipt.round, receipt.seq, receipt.node, receipt.contribution)
        if got == expected:
            continue
        for name, want, have in zip(names, expected, got, strict=True):
            findings.expect(check, want, have, f"the receipt names another {name}", seq)
    findings.note(check, len(receipts))


def verify_accumulator(
    job: AuditedJob, round_number: int, parent: bytes, receipts: Sequence[Signed[Receipt]], findings: Findings
) -> bytes:
    """9. Each accumulator follows from the one before. Returns the last, as it follows from the receipts."""
    check = "receipt-accumulator"
    accumulator = start_accumulator(job.id, round_number, parent)
    for seq, signed in enumerate(receipts):
        accumulator = extend_accumulator(accumulator, signed.statement.contribution)
        got = signed.statement.accumulator
        if got != accumulator:
            findings.expect(check, accumulator, got, "the accumulator does not follow", seq)
    if receipts:
        findings.note(check, len(receipts))
    return accumulator


def verify_receipt_signatures(
    job: AuditedJob, receipts: Sequence[Signed[Receipt]], findings: Findings, spread: Spread
) -> None:
    """10. The coordinator of the terms signed every receipt."""
    claims = [
        SignatureClaim(item.statement.digest(job.domain), item.signature, job.terms.coordinator) for item in receipts
    ]
    verify_signers("receipt-signature", "the coordinator did not sign this receipt", claims, findings, spread)


def verify_anchor_by(
    job: AuditedJob,
    header: RoundHeader,
    receipts: Sequence[Signed[Receipt]],
    anchored: AnchoredRound | None,
    findings: Findings,
) -> None:
    """11. Each receipt's anchorBy is what the rules give, and the round was anchored by the first of them.

    The commit deadline moves while a round has no receipt and by the coordinator's own outages. Both lie between the
    opening and the receipt, so it is from openedAt + commitSeconds to receivedAt + commitSeconds.
    """
    check, spec = "anchor-by", job.spec
    seconds = spec.commit_seconds + spec.reveal_seconds + job.terms.anchor_seconds
    for seq, receipt in enumerate(item.statement for item in receipts):
        if receipt.received_at < header.opened_at:
            findings.fail(
                check, "received before the round opened", seq, str(header.opened_at), str(receipt.received_at)
            )
        least, most = header.opened_at + seconds, receipt.received_at + seconds + CLOCK_SLACK_SECONDS
        if not least <= receipt.anchor_by <= most:
            findings.fail(check, "not what the rules give", seq, f"{least} to {most}", str(receipt.anchor_by))
    for seq, (one, next_) in enumerate(pairwise(receipts), start=1):
        if next_.statement.anchor_by < one.statement.anchor_by:
            findings.fail(check, "an earlier time than the receipt before promised", seq)
    findings.note(check, len(receipts))
    _verify_promise(job, min((item.statement.anchor_by for item in receipts), default=0), anchored, findings)


def _verify_promise(job: AuditedJob, anchor_by: int, anchored: AnchoredRound | None, findings: Findings) -> None:
    at = job.as_of if anchored is None else anchored.posted_at
    if at is None:
        findings.leave("anchor-by", "whether the round was anchored in time is not known without the chain")
    elif at > anchor_by:
        what = "the round is not anchored" if anchored is None else "the round was anchored late"
        findings.fail(
            "anchor-by", what, None, f"an anchor by {anchor_by}", f"{'none' if anchored is None else 'one'} at {at}"
        )
