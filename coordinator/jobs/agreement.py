"""What requester and coordinator agreed on: spec and terms, decoded once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from coordinator.jobs.tables import JobRow
from ledger import canonical
from ledger.spec import JobSpec
from ledger.statements import Acceptance, Signed, Terms

# Who may fetch a file: everyone; whoever the spec lets read evidence; the same, but until the job ends only those whom
# the spec lets have the validation set; only the requester.
PUBLIC = "public"
EVIDENCE = "evidence"
HOLDERS = "holders"
REQUESTER = "requester"

# States in which a job's open round goes on; a new one opens only in the first.
RUNNING = "running"
CLOSING = "closing"
WORKING = (RUNNING, CLOSING)
ENDED = ("finished", "closed", "rejected")


@dataclass(frozen=True, slots=True)
class Agreement:
    """A job's spec and terms."""

    spec: JobSpec
    terms: Terms


def load_agreement(row: JobRow) -> Agreement:
    """The agreement of a job."""
    return _decode(row.spec, row.terms)


def load_acceptance(row: JobRow) -> Signed[Acceptance]:
    """The coordinator's signed acceptance of a job."""
    return Signed(Acceptance(row.job, row.acceptance_deadline), row.acceptance_signature)


@lru_cache(maxsize=256)
def _decode(spec: bytes, terms: bytes) -> Agreement:
    return Agreement(JobSpec.from_bytes(spec), Terms.from_json(canonical.decode(terms)))
