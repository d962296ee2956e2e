"""Makes a contribution of a finished training, and reads back what is needed to send, check and open it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from client.node.records.journal import Kept
from client.node.work.training import Trained
from ledger import canonical
from ledger.commitment import Opening
from ledger.eip712 import Domain
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer
from ledger.statements import Closing, Contribution, Receipt, Signed, Voucher
from ledger.vouching import REPORTED
from ledger.wire import CommitAssignment, ContributionRequest


def prepare_contribution(
    trained: Trained,
    work: CommitAssignment,
    signer: Signer,
    domain: Domain,
    voucher: Signed[Voucher] | None = None,
    *,
    token_bytes: Callable[[int], bytes],
    now: int,
) -> Kept:
    """The signed contribution with its opening, to be kept in the journal before it is sent.

    With a voucher, its samples are those stated, and the report names it, so that it cannot be swapped for another.
    """
    opening = Opening(sha256(trained.payload), bytes(32), token_bytes(32))
    report = dict(trained.report)
    if voucher is not None:
        report[REPORTED] = to_hex(voucher.statement.digest(domain))
    statement = Contribution(
        job=work.job,
        round=work.round,
        node=signer.address,
        parent=work.parent,
        base_model=work.base_model,
        commitment=opening.struct_hash(),
        samples=trained.samples if voucher is None else voucher.statement.samples,
        report=sha256(canonical.encode(dict(report))),
    )
    digest = statement.digest(domain)
    request = ContributionRequest(statement=statement, signature=signer.sign(digest), report=report, voucher=voucher)
    return Kept(
        node=signer.address,
        job=work.job,
        round=work.round,
        contribution=digest,
        state="prepared",
        detail="",
        request=request.model_dump_json(by_alias=True).encode(),
        assignment=work.model_dump_json(by_alias=True).encode(),
        opening=opening,
        receipt=None,
        closing=None,
        prepared_at=now,
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """A journal row, read back into what was signed and promised."""

    statement: Contribution
    work: CommitAssignment
    receipt: Signed[Receipt] | None
    closing: Signed[Closing] | None

    @classmethod
    def of(cls, kept: Kept) -> Remembered:
        """Reads a row that this program wrote."""
        return cls(
            ContributionRequest.model_validate_json(kept.request).statement,
            CommitAssignment.model_validate_json(kept.assignment),
            None if kept.receipt is None else Signed.from_json(Receipt, json.loads(kept.receipt)),
            None if kept.closing is None else Signed.from_json(Closing, json.loads(kept.closing)),
        )
