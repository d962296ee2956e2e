"""The intake: signed contributions in, countersigned receipts out, many in one transaction.

A receipt is durable before anyone sees it. The same contribution always gets the same bytes; another one of the same
node to the same round gets the first receipt and a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, insert

from coordinator.bell import Topic
from coordinator.context import Context
from coordinator.database import announce
from coordinator.jobs.agreement import WORKING, Agreement, load_agreement
from coordinator.jobs.service import load_job
from coordinator.nodes.store import find_nodes
from coordinator.refusals import RequestRefused
from coordinator.rounds import cohort, store
from coordinator.rounds.errors import AlreadyContributed, CohortFull, JobNotRunning, RoundClosed, WrongContribution
from coordinator.rounds.phases import close_commit, prolong_commit
from coordinator.rounds.tables import ContributionRow, RoundRow
from ledger import canonical, wire
from ledger.commitment import extend_accumulator
from ledger.hashing import sha256
from ledger.statements import Contribution, Receipt, Signed


@dataclass(frozen=True, slots=True)
class Arrival:
    """A contribution whose signature and report were verified; `digest` is its identity."""

    statement: Contribution
    signature: bytes
    report: dict[str, str]
    digest: bytes


def examine(context: Context, request: wire.ContributionRequest) -> Arrival:
    """Verify what needs no database: the node's own signature, and that the report is the one it signed.

    Raises:
        WrongSigner, MalformedSignature: the node's key did not sign this.
        WrongContribution: the report has another digest.
    """
    statement = request.statement
    Signed(statement, request.signature).verify(context.domain, statement.node)
    report = sha256(canonical.encode(request.report))
    if report != statement.report:
        raise WrongContribution("report", statement.report, report)
    return Arrival(statement, request.signature, dict(request.report), statement.digest(context.domain))


def receive(session: Session, context: Context, arrivals: Sequence[Arrival]) -> list[bytes | Exception]:
    """Answer each arrival with its receipt (JSON) or its refusal, in order; close the commit phase after the last one.

    1. known job; 2. a repetition gets the first receipt; 3. the job runs; 4. the round takes commitments; 5. the node
    is registered and may join; 6. parent, base model, samples; 7. there is room in the cohort. Then seq, accumulator
    and receipt.
    """
    counters = {key: _Counter(session, context, *key, batch) for key, batch in _group(arrivals).items()}
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


def encode_receipt(row: ContributionRow) -> bytes:
    """The receipt's one and only form in JSON."""
    return json.dumps(build_receipt(row).to_json(), separators=(",", ":")).encode()


class _Counter:
    """Takes the arrivals of one round, in order, within one transaction."""

    def __init__(
        self, session: Session, context: Context, job: bytes, number: int, arrivals: Sequence[Arrival]
    ) -> None:
        self._session = session
        self._context = context
        self._now = context.now
        self._job, self._number = job, number
        self._nodes = {arrival.statement.node for arrival in arrivals}
        self._first = store.find_contributions_by(session, job, number, self._nodes)
        self._round: RoundRow | None = None
        self._agreement: Agreement | None = None
        self._members: set[bytes] = set()
        self._joined: list[bytes] = []
        self._added: list[ContributionRow] = []

    def take(self, arrival: Arrival) -> ContributionRow:
        """The contribution's place in the round, new or old. Raises RequestRefused; then nothing has changed."""
        statement = arrival.statement
        # 2: before anything else, so that a receipt can be asked for again at any time
        first = self._first.get(statement.node)
        if first is not None:
            if first.contribution != arrival.digest:
                raise AlreadyContributed(first.contribution, arrival.digest, build_receipt(first).to_json())
            return first
        row, agreement = self._load_open()
        # 5, 6
        cohort.verify_admissible(self._session, self._job, agreement, statement.node)
        _verify_fields(statement, row, self._context.settings.max_samples)
        # 7
        if statement.node not in self._members:
            if row.cohort + len(self._joined) >= agreement.spec.cohort.maximum:
                raise CohortFull(self._job, self._number, agreement.spec.cohort.maximum)
            self._members.add(statement.node)
            self._joined.append(statement.node)
        added = self._issue(arrival, row, agreement)
        self._first[statement.node] = added
        return added

    def finish(self) -> None:
        """Write what was taken; end the commit phase when nobody is waited for."""
        row, agreement = self._round, self._agreement
        if row is None or agreement is None or not self._added:
            return
        cohort.admit(self._session, row, self._joined, self._now)
        self._session.add(row)
        self._session.flush()
        self._session.execute(insert(ContributionRow), [added.model_dump() for added in self._added])
        announce(self._session, Topic.PROGRESS)
        if cohort.is_complete(self._session, self._context, row, agreement):
            close_commit(self._session, self._context, row, agreement)

    def _load_open(self) -> tuple[RoundRow, Agreement]:
        """The open round and its job's agreement. Raises UnknownJob, JobNotRunning, RoundClosed."""
        if self._round is not None and self._agreement is not None:
            return self._round, self._agreement
        # 1, 3
        job = load_job(self._session, self._job)
        if job.state not in WORKING:
            raise JobNotRunning(job.job, job.state)
        # 4
        newest = store.find_newest(self._session, self._job)
        row = store.find_round(self._session, self._job, self._number, lock=True)
        current = None if newest is None else newest.round
        if row is None:
            raise RoundClosed(self._job, self._number, "not open", current)
        agreement = load_agreement(job)
        if row.state == "committing" and self._now >= row.commit_deadline:
            if row.count > 0:
                raise RoundClosed(self._job, self._number, "past its deadline", current)
            prolong_commit(self._session, self._context, row, agreement)
        if row.state != "committing":
            raise RoundClosed(self._job, self._number, row.state, current)
        self._round, self._agreement = row, agreement
        self._members = store.find_members(self._session, self._job, self._number, self._nodes)
        find_nodes(self._session, self._nodes)  # at once, so that each one's row is at hand
        return row, agreement

    def _issue(self, arrival: Arrival, row: RoundRow, agreement: Agreement) -> ContributionRow:
        statement = arrival.statement
        receipt = Receipt(
            job=row.job,
            round=row.round,
            seq=row.count,
            node=statement.node,
            contribution=arrival.digest,
            accumulator=extend_accumulator(row.accumulator, arrival.digest),
            received_at=max(self._now, row.opened_at),
            anchor_by=row.commit_deadline + agreement.spec.reveal_seconds + agreement.terms.anchor_seconds,
        )
        added = ContributionRow(
            contribution=arrival.digest,
            job=row.job,
            round=row.round,
            seq=receipt.seq,
            node=statement.node,
            state="received",
            statement=canonical.encode(statement.to_json()),
            signature=arrival.signature,
            report=arrival.report,
            samples=statement.samples,
            commitment=statement.commitment,
            accumulator=receipt.accumulator,
            received_at=receipt.received_at,
            anchor_by=receipt.anchor_by,
            receipt_signature=Signed.issue(receipt, self._context.domain, self._context.signer).signature,
        )
        row.count += 1
        row.accumulator = receipt.accumulator
        self._added.append(added)
        return added


def _verify_fields(statement: Contribution, row: RoundRow, max_samples: int) -> None:
    if statement.parent != row.parent:
        raise WrongContribution("parent", row.parent, statement.parent)
    if statement.base_model != row.base_model:
        raise WrongContribution("baseModel", row.base_model, statement.base_model)
    if not 1 <= statement.samples <= max_samples:
        raise WrongContribution("samples", f"1 to {max_samples}", statement.samples)


def _group(arrivals: Sequence[Arrival]) -> dict[tuple[bytes, int], list[Arrival]]:
    grouped: dict[tuple[bytes, int], list[Arrival]] = {}
    for arrival in arrivals:
        grouped.setdefault((arrival.statement.job, arrival.statement.round), []).append(arrival)
    return grouped
