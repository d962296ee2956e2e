from dataclasses import replace

import pytest

from ledger.errors import VerificationError
from ledger.spec import Staleness, Vouchers
from ledger.weights import compute_weight
from tests.unit.ledger.test_spec import SPEC

VOUCHED = replace(SPEC, weight_rule="vouched-samples", vouchers=Vouchers(b"\x11" * 20, 100))


def test_equal_weighs_one_whatever_is_said() -> None:
    assert compute_weight(SPEC) == compute_weight(SPEC, viewers=5, samples=10_000) == 1


def test_vouched_samples_weigh_up_to_the_cap_of_each_viewer() -> None:
    assert compute_weight(VOUCHED, viewers=3, samples=250) == 250
    assert compute_weight(VOUCHED, viewers=3, samples=1_000) == 300
    assert compute_weight(VOUCHED) == 0


@pytest.mark.parametrize(("age", "weight"), [(0, 256_000), (1, 128_000), (2, 64_000)])
def test_age_takes_its_part(age: int, weight: int) -> None:
    spec = replace(VOUCHED, staleness=Staleness(2, "0.5"))
    assert compute_weight(spec, viewers=3, samples=250, age=age) == weight


def test_older_than_the_spec_takes_is_refused() -> None:
    with pytest.raises(VerificationError, match="verdict-weight"):
        compute_weight(SPEC, age=1)
    with pytest.raises(VerificationError, match="verdict-weight"):
        compute_weight(replace(SPEC, staleness=Staleness(2, "0.5")), age=3)
