"""Steps 1 to 3: the job's own files against the id the auditor asked for."""

from __future__ import annotations

from ledger import canonical
from ledger.eip712 import Domain
from ledger.errors import Malformed
from ledger.hashing import sha256
from ledger.signatures import WrongSigner
from ledger.spec import JobSpec
from ledger.statements import Acceptance, Signed, Terms
from ledger.verify.bundle import AuditedJob, JobFiles
from ledger.verify.results import Findings


def read_job(job: bytes, domain: Domain, bundle: JobFiles, as_of: int | None, findings: Findings) -> AuditedJob | None:
    """Verifies the job's files in three steps and returns the job, or None where spec or terms cannot be relied on.

    1. The spec is the one the terms name.
    2. The terms are those the job's id is the hash of.
    3. The coordinator of the terms accepted the job.
    """
    terms = _read_terms(bundle.terms, findings)
    # 1. The spec is the one the terms name.
    spec = _read_spec(bundle.spec, terms, findings)
    if terms is None:
        findings.leave("acceptance-signature", "the terms could not be read")
        return None
    # 2. The terms are those the job's id is the hash of.
    known = findings.expect("job-id", job, terms.job_id(), "the terms are those of another job")
    # 3. The coordinator of the terms accepted the job.
    _verify_acceptance(bundle.acceptance, job, domain, terms, findings)
    return None if spec is None or not known else AuditedJob(job, domain, terms, spec, as_of)


def _read_terms(content: bytes | None, findings: Findings) -> Terms | None:
    if content is None:
        findings.leave("job-id", "the terms were not given")
        return None
    try:
        return Terms.from_json(canonical.decode(content))
    except Malformed as error:
        findings.fail("job-id", f"the terms are malformed: {error}")
        return None


def _read_spec(content: bytes | None, terms: Terms | None, findings: Findings) -> JobSpec | None:
    if content is None:
        findings.leave("spec-digest", "spec.json was not given")
        return None
    if terms is None:
        findings.leave("spec-digest", "the terms could not be read")
    elif not findings.expect("spec-digest", terms.spec_digest, sha256(content), "spec.json has another SHA-256"):
        return None
    try:
        return JobSpec.from_bytes(content)
    except Malformed as error:
        findings.fail("spec-digest", f"spec.json is malformed: {error}")
        return None


def _verify_acceptance(content: bytes | None, job: bytes, domain: Domain, terms: Terms, findings: Findings) -> None:
    check = "acceptance-signature"
    if content is None:
        findings.leave(check, "the acceptance was not given")
        return
    try:
        acceptance = Signed.from_json(Acceptance, canonical.decode(content))
        acceptance.verify(domain, terms.coordinator)
    except WrongSigner as error:
        findings.fail(check, "the coordinator did not sign it", None, str(error.expected), str(error.got))
    except Malformed as error:
        findings.fail(check, f"the acceptance is malformed: {error}")
    else:
        findings.expect(check, job, acceptance.statement.job, "the acceptance is for another job")
