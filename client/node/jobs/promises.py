"""The node's own checks of what the coordinator signs: assignments, receipts, closings. Pure; times in seconds UTC.

Every check raises a VerificationError with a stable id; a promise that fails one is never acted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.commitment import extend_accumulator, start_accumulator
from ledger.eip712 import Domain
from ledger.errors import Malformed, VerificationError
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed
from ledger.wire import CommitAssignment

CLOCK_SLACK_SECONDS: Final = 30
"""How far ahead of our clock a closing may be dated (DESIGN §3)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a receipt may promise at most.

    Attributes:
        places: contributions that a round can have: as many as close it, else the cohort's maximum.
        commit_seconds: longest commit phase; a deadline that nobody met moves by it.
        reveal_seconds: longest reveal phase.
        anchor_seconds: the terms' time to anchor.
        slack_seconds: tolerance for clocks and moved deadlines.
    """

    places: int
    commit_seconds: int
    reveal_seconds: int
    anchor_seconds: int
    slack_seconds: int


@dataclass(frozen=True, slots=True)
class Authority:
    """Who must have signed, and under which domain."""

    domain: Domain
    coordinator: bytes

    def verify(self, check: str, signed: Signed[Any]) -> None:
        """Raises VerificationError with the given id when the coordinator's key did not sign this."""
        try:
            signed.verify(self.domain, self.coordinator)
        except (Malformed, VerificationError) as error:
            raise VerificationError(check, f"not signed by the pinned coordinator ({error})") from None


def verify_assignment(
    work: CommitAssignment, job_start: tuple[bytes, bytes], previous: Signed[RoundHeader] | None, authority: Authority
) -> None:
    """Checks that an assignment continues the one history of its job.

    Args:
        work: the assignment.
        job_start: job id and initial model, the parent and base model of round 1.
        previous: the header of the round before; None exactly for round 1.
        authority: whose signature the header must bear.

    Raises:
        VerificationError: header-signature, header-parent, header-model or assignment-round.
    """
    if work.round < 1 or (previous is None) != (work.round == 1):
        raise VerificationError("assignment-round", "it needs the header of the round before", work.round)
    parent, model = job_start
    if previous is not None:
        authority.verify("header-signature", previous)
        head = previous.statement
        if (head.job, head.round) != (work.job, work.round - 1):
            raise VerificationError("assignment-round", "the header is of another round", work.round - 1, head.round)
        parent, model = head.digest(authority.domain), head.next_model
    _compare("header-parent", "the assignment continues another history", parent, work.parent)
    _compare("header-model", "the assignment starts from another model", model, work.base_model)


def verify_receipt(
    signed: Signed[Receipt], own: Contribution, work: CommitAssignment, bounds: Bounds, authority: Authority, now: int
) -> None:
    """Checks a receipt for our own contribution.

    1. the coordinator signed it; 2. it is for this contribution; 3. the round has such a place; 4. the accumulator can
    be right (it is recomputed at the closing); 5. its times can be right.

    Raises:
        VerificationError: receipt-signature, receipt-contribution, receipt-sequence, receipt-accumulator, receipt-time
            or anchor-by.
    """
    # 1
    authority.verify("receipt-signature", signed)
    # 2
    receipt = signed.statement
    expected = (own.job, own.round, own.node, own.digest(authority.domain))
    got = (receipt.job, receipt.round, receipt.node, receipt.contribution)
    for name, mine, theirs in zip(("job", "round", "node", "contribution"), expected, got, strict=True):
        _compare("receipt-contribution", f"the receipt names another {name}", mine, theirs)
    # 3
    if receipt.seq >= bounds.places:
        raise VerificationError("receipt-sequence", "no such place in the round", f"below {bounds.places}", receipt.seq)
    # 4
    start = start_accumulator(own.job, own.round, own.parent)
    if receipt.seq == 0:
        first = extend_accumulator(start, receipt.contribution)
        _compare("receipt-accumulator", "the first receipt does not extend the start", first, receipt.accumulator)
    elif receipt.accumulator in (bytes(32), start, extend_accumulator(start, receipt.contribution)):
        raise VerificationError("receipt-accumulator", "it leaves out the contributions before ours", got=receipt.seq)
    # 5
    latest = now + CLOCK_SLACK_SECONDS
    if not work.opened_at - CLOCK_SLACK_SECONDS <= receipt.received_at <= latest:
        expected_time = f"{work.opened_at} to {latest}"
        raise VerificationError("receipt-time", "received at an impossible time", expected_time, receipt.received_at)
    deadline = max(work.commit_deadline, receipt.received_at + bounds.commit_seconds)
    limit = deadline + bounds.reveal_seconds + bounds.anchor_seconds + bounds.slack_seconds
    if not receipt.received_at < receipt.anchor_by <= limit:
        expected_time = f"{receipt.received_at} to {limit}"
        raise VerificationError("anchor-by", "it promises an anchor too late", expected_time, receipt.anchor_by)


def verify_closing(
    signed: Signed[Closing],
    contributions: Sequence[bytes],
    receipt: Receipt,
    work: CommitAssignment,
    authority: Authority,
    now: int,
) -> None:
    """Checks that no more commitments come and ours is among them, in its place; then a payload may leave.

    1. the coordinator signed it, for this round; 2. it is not dated ahead of our clock or before our receipt; 3. the
    seed is the announced one; 4. the listed digests are distinct, as many as it says, ours at our seq; 5. they give our
    receipt's accumulator at our seq and the closing's at the end.

    Raises:
        VerificationError: closing-signature, closing-round, closing-time, seed-digest, closing-count, closing-sequence,
            closing-accumulator.
    """
    # 1
    authority.verify("closing-signature", signed)
    closing = signed.statement
    _compare("closing-round", "the closing is of another job", receipt.job, closing.job)
    _compare("closing-round", "the closing is of another round", receipt.round, closing.round)
    # 2
    latest = now + CLOCK_SLACK_SECONDS
    if not receipt.received_at <= closing.closed_at <= latest:
        expected = f"{receipt.received_at} to {latest}"
        raise VerificationError("closing-time", "closed at an impossible time", expected, closing.closed_at)
    # 3
    _compare("seed-digest", "not the seed that was announced", work.seed_digest, closing.seed_digest)
    # 4
    if not len(contributions) == len(set(contributions)) == closing.count:
        raise VerificationError(
            "closing-count", "not as many contributions as it says", closing.count, len(contributions)
        )
    if receipt.seq >= closing.count or contributions[receipt.seq] != receipt.contribution:
        raise VerificationError("closing-sequence", "our contribution is not in its place", receipt.seq)
    # 5
    accumulator = start_accumulator(receipt.job, receipt.round, work.parent)
    for seq, digest in enumerate(contributions):
        accumulator = extend_accumulator(accumulator, digest)
        if seq == receipt.seq:
            _compare("closing-accumulator", "it does not extend our receipt", receipt.accumulator, accumulator)
    _compare("closing-accumulator", "it does not follow from the list", closing.accumulator, accumulator)


def _compare(check: str, detail: str, expected: object, got: object) -> None:
    if expected != got:
        raise VerificationError(check, detail, expected, got)
