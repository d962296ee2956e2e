"""A node believes a voucher only from its job's platform and for itself, and binds it to what it signs."""

from dataclasses import replace

import pytest

from client.node.data.vouching import VoucherWish, verify_voucher
from client.node.work.contribution import Remembered, prepare_contribution
from client.pins import Pin
from ledger.errors import VerificationError
from ledger.spec import Vouchers
from ledger.statements import Signed, Voucher
from ledger.vouching import find_unfit
from ledger.wire import ContributionRequest
from tests.unit.client.node.promising import DOMAIN, JOB, NODE, NOW, TRAINED, make_work
from tests.unit.ledger.test_spec import SPEC
from tests.vectors.golden_job import SIGNERS

PLATFORM = SIGNERS["platform"]
PIN = Pin(31337, bytes([7]) * 20, bytes(20), bytes(20), bytes(20))
WISH = VoucherWish(JOB, 1, NODE.address, PIN)
VOUCHED = replace(SPEC, weight_rule="vouched-samples", vouchers=Vouchers(PLATFORM.address, 100))
VOUCHER = Voucher(JOB, 1, NODE.address, 2, 150)


def test_voucher_of_the_jobs_platform_is_believed() -> None:
    verify_voucher(Signed.issue(VOUCHER, DOMAIN, PLATFORM), WISH, VOUCHED)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"job": bytes(32)}, "another job"),
        ({"round": 2}, "another round"),
        ({"node": bytes([1]) * 20}, "another node"),
        ({"viewers": 0}, "weighs nothing"),
        ({"samples": 0}, "weighs nothing"),
        ({"viewers": 2**52, "samples": 2**52}, "too much"),
    ],
    ids=str,
)
def test_voucher_for_something_else_is_not(changes: dict[str, int], said: str) -> None:
    other = replace(VOUCHER, **changes)  # type: ignore[arg-type]  # fields by name
    with pytest.raises(VerificationError, match=said):
        verify_voucher(Signed.issue(other, DOMAIN, PLATFORM), WISH, VOUCHED)


def test_voucher_signed_by_another_or_for_another_ledger_is_not() -> None:
    with pytest.raises(VerificationError, match="did not sign"):
        verify_voucher(Signed.issue(VOUCHER, DOMAIN, NODE), WISH, VOUCHED)
    elsewhere = replace(WISH, pin=replace(PIN, job_ledger=bytes([8]) * 20))
    with pytest.raises(VerificationError, match="did not sign"):
        verify_voucher(Signed.issue(VOUCHER, DOMAIN, PLATFORM), elsewhere, VOUCHED)


def test_contribution_is_bound_to_its_voucher_in_the_journal_too() -> None:
    """What is sent again after a kill is what was kept: the voucher with it."""
    voucher = Signed.issue(VOUCHER, DOMAIN, PLATFORM)
    kept = prepare_contribution(TRAINED, make_work(), NODE, DOMAIN, voucher, token_bytes=lambda _: bytes(32), now=NOW)
    request = ContributionRequest.model_validate_json(kept.request)
    assert request.voucher == voucher
    assert request.statement.samples == 150 != TRAINED.samples
    assert list(find_unfit(VOUCHED, request.statement, request.report, request.voucher, DOMAIN)) == []
    assert Remembered.of(kept).statement == request.statement


def test_contribution_without_a_voucher_says_what_was_trained_on() -> None:
    kept = prepare_contribution(TRAINED, make_work(), NODE, DOMAIN, token_bytes=lambda _: bytes(32), now=NOW)
    request = ContributionRequest.model_validate_json(kept.request)
    assert (request.voucher, request.statement.samples) == (None, TRAINED.samples)
    assert "voucher" not in request.report
