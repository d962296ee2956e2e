"""Steps 18 to 20: one entry per receipt, bound to both signatures, with a verdict whose weight is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.age import read_age
from ledger.entry import SCORE_BITS, Entry, Verdict
from ledger.errors import VerificationError
from ledger.evidence import ReportedContribution
from ledger.statements import Receipt, Signed
from ledger.tally import compute_signatures_digest
from ledger.verify.bundle import AuditedJob
from ledger.verify.results import Findings
from ledger.vouching import weigh

CHECKS = ("entry-contribution", "entry-signatures", "verdict-weight")

_VERDICTS = frozenset(map(int, Verdict))


def verify_entries(
    digests: Sequence[bytes],
    contributions: Sequence[ReportedContribution],
    receipts: Sequence[Signed[Receipt]],
    entries: Sequence[Entry],
    findings: Findings,
) -> None:
    """18. Entry i is that of contribution and receipt i; 19. it names both signatures."""
    check = "entry-contribution"
    findings.expect(check, len(receipts), len(entries), "there is not one entry per receipt")
    for seq, (digest, item, receipt, entry) in enumerate(zip(digests, contributions, receipts, entries, strict=False)):
        # 18.
        expected = (seq, item.signed.statement.node, digest)
        got = (entry.seq, entry.node, entry.body.contribution)
        if got != expected:
            for name, want, have in zip(("seq", "node", "contribution"), expected, got, strict=True):
                findings.expect(check, want, have, f"the entry names another {name}", seq)
        # 19.
        signatures = compute_signatures_digest(item.signed.signature, receipt.signature)
        if entry.body.signatures != signatures:
            findings.expect("entry-signatures", signatures, entry.body.signatures, "the entry names others", seq)
    findings.note(check, len(entries))
    compared = min(len(digests), len(contributions), len(receipts), len(entries))
    if compared:
        findings.note("entry-signatures", compared)


def verify_verdicts(
    job: AuditedJob,
    opened: int | None,
    entries: Sequence[Entry],
    contributions: Sequence[ReportedContribution] | None,
    findings: Findings,
) -> None:
    """20. Verdicts are the protocol's, void is void for all, and weights and scores belong to accepted entries alone.

    `opened` is how many openings open their commitment: fewer than the cohort's minimum make the round void. What an
    accepted entry weighs follows from its contribution's voucher where the spec asks for one.
    """
    check = "verdict-weight"
    voids = sum(entry.body.verdict == Verdict.VOID for entry in entries)
    if voids not in (0, len(entries)):
        findings.fail(
            check, "a round is void for all its entries or for none", None, f"0 or {len(entries)}", str(voids)
        )
    if opened is None:
        findings.leave(check, "it could not be counted how many opened")
    else:
        void = opened < job.spec.cohort.minimum
        findings.expect(
            check, void, voids > 0, f"{opened} opened, and the round's minimum is {job.spec.cohort.minimum}"
        )
    if contributions is None:
        findings.leave(check, "what each weighs could not be read")
    for seq, entry in enumerate(entries):
        _verify_verdict(job, entry, seq, findings)
        if contributions is not None and seq < len(contributions):
            _verify_weight(job, entry, contributions[seq], seq, findings)
    findings.note(check, len(entries))


def _verify_verdict(job: AuditedJob, entry: Entry, seq: int, findings: Findings) -> None:
    body, check = entry.body, "verdict-weight"
    if body.verdict not in _VERDICTS:
        findings.fail(check, "no verdict of the protocol", seq, None, str(body.verdict))
    if body.verdict != Verdict.ACCEPTED:
        if body.weight or body.score:
            findings.fail(
                check, "not accepted, but with weight or score", seq, "0 and 0", f"{body.weight} and {body.score}"
            )
        return
    if job.spec.scoring_rule == "by-weight" and body.score != body.weight << SCORE_BITS:
        findings.fail(check, "the scoring rule is 'by-weight'", seq, str(body.weight << SCORE_BITS), str(body.score))


def _verify_weight(
    job: AuditedJob, entry: Entry, contribution: ReportedContribution, seq: int, findings: Findings
) -> None:
    """An accepted entry weighs what the spec's rule gives; a report without an age fails the check `age` instead."""
    if entry.body.verdict != Verdict.ACCEPTED:
        return
    try:
        weight = weigh(job.spec, contribution.voucher, read_age(job.spec, contribution.report))
    except VerificationError:
        return
    if entry.body.weight != weight:
        detail = f"the weight rule is {job.spec.weight_rule!r}"
        findings.fail("verdict-weight", detail, seq, str(weight), str(entry.body.weight))
