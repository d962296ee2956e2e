"""Steps 27 to 31: the header is the coordinator's, adds up, continues the history, and names every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger import evidence
from ledger.entry import Entry, Verdict
from ledger.errors import Malformed, show
from ledger.evidence import Manifest
from ledger.hashing import sha256
from ledger.statements import RoundHeader, Signed
from ledger.verify.bundle import AuditedJob, History
from ledger.verify.results import Findings
from ledger.verify.signers import SignatureClaim, recover_signer

CHECKS = ("header-signature", "header-totals", "header-parent", "header-model", "evidence-manifest")


def verify_header(job: AuditedJob, history: History, signed: Signed[RoundHeader], findings: Findings) -> None:
    """27. The coordinator signed this round's header; 29. its parent and 30. its base model are the history's."""
    header = signed.statement
    # 27.
    findings.expect("header-signature", job.id, header.job, "the header is of another job")
    findings.expect("header-signature", history.round + 1, header.round, "the header is of another round")
    claim = SignatureClaim(header.digest(job.domain), signed.signature, job.terms.coordinator)
    signer = recover_signer(claim)
    if signer != claim.signer:
        findings.fail("header-signature", "the coordinator did not sign it", None, show(claim.signer), show(signer))
    # 29.
    if history.parent is None:
        findings.leave("header-parent", "the header before could not be read")
    else:
        findings.expect("header-parent", history.parent, header.parent, "the header continues another history")
    if header.opened_at > header.closed_at:
        findings.fail("header-parent", "closed before it opened", None, f"≥ {header.opened_at}", str(header.closed_at))
    # 30.
    if history.model is None:
        findings.leave("header-model", "the header before could not be read")
    else:
        findings.expect("header-model", history.model, header.base_model, "the round started from another model")


def verify_totals(job: AuditedJob, header: RoundHeader, entries: Sequence[Entry], findings: Findings) -> None:
    """28. The header's totals are the last entry's; 30. a round in which nothing was accepted keeps its model."""
    last = entries[-1].body if entries else None
    for name, expected, got in (
        ("count", len(entries), header.count),
        ("totalWeight", last and last.running_weight, header.total_weight),
        ("totalScore", last and last.running_score, header.total_score),
        ("totalGain", last and last.running_gain, header.total_gain),
        ("totalReward", last and last.running_reward, header.total_reward),
        ("aggregate", bytes(32), header.aggregate),
    ):
        if name != "aggregate" or not job.spec.verifiable:
            findings.expect("header-totals", expected, got, f"{name} is not that of the last entry")
    if not any(entry.body.verdict == Verdict.ACCEPTED for entry in entries):
        detail = "nothing was accepted, and the model changed"
        findings.expect("header-model", header.base_model, header.next_model, detail)


def verify_manifest(header: RoundHeader, files: Mapping[str, bytes], findings: Findings) -> None:
    """31. The header signs the manifest, and the manifest lists every file with its bytes."""
    check, content = "evidence-manifest", files.get(evidence.MANIFEST)
    if content is None:
        findings.leave(check, f"{evidence.MANIFEST} was not given")
        return
    findings.expect(check, header.evidence, sha256(content), "the header signs another manifest")
    try:
        manifest = Manifest.from_bytes(content)
    except Malformed as error:
        findings.fail(check, f"the manifest is malformed: {error}")
        return
    for name in sorted({*evidence.ALWAYS, *manifest.files, *files} - {*evidence.OUTSIDE}):
        _verify_file(name, manifest.files.get(name), files.get(name), findings)


def _verify_file(name: str, listed: tuple[bytes, int] | None, content: bytes | None, findings: Findings) -> None:
    check = "evidence-manifest"
    if listed is None:
        findings.fail(check, f"{name} is not in the manifest")
    elif content is None:
        findings.leave(check, f"{name} was not given")
    else:
        findings.expect(check, listed, (sha256(content), len(content)), f"{name} is not the file listed")
