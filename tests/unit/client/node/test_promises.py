"""The node's checks of what the coordinator signs: the honest promise passes, each field flipped is named."""

import dataclasses
from typing import Any

import pytest

from client.node.jobs.promises import verify_assignment, verify_closing, verify_receipt
from ledger.errors import VerificationError
from ledger.signatures import Signer
from ledger.statements import Closing, Receipt, RoundHeader, Signed
from tests.unit.client.node.promising import (
    AUTHORITY,
    BOUNDS,
    COORDINATOR,
    DOMAIN,
    JOB,
    NOW,
    make_round,
    make_work,
    prepare,
    read_statement,
)

WORK = make_work()
KEPT = prepare(WORK)
ROUND = make_round(KEPT, WORK)
RECEIPT = ROUND.receipt(2)
CLOSING = ROUND.closing()
WORD = bytes([99]) * 32


def check_receipt(receipt: Receipt, signer: Signer = COORDINATOR, now: int = NOW) -> None:
    signed = Signed.issue(receipt, DOMAIN, signer)
    verify_receipt(signed, read_statement(KEPT), WORK, BOUNDS, AUTHORITY, now)


def check_closing(
    closing: Closing, digests: tuple[bytes, ...] = ROUND.digests, signer: Signer = COORDINATOR, now: int = NOW + 20
) -> None:
    verify_closing(Signed.issue(closing, DOMAIN, signer), digests, RECEIPT, WORK, AUTHORITY, now)


def refused(error: pytest.ExceptionInfo[VerificationError]) -> str:
    return error.value.check


def test_honest_receipt_passes_at_every_place() -> None:
    check_receipt(RECEIPT)
    first = make_round(KEPT, WORK, seq=0)
    check_receipt(first.receipt(0))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"job": WORD}, "receipt-contribution"),
        ({"round": 2}, "receipt-contribution"),
        ({"node": bytes(20)}, "receipt-contribution"),
        ({"contribution": WORD}, "receipt-contribution"),
        ({"seq": 8}, "receipt-sequence"),
        ({"seq": 0}, "receipt-accumulator"),
        ({"accumulator": bytes(32)}, "receipt-accumulator"),
        ({"accumulator": ROUND.accumulate(0)}, "receipt-accumulator"),
        ({"accumulator": make_round(KEPT, WORK, seq=0).accumulate(1)}, "receipt-accumulator"),
        ({"received_at": NOW + 31}, "receipt-time"),
        ({"received_at": NOW - 41}, "receipt-time"),
        ({"anchor_by": NOW}, "anchor-by"),
        ({"anchor_by": RECEIPT.anchor_by + 11}, "anchor-by"),
    ],
)
def test_flipped_field_of_a_receipt_is_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(VerificationError) as error:
        check_receipt(dataclasses.replace(RECEIPT, **changes))
    assert refused(error) == expected


def test_receipt_after_a_moved_deadline_passes() -> None:
    late = NOW + 100
    check_receipt(dataclasses.replace(RECEIPT, received_at=late, anchor_by=late + 60 + 60 + 3_600), now=late)


def test_receipt_by_another_key_is_refused() -> None:
    with pytest.raises(VerificationError) as error:
        check_receipt(RECEIPT, signer=Signer(bytes([3]) * 32))
    assert refused(error) == "receipt-signature"


def test_honest_closing_passes() -> None:
    check_closing(CLOSING)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"job": WORD}, "closing-round"),
        ({"round": 2}, "closing-round"),
        ({"count": 5}, "closing-count"),
        ({"accumulator": WORD}, "closing-accumulator"),
        ({"closed_at": NOW + 51}, "closing-time"),
        ({"closed_at": NOW - 1}, "closing-time"),
        ({"seed_digest": WORD}, "seed-digest"),
    ],
)
def test_flipped_field_of_a_closing_is_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(VerificationError) as error:
        check_closing(dataclasses.replace(CLOSING, **changes))
    assert refused(error) == expected


def test_closing_by_another_key_is_refused() -> None:
    with pytest.raises(VerificationError) as error:
        check_closing(CLOSING, signer=Signer(bytes([3]) * 32))
    assert refused(error) == "closing-signature"


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        (ROUND.digests[:3], "closing-count"),
        ((*ROUND.digests, WORD), "closing-count"),
        ((ROUND.digests[1], ROUND.digests[1], *ROUND.digests[2:]), "closing-count"),
        ((ROUND.digests[1], ROUND.digests[0], *ROUND.digests[2:]), "closing-accumulator"),
        ((*ROUND.digests[:2], ROUND.digests[3], ROUND.digests[2]), "closing-sequence"),
        ((*ROUND.digests[:3], WORD), "closing-accumulator"),
    ],
)
def test_other_list_of_contributions_is_refused(digests: tuple[bytes, ...], expected: str) -> None:
    with pytest.raises(VerificationError) as error:
        check_closing(CLOSING, digests)
    assert refused(error) == expected


def test_closing_whose_list_leaves_out_what_came_before_our_receipt_is_refused() -> None:
    """The coordinator drops an earlier contribution and signs a closing that is right by itself."""
    rewritten = make_round(KEPT, WORK, seq=1, count=3)
    with pytest.raises(VerificationError) as error:
        check_closing(rewritten.closing(), rewritten.digests)
    assert refused(error) == "closing-sequence"


def header(**changes: Any) -> RoundHeader:
    zero = bytes(32)
    fields: dict[str, Any] = {
        "job": JOB,
        "round": 1,
        "parent": JOB,
        "base_model": WORK.base_model,
        "next_model": bytes([44]) * 32,
        "entries_root": zero,
        "accumulator": zero,
        "count": 4,
        "total_weight": 4,
        "total_score": 0,
        "total_gain": 0,
        "total_reward": 0,
        "aggregate": zero,
        "evidence": zero,
        "beacon": zero,
        "opened_at": NOW - 100,
        "closed_at": NOW - 50,
    }
    return RoundHeader(**(fields | changes))


def check_assignment(previous: RoundHeader | None, signer: Signer = COORDINATOR, **changes: Any) -> None:
    parent = JOB if previous is None else header().digest(DOMAIN)
    model = WORK.base_model if previous is None else header().next_model
    work = make_work(1 if previous is None else 2, **({"parent": parent, "base_model": model} | changes))
    signed = None if previous is None else Signed.issue(previous, DOMAIN, signer)
    verify_assignment(work, (JOB, WORK.base_model), signed, AUTHORITY)


def test_first_round_starts_from_the_spec_and_later_ones_from_the_header() -> None:
    check_assignment(None)
    check_assignment(header())


@pytest.mark.parametrize(
    ("previous", "changes", "expected"),
    [
        (None, {"parent": WORD}, "header-parent"),
        (None, {"base_model": WORD}, "header-model"),
        (None, {"round": 2}, "assignment-round"),
        (None, {"round": 0}, "assignment-round"),
        (header(), {"parent": WORD}, "header-parent"),
        (header(), {"base_model": WORD}, "header-model"),
        (header(), {"round": 3}, "assignment-round"),
        (header(total_reward=1), {}, "header-parent"),
        (header(next_model=WORD), {}, "header-parent"),
        (header(job=WORD), {}, "assignment-round"),
    ],
)
def test_assignment_of_another_history_is_refused(
    previous: RoundHeader | None, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(VerificationError) as error:
        check_assignment(previous, **changes)
    assert refused(error) == expected


def test_assignment_on_a_header_by_another_key_is_refused() -> None:
    with pytest.raises(VerificationError) as error:
        check_assignment(header(), signer=Signer(bytes([3]) * 32))
    assert refused(error) == "header-signature"
