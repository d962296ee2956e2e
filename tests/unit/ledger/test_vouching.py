"""A voucher stands for one contribution of one job, and for nothing else."""

from dataclasses import replace

import pytest

from ledger.hexadecimal import to_hex
from ledger.spec import Cohort, Staleness, Vouchers
from ledger.spec.options import FRESH
from ledger.statements import Contribution, Signed, Voucher
from ledger.vouching import compute_most_weight, find_unfit, weigh
from ledger.weights import MOST_WEIGHT, TRUST_BITS
from tests.unit.ledger.test_spec import SPEC
from tests.vectors.golden_job import JOB_LEDGER, NODE_REGISTRY, SIGNERS

PLATFORM, NODE = SIGNERS["platform"], SIGNERS["node0"]
VOUCHED = replace(SPEC, weight_rule="vouched-samples", vouchers=Vouchers(PLATFORM.address, 100))
VOUCHER = Voucher(b"\1" * 32, 3, NODE.address, 2, 150)
SIGNED = Signed.issue(VOUCHER, JOB_LEDGER, PLATFORM)
REPORT = {"loss": "1", "voucher": to_hex(VOUCHER.digest(JOB_LEDGER))}
MADE = Contribution(b"\1" * 32, 3, NODE.address, bytes(32), bytes(32), bytes(32), 150, bytes(32))


def find(
    contribution: Contribution = MADE, voucher: Voucher | None = VOUCHER, named: str = REPORT["voucher"]
) -> list[str]:
    signed = None if voucher is None else Signed.issue(voucher, JOB_LEDGER, PLATFORM)
    report = {**REPORT, "voucher": named}
    return [unfit.field for unfit in find_unfit(VOUCHED, contribution, report, signed, JOB_LEDGER)]


def test_voucher_of_this_job_round_node_and_samples_is_fit() -> None:
    assert find() == []


@pytest.mark.parametrize(
    ("name", "other"), [("job", b"\2" * 32), ("round", 2), ("node", SIGNERS["node1"].address), ("samples", 149)]
)
def test_contribution_that_says_otherwise_names_the_field(name: str, other: object) -> None:
    assert find(replace(MADE, **{name: other})) == [f"voucher.{name}"]  # type: ignore[arg-type]  # a field's value


def test_voucher_that_the_report_does_not_name_is_swapped() -> None:
    assert find(voucher=replace(VOUCHER, viewers=9)) == ["report.voucher"]
    assert find(named="0x") == ["report.voucher"]
    report = {"loss": "1"}
    assert [one.got for one in find_unfit(VOUCHED, MADE, report, SIGNED, JOB_LEDGER)] == ["none"]


def test_voucher_under_another_domain_has_another_digest() -> None:
    assert [one.field for one in find_unfit(VOUCHED, MADE, REPORT, SIGNED, NODE_REGISTRY)] == ["report.voucher"]


def test_vouchers_are_there_exactly_where_the_spec_asks() -> None:
    assert find(voucher=None) == ["voucher"]
    assert [one.field for one in find_unfit(SPEC, MADE, REPORT, SIGNED, JOB_LEDGER)] == ["voucher"]
    assert list(find_unfit(SPEC, MADE, {"loss": "1"}, None, JOB_LEDGER)) == []


@pytest.mark.parametrize(("viewers", "samples"), [(0, 0), (0, 150), (2, 0)])
def test_voucher_for_nothing_is_refused(viewers: int, samples: int) -> None:
    voucher = Voucher(VOUCHER.job, 3, NODE.address, viewers, samples)
    named = to_hex(voucher.digest(JOB_LEDGER))
    assert find(replace(MADE, samples=samples), voucher, named) == ["voucher.weight"]


@pytest.mark.parametrize("staleness", [Staleness(), Staleness(2, "0.5")])
@pytest.mark.parametrize(("rule", "trust"), [("mean", 1), ("trust-weighted", 1 << TRUST_BITS)])
def test_full_cohort_of_the_heaviest_is_still_summed_exactly(staleness: Staleness, rule: str, trust: int) -> None:
    """A platform that signs absurd numbers cannot wedge a round: what could overflow gets no receipt."""
    spec = replace(VOUCHED, staleness=staleness, cohort=Cohort(1, 1_000), aggregation_rule=rule)
    most = compute_most_weight(spec)
    factor = FRESH if staleness.max_age else 1
    for samples, fields in ((most // factor, []), (most // factor + 1, ["voucher.weight"])):
        voucher = Voucher(VOUCHER.job, 3, NODE.address, samples, samples)
        report = {"voucher": to_hex(voucher.digest(JOB_LEDGER))}
        signed = Signed.issue(voucher, JOB_LEDGER, PLATFORM)
        found = find_unfit(spec, replace(MADE, samples=samples), report, signed, JOB_LEDGER)
        assert [unfit.field for unfit in found] == fields
    assert 1_000 * most * trust <= MOST_WEIGHT
    # Two updates of 16 bits to a contribution, as centred clipping takes, stay within int64.
    assert 2 * 32_767 * MOST_WEIGHT < 2**63


def test_weight_is_the_vouchers_or_nothing() -> None:
    assert weigh(VOUCHED, SIGNED) == 150
    assert weigh(replace(VOUCHED, vouchers=Vouchers(PLATFORM.address, 50)), SIGNED) == 100
    assert weigh(VOUCHED, None) == 0
    assert weigh(SPEC, None) == 1
