"""Step 35: every contribution was trained from the model of this job that its report names, as old as it says."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.age import CHECK, TRAINED_FROM, read_age, verify_age
from ledger.errors import VerificationError, show
from ledger.evidence import ReportedContribution
from ledger.statements import RoundHeader
from ledger.verify.bundle import AuditedJob, History
from ledger.verify.results import Findings

CHECKS = (CHECK,)


def verify_ages(
    job: AuditedJob,
    history: History,
    header: RoundHeader | None,
    contributions: Sequence[ReportedContribution],
    findings: Findings,
) -> None:
    """35. Report and history agree on the model and its age.

    A base model that could not be read decides nothing: a report that may have named it is left unknown.
    """
    own = history.model or (header.base_model if header else None)
    bases = (own, *history.bases)[: job.spec.staleness.max_age + 1]
    for seq, item in enumerate(contributions):
        try:
            verify_age(job.spec, item.report, bases)
        except VerificationError as error:
            if None in bases and _names_a_model(job, item):
                findings.leave(CHECK, "the base model of a round was not known")
            else:
                findings.fail(CHECK, error.detail, seq, show(error.expected), show(error.got))
    findings.note(CHECK, len(contributions))


def _names_a_model(job: AuditedJob, item: ReportedContribution) -> bool:
    try:
        read_age(job.spec, item.report)
    except VerificationError:
        return False
    return TRAINED_FROM in item.report
