"""The job spec: the rules of a job's learning, as canonical JSON whose SHA-256 stands in the terms."""

from ledger.spec.job_spec import AGGREGATION_RULES, MAX_SPEC_BYTES, PROTOCOL, JobSpec, check_aggregation
from ledger.spec.options import NOTHING_SCREENED, NOTHING_STALE, OLDEST_AGE, Adam, Screening, Staleness, Vouchers
from ledger.spec.parts import Cohort, TaskChoice
from ledger.spec.reading import parse_decimal

__all__ = [
    "AGGREGATION_RULES",
    "MAX_SPEC_BYTES",
    "NOTHING_SCREENED",
    "NOTHING_STALE",
    "OLDEST_AGE",
    "PROTOCOL",
    "Adam",
    "Cohort",
    "JobSpec",
    "Screening",
    "Staleness",
    "TaskChoice",
    "Vouchers",
    "check_aggregation",
    "parse_decimal",
]
