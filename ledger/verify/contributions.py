"""Steps 4 to 7: every contribution is of this round, once, with its report, and signed by its node."""

from __future__ import annotations

from collections.abc import Sequence

from ledger import canonical
from ledger.evidence import ReportedContribution
from ledger.hashing import sha256
from ledger.statements import RoundHeader
from ledger.verify.bundle import AuditedJob, History
from ledger.verify.results import Findings
from ledger.verify.signers import SignatureClaim, Spread, verify_signers

CHECKS = ("contribution-fields", "contribution-unique", "report-digest", "contribution-signature")


def verify_contributions(
    job: AuditedJob,
    history: History,
    header: RoundHeader | None,
    contributions: Sequence[ReportedContribution],
    findings: Findings,
    spread: Spread,
) -> list[bytes]:
    """Verifies the contributions of a round and returns their digests, in seq order.

    4. Job, round, parent and base model are this round's; 5. no node and no contribution comes twice; 6. the report is
    the one committed to; 7. the node signed it.
    """
    digests = [item.signed.statement.digest(job.domain) for item in contributions]
    # 4. The parent and the model are those of the verified history; only where that ended, those of the header.
    parent = history.parent or (header.parent if header else None)
    model = history.model or (header.base_model if header else None)
    if parent is None or model is None:
        findings.leave("contribution-fields", "the header before could not be read")
    else:
        _verify_fields((job.id, history.round + 1, parent, model), contributions, findings)
    # 5.
    for name, values in (("node", [item.signed.statement.node for item in contributions]), ("contribution", digests)):
        _verify_unique(name, values, findings)
    # 6.
    for seq, item in enumerate(contributions):
        expected, got = item.signed.statement.report, sha256(canonical.encode(item.report))
        if got != expected:
            findings.expect("report-digest", expected, got, "the report has another digest", seq)
    if contributions:
        findings.note("report-digest", len(contributions))
    # 7.
    claims = [
        SignatureClaim(digest, item.signed.signature, item.signed.statement.node)
        for digest, item in zip(digests, contributions, strict=True)
    ]
    verify_signers("contribution-signature", "the node did not sign its contribution", claims, findings, spread)
    return digests


def _verify_fields(
    expected: tuple[bytes, int, bytes, bytes], contributions: Sequence[ReportedContribution], findings: Findings
) -> None:
    for seq, item in enumerate(contributions):
        one = item.signed.statement
        got = (one.job, one.round, one.parent, one.base_model)
        if got == expected:
            continue
        for name, want, have in zip(("job", "round", "parent", "base model"), expected, got, strict=True):
            findings.expect("contribution-fields", want, have, f"the contribution names another {name}", seq)
    findings.note("contribution-fields", len(contributions))


def _verify_unique(name: str, values: Sequence[bytes], findings: Findings) -> None:
    first: dict[bytes, int] = {}
    for seq, value in enumerate(values):
        if first.setdefault(value, seq) != seq:
            findings.fail("contribution-unique", f"the {name} 0x{value.hex()} stands at seq {first[value]} too", seq)
    findings.note("contribution-unique", len(values))
