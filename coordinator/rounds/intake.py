"""The intake: signed contributions in, countersigned receipts out, many in one transaction.

A receipt is durable before anyone sees it. The same contribution always gets the same bytes; another one of the same
node to the same round gets the first receipt and a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlmodel import Session

from coordinator.context import Context
from coordinator.refusals import RequestRefused
from coordinator.rounds.counter import Arrival, Counter
from coordinator.rounds.errors import WrongContribution
from ledger import canonical, wire
from ledger.hashing import sha256
from ledger.signatures import recover
from ledger.statements import Receipt, Signed

_COMPACT = json.JSONEncoder(separators=(",", ":"))


def examine(context: Context, request: wire.ContributionRequest) -> Arrival:
    """Verify what needs no database: the node's own signature, that the report is the one it signed, who vouches.

    Raises:
        WrongSigner, MalformedSignature: the node's key did not sign this, or no key at all signed the voucher.
        WrongContribution: the report has another digest.
    """
    statement = request.statement
    Signed(statement, request.signature).verify(context.domain, statement.node)
    report = sha256(canonical.encode(request.report))
    if report != statement.report:
        raise WrongContribution("report", statement.report, report)
    voucher = request.voucher
    signer = None if voucher is None else recover(voucher.statement.digest(context.domain), voucher.signature)
    digest = statement.digest(context.domain)
    return Arrival(statement, request.signature, dict(request.report), digest, voucher, signer)


def receive(session: Session, context: Context, arrivals: Sequence[Arrival]) -> list[bytes | Exception]:
    """Answer each arrival with its receipt (JSON) or its refusal, in order; close the commit phase after the last one.

    1. known job; 2. a repetition gets the first receipt; 3. the job runs; 4. the round takes commitments; 5. the node
    is registered and may join; 6. parent, base model, samples, voucher; 7. there is room in the cohort. Then seq,
    accumulator and receipt.
    """
    counters = {key: Counter(session, context, *key, batch) for key, batch in _group(arrivals).items()}
    answers: list[bytes | Exception] = []
    for arrival in arrivals:
        counter = counters[arrival.statement.job, arrival.statement.round]
        try:
            answers.append(encode_receipt(counter.take(arrival)))
        except RequestRefused as refusal:
            answers.append(refusal)
    for counter in counters.values():
        counter.finish()
    return answers


def encode_receipt(receipt: Signed[Receipt]) -> bytes:
    """A receipt's one and only form in JSON."""
    return _COMPACT.encode(receipt.to_json()).encode()


def _group(arrivals: Sequence[Arrival]) -> dict[tuple[bytes, int], list[Arrival]]:
    grouped: dict[tuple[bytes, int], list[Arrival]] = {}
    for arrival in arrivals:
        grouped.setdefault((arrival.statement.job, arrival.statement.round), []).append(arrival)
    return grouped
