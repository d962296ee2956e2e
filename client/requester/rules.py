"""A job's rules in words: what decides who may take part, what is refused, what counts how much, and what is paid."""

from __future__ import annotations

from client.tokens import Unit
from ledger.hexadecimal import to_address
from ledger.spec import Cohort, JobSpec, Screening, Staleness
from ledger.statements import Terms


def describe_rules(spec: JobSpec, terms: Terms, unit: Unit) -> dict[str, str]:
    """The rules that decide about nodes, by name, in the order in which a contribution meets them."""
    rules = {
        "task": spec.task.name,
        "cohort": _describe_cohort(spec.cohort),
        "stake": f"{unit.write(terms.min_stake)} at least" if terms.min_stake else "none is asked for",
        "phases": f"{spec.commit_seconds} s to commit, {spec.reveal_seconds} s to reveal",
        "age": _describe_age(spec.staleness),
        "screening": _describe_screening(spec.screening),
        "weight": "all alike"
        if spec.vouchers is None
        else f"vouched by {to_address(spec.vouchers.platform)}, "
        f"{spec.vouchers.samples_per_viewer} samples of a viewer at most",
        "aggregation": _describe_aggregation(spec),
        "score": "by weight, nothing is measured" if spec.scoring_rule == "by-weight" else "by effect on the loss",
        "evidence": f"for {spec.evidence_readers}",
    }
    if spec.validation_holders is not None:
        holders = ", ".join(map(to_address, spec.validation_holders)) or "the coordinator alone"
        rules["validation"] = f"private until the job ends; held by {holders}"
    return rules


def _describe_cohort(cohort: Cohort) -> str:
    closing = f"; a round closes at {cohort.closes_at} contributions" if cohort.closes_at else ""
    return f"{cohort.minimum} to {cohort.maximum} nodes{closing}"


def _describe_age(staleness: Staleness) -> str:
    if not staleness.max_age:
        return "trained from the newest model only"
    return f"trained from a model at most {staleness.max_age} rounds older, {staleness.discount} of the weight for each"


def _describe_screening(screening: Screening) -> str:
    rules = ["copies and recycled updates refused"]
    if screening.copy_cosine < 1:
        rounds = (
            f"of this or {screening.near_copy_rounds} earlier rounds" if screening.near_copy_rounds else "of a round"
        )
        rules.append(f"near copies {rounds} above a cosine of {screening.near_copy_cosine}")
    if screening.least_kurtosis != "0":
        rules.append(f"noise below a kurtosis of {screening.least_kurtosis}")
    return "; ".join(rules)


def _describe_aggregation(spec: JobSpec) -> str:
    told = f", told to expect {spec.aggregation_tolerance} dishonest" if spec.aggregation_tolerance != "0" else ""
    adam = ", with Adam" if spec.adam is not None else ""
    return f"{spec.aggregation_rule}{told}{adam}; norms up to {spec.clip_norm} at first"
