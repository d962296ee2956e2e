"""The counter: gives arrivals of one round their places, in order, within one transaction.

What it takes stays in memory until `finish`, so that a batch of any size is a handful of statements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import RUNNING, WORKING, Agreement, load_agreement
from coordinator.jobs.service import load_job
from coordinator.nodes.store import find_nodes
from coordinator.nodes.tables import NodeRow
from coordinator.rounds import cohort, store
from coordinator.rounds.errors import (
    AlreadyContributed,
    CohortFull,
    JobNotRunning,
    RoundClosed,
    WrongContribution,
    WrongVoucher,
)
from coordinator.rounds.phases import close_commit, prolong_commit
from coordinator.rounds.tables import ContributionRow, RoundRow
from coordinator.storage.bell import Topic
from coordinator.storage.bulk import insert_rows
from coordinator.storage.database import announce
from ledger.age import verify_age
from ledger.commitment import extend_accumulator
from ledger.eip712 import Domain
from ledger.errors import VerificationError
from ledger.spec import JobSpec
from ledger.statements import Contribution, Receipt, Signed, Voucher
from ledger.vouching import find_unfit

_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A contribution whose signature and report were verified; `digest` is its identity.

    `voucher_signer` is who signed its voucher, None without one.
    """

    statement: Contribution
    signature: bytes
    report: dict[str, str]
    digest: bytes
    voucher: Signed[Voucher] | None = None
    voucher_signer: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Desk:
    """A round that takes commitments, and what is known of those who come.

    `bases` are its base model and those of the rounds before it, as many as an age can reach.
    """

    round: RoundRow
    agreement: Agreement
    bases: Sequence[bytes]
    nodes: Mapping[bytes, NodeRow]
    members: set[bytes]


def build_receipt(row: ContributionRow) -> Signed[Receipt]:
    """The receipt that was given for a contribution."""
    statement = Receipt(
        job=row.job,
        round=row.round,
        seq=row.seq,
        node=row.node,
        contribution=row.contribution,
        accumulator=row.accumulator,
        received_at=row.received_at,
        anchor_by=row.anchor_by,
    )
    return Signed(statement, row.receipt_signature)


def encode_statement(statement: Contribution | Voucher) -> bytes:
    """Its canonical JSON: members are ASCII text and small integers, for which sorting the names is all there is."""
    return _SORTED.encode(statement.to_json()).encode("ascii")


class Counter:
    """Takes the arrivals of one round."""

    def __init__(
        self, session: Session, context: Context, job: bytes, number: int, arrivals: Sequence[Arrival]
    ) -> None:
        self._session = session
        self._context = context
        self._now = context.now
        self._job, self._number = job, number
        self._nodes = {arrival.statement.node for arrival in arrivals}
        known = store.find_contributions_by(session, job, number, self._nodes)
        self._receipts = {node: build_receipt(row) for node, row in known.items()}
        self._desk: _Desk | None = None
        self._count, self._accumulator = 0, b""
        self._joined: list[bytes] = []
        self._added: list[dict[str, Any]] = []

    def take(self, arrival: Arrival) -> Signed[Receipt]:
        """The contribution's receipt, new or old. Raises RequestRefused; then nothing has changed."""
        statement = arrival.statement
        # 2: before anything else, so that a receipt can be asked for again at any time
        first = self._receipts.get(statement.node)
        if first is not None:
            if first.statement.contribution != arrival.digest:
                raise AlreadyContributed(first.statement.contribution, arrival.digest, first.to_json())
            return first
        desk = self._open_desk()
        # 4
        self._verify_space(desk)
        # 5, 6
        cohort.verify_admissible(self._session, self._job, desk.agreement, statement.node, desk.nodes)
        _verify_fields(statement, desk.round)
        _verify_samples(statement, desk.agreement.spec, self._context.settings.max_samples)
        _verify_age(arrival.report, desk)
        _verify_voucher(arrival, desk.agreement.spec, self._context.domain)
        # 7
        self._seat(statement.node, desk)
        receipt = self._issue(arrival, desk)
        self._receipts[statement.node] = receipt
        return receipt

    def finish(self) -> None:
        """Write what was taken; end the commit phase when nobody is waited for."""
        if self._desk is None or not self._added:
            return
        row = self._desk.round
        row.count, row.accumulator = self._count, self._accumulator
        cohort.admit(self._session, row, self._joined, self._now)
        self._session.add(row)
        self._session.flush()
        insert_rows(self._session, ContributionRow, self._added)
        announce(self._session, Topic.PROGRESS)
        if cohort.is_complete(self._session, self._context, row, self._desk.agreement):
            close_commit(self._session, self._context, row, self._desk.agreement)

    def _open_desk(self) -> _Desk:
        """What is known of the round, which takes commitments. Raises UnknownJob, JobNotRunning, RoundClosed."""
        if self._desk is None:
            # 1, 3
            job = load_job(self._session, self._job)
            if job.state not in WORKING:
                raise JobNotRunning(job.job, job.state)
            # 4
            agreement = load_agreement(job)
            row = self._load_open(agreement, is_running=job.state == RUNNING)
            nodes = find_nodes(self._session, self._nodes)
            members = store.find_members(self._session, self._job, self._number, self._nodes)
            bases = store.list_bases(self._session, row, agreement.spec.staleness.max_age)
            self._desk = _Desk(row, agreement, bases, nodes, members)
            self._count, self._accumulator = row.count, row.accumulator
        return self._desk

    def _load_open(self, agreement: Agreement, *, is_running: bool) -> RoundRow:
        row = store.find_round(self._session, self._job, self._number, lock=True)
        is_empty = row is not None and row.state == "committing" and row.count == 0
        if row is not None and is_empty and is_running and self._now >= row.commit_deadline:
            prolong_commit(self._session, self._context, row, agreement)
        late = row is not None and self._now >= row.commit_deadline
        if row is None or row.state != "committing" or late:
            newest = store.find_newest(self._session, self._job)
            state = "not open" if row is None else "past its deadline" if row.state == "committing" else row.state
            raise RoundClosed(self._job, self._number, state, None if newest is None else newest.round)
        return row

    def _verify_space(self, desk: _Desk) -> None:
        """The round still waits for contributions: one that closes at some number takes no more. Raises RoundClosed."""
        closes_at = desk.agreement.spec.cohort.closes_at
        if closes_at and self._count >= closes_at:
            raise RoundClosed(self._job, self._number, f"complete with {closes_at} contributions", self._number)

    def _seat(self, node: bytes, desk: _Desk) -> None:
        """Admit a node that is not in the cohort. Raises CohortFull."""
        if node in desk.members:
            return
        maximum = desk.agreement.spec.cohort.maximum
        if desk.round.cohort + len(self._joined) >= maximum:
            raise CohortFull(self._job, self._number, maximum)
        desk.members.add(node)
        self._joined.append(node)

    def _issue(self, arrival: Arrival, desk: _Desk) -> Signed[Receipt]:
        row, spec, terms = desk.round, desk.agreement.spec, desk.agreement.terms
        receipt = Receipt(
            job=self._job,
            round=self._number,
            seq=self._count,
            node=arrival.statement.node,
            contribution=arrival.digest,
            accumulator=extend_accumulator(self._accumulator, arrival.digest),
            received_at=max(self._now, row.opened_at),
            anchor_by=row.commit_deadline + spec.reveal_seconds + terms.anchor_seconds,
        )
        signed = Signed.issue(receipt, self._context.domain, self._context.signer)
        self._added.append(_build_row(arrival, signed))
        self._count, self._accumulator = self._count + 1, receipt.accumulator
        return signed


def _build_row(arrival: Arrival, receipt: Signed[Receipt]) -> dict[str, Any]:
    """A row of the contributions as the insert takes it."""
    statement, promised, voucher = arrival.statement, receipt.statement, arrival.voucher
    return {
        "contribution": arrival.digest,
        "job": promised.job,
        "round": promised.round,
        "seq": promised.seq,
        "node": promised.node,
        "state": "received",
        "statement": encode_statement(statement),
        "signature": arrival.signature,
        "report": arrival.report,
        "samples": statement.samples,
        "commitment": statement.commitment,
        "accumulator": promised.accumulator,
        "received_at": promised.received_at,
        "anchor_by": promised.anchor_by,
        "receipt_signature": receipt.signature,
        "voucher": None if voucher is None else encode_statement(voucher.statement),
        "voucher_signature": None if voucher is None else voucher.signature,
    }


def _verify_fields(statement: Contribution, row: RoundRow) -> None:
    if statement.parent != row.parent:
        raise WrongContribution("parent", row.parent, statement.parent)
    if statement.base_model != row.base_model:
        raise WrongContribution("baseModel", row.base_model, statement.base_model)


def _verify_samples(statement: Contribution, spec: JobSpec, most: int) -> None:
    """What a platform vouches for has bounds of the protocol; only a node's own word has one of ours."""
    if statement.samples < 1 or (spec.vouchers is None and statement.samples > most):
        raise WrongContribution("samples", f"1 to {most}", statement.samples)


def _verify_age(report: Mapping[str, str], desk: _Desk) -> None:
    """What the report says of the model it was trained from is so. Raises WrongContribution."""
    try:
        verify_age(desk.agreement.spec, report, desk.bases)
    except VerificationError as error:
        raise WrongContribution(f"report: {error.detail}", error.expected, error.got) from None


def _verify_voucher(arrival: Arrival, spec: JobSpec, domain: Domain) -> None:
    """Before there is a receipt: what has one becomes an entry, and an entry without a voucher could not be weighed."""
    for unfit in find_unfit(spec, arrival.statement, arrival.report, arrival.voucher, domain):
        raise WrongVoucher(unfit.field, unfit.expected, unfit.got)
    if spec.vouchers is not None and arrival.voucher_signer != spec.vouchers.platform:
        raise WrongVoucher("voucher.signature", spec.vouchers.platform, arrival.voucher_signer)
