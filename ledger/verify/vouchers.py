"""Step 35: what weighs in a job with vouchers is what the spec's platform signed, and nothing is lent or swapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.errors import show
from ledger.evidence import ReportedContribution
from ledger.verify.bundle import AuditedJob
from ledger.verify.results import Findings
from ledger.verify.signers import SignatureClaim, Spread, verify_signers
from ledger.vouching import find_unfit

CHECK: Final = "voucher"


def verify_vouchers(
    job: AuditedJob, contributions: Sequence[ReportedContribution], findings: Findings, spread: Spread
) -> None:
    """35. Every contribution has the voucher it needs (none, where weights are equal), signed by the platform.

    That a viewer counts once a round is the platform's word alone: vouchers name no viewers.
    """
    spec = job.spec
    for seq, item in enumerate(contributions):
        for unfit in find_unfit(spec, item.signed.statement, item.report, item.voucher, job.domain):
            detail = f"{unfit.field} is not what the contribution may come with"
            findings.fail(CHECK, detail, seq, show(unfit.expected), show(unfit.got))
    if spec.vouchers is None:
        findings.note(CHECK, len(contributions), "the job weighs all alike: no contribution has a voucher")
        return
    claims = [
        SignatureClaim(item.voucher.statement.digest(job.domain), item.voucher.signature, spec.vouchers.platform)
        for item in contributions
        if item.voucher is not None
    ]
    verify_signers(CHECK, "the spec's platform did not sign the voucher", claims, findings, spread)
