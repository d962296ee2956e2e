"""What makes a voucher good for a contribution: one rule for the node, the coordinator and the auditor.

A voucher is bound twice: it names job, round and node, and its digest stands in the report that the node signed for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ledger.eip712 import Domain
from ledger.hexadecimal import to_hex
from ledger.spec import JobSpec
from ledger.statements import Contribution, Signed, Voucher
from ledger.weights import MOST_WEIGHT, TRUST_BITS, compute_weight

REPORTED: Final = "voucher"
"""The report's member that holds the voucher's digest in hex."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a voucher does not stand for a contribution: which field, what was expected, what there is."""

    field: str
    expected: object
    got: object


def weigh(spec: JobSpec, voucher: Signed[Voucher] | None, age: int = 0) -> int:
    """Returns what a contribution with this voucher weighs, 0 without one where the spec asks for it.

    Raises:
        VerificationError: the age is beyond what the spec takes.
    """
    if voucher is None:
        return compute_weight(spec, age=age)
    return compute_weight(spec, voucher.statement.viewers, voucher.statement.samples, age)


def compute_most_weight(spec: JobSpec) -> int:
    """Returns the greatest weight of one contribution: a full cohort of such is still summed exactly, and by trust."""
    most = MOST_WEIGHT >> TRUST_BITS if spec.aggregation_rule == "trust-weighted" else MOST_WEIGHT
    return most // spec.cohort.maximum


def find_unfit(
    spec: JobSpec,
    contribution: Contribution,
    report: Mapping[str, str],
    voucher: Signed[Voucher] | None,
    domain: Domain,
) -> Iterator[Unfit]:
    """Yields every reason why a contribution may not come with this voucher, but for whose signature it bears.

    1. There is one exactly where the spec asks for it; 2. it is for this job, round and node; 3. the contribution
    states its samples; 4. the report names its digest; 5. it weighs something, and no more than can be summed.
    """
    # 1.
    if spec.vouchers is None:
        if voucher is not None:
            yield Unfit("voucher", f"none: the weight rule is {spec.weight_rule!r}", "one")
        return
    if voucher is None:
        yield Unfit("voucher", f"one of the platform 0x{spec.vouchers.platform.hex()}", "none")
        return
    # 2. and 3.
    said = voucher.statement
    for name in ("job", "round", "node", "samples"):
        if getattr(said, name) != getattr(contribution, name):
            yield Unfit(f"voucher.{name}", getattr(contribution, name), getattr(said, name))
    # 4.
    digest = to_hex(said.digest(domain))
    if report.get(REPORTED) != digest:
        yield Unfit(f"report.{REPORTED}", digest, report.get(REPORTED, "none"))
    # 5.
    weight, most = weigh(spec, voucher), compute_most_weight(spec)
    if not 1 <= weight <= most:
        yield Unfit("voucher.weight", f"1 to {most}", weight)
