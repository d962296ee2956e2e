"""Steps 12 to 14: the closing fixes exactly these receipts, and the seed is the one that was announced."""

from __future__ import annotations

from ledger.commitment import compute_seed_digest
from ledger.errors import show
from ledger.evidence import OpenedClosing
from ledger.statements import RoundHeader
from ledger.verify.bundle import AuditedJob
from ledger.verify.results import Findings
from ledger.verify.signers import SignatureClaim, recover_signer

CHECKS = ("closing-accumulator", "seed-digest", "closing-signature")


def verify_closing(
    job: AuditedJob,
    round_number: int,
    closing: OpenedClosing,
    header: RoundHeader | None,
    count: int,
    accumulator: bytes,
    findings: Findings,
) -> None:
    """Verifies the closing of a round with `count` receipts whose last accumulator is `accumulator`.

    12. Closing and header name this job and round and agree on count, accumulator and time; 13. the seed has the
    announced digest; 14. the coordinator signed the closing.
    """
    check, statement = "closing-accumulator", closing.signed.statement
    # 12.
    for name, expected, got in (
        ("job", job.id, statement.job),
        ("round", round_number, statement.round),
        ("count", count, statement.count),
        ("accumulator", accumulator, statement.accumulator),
    ):
        findings.expect(check, expected, got, f"the closing names another {name}")
    if header is None:
        findings.leave(check, "the header could not be read")
    else:
        findings.expect(check, accumulator, header.accumulator, "the header names another accumulator")
        findings.expect(check, statement.closed_at, header.closed_at, "closing and header differ in closedAt")
    # 13.
    got = compute_seed_digest(closing.seed)
    findings.expect("seed-digest", statement.seed_digest, got, "the seed has another digest")
    # 14.
    claim = SignatureClaim(statement.digest(job.domain), closing.signed.signature, job.terms.coordinator)
    signer = recover_signer(claim)
    if signer != claim.signer:
        findings.fail("closing-signature", "the coordinator did not sign it", None, show(claim.signer), show(signer))
    findings.note("closing-signature")
