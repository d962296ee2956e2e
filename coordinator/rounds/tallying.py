"""The tally of a round: what is asked of the compute child, and what its answer makes of the round.

All of it is a function of what the database and the files hold: a kill at any instant and a new start give the same
bytes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from coordinator.compute.messages import RevealedPayload, RoundResult, RoundWork
from coordinator.context import Context
from coordinator.jobs.agreement import Agreement, load_agreement
from coordinator.jobs.service import load_job
from coordinator.rounds import draws, store
from coordinator.rounds.counter import build_receipt
from coordinator.rounds.phases import build_closing
from coordinator.rounds.service import load_round
from coordinator.rounds.tables import ContributionRow, RoundRow
from coordinator.storage.blobs import BlobStore
from ledger import canonical, evidence
from ledger.age import read_age
from ledger.commitment import Opening, compute_beacon
from ledger.draw import Draw
from ledger.entry import Standing, Verdict
from ledger.evidence import Manifest, OpenedClosing, ReportedContribution
from ledger.statements import Contribution, RoundHeader, Signed, Voucher
from ledger.tally import Judgement, Tally, compute_signatures_digest, compute_tally
from ledger.vouching import weigh

_ZERO = bytes(32)


@dataclass(frozen=True)
class Account:
    """A revealed round with everything its tally depends on; `state_before` is what learning carries into it."""

    round: RoundRow
    agreement: Agreement
    contributions: Sequence[ContributionRow]
    standings: Mapping[bytes, Standing]
    state_before: bytes | None
    work: RoundWork
    draw: Draw


@dataclass(frozen=True)
class Sealing:
    """A computed tally: its header, signed, and the files that its evidence lists."""

    account: Account
    result: RoundResult
    tally: Tally
    header: Signed[RoundHeader]
    files: Mapping[str, tuple[bytes, int]]


def load_account(session: Session, context: Context, job: bytes, number: int) -> Account:
    """Read a round whose reveal phase has ended."""
    row = load_round(session, job, number)
    agreement = load_agreement(load_job(session, job))
    contributions = store.list_contributions(session, job, number)
    before = store.find_round(session, job, number - 1)
    standings = store.list_standings(session, job, [known.node for known in contributions])
    carried = {node: Standing(known.earned, known.credit, known.peak, known.round) for node, known in standings.items()}
    state = None if before is None else before.state_file
    work = _build_work(context.blobs, row, agreement, contributions, state)
    return Account(row, agreement, contributions, carried, state, work, draws.load(session, row))


def compute_sealing(context: Context, account: Account, result: RoundResult) -> Sealing:
    """Compute the tally, keep the evidence files durably, and sign the header over them."""
    judgements = [
        Judgement(
            node=row.node,
            contribution_digest=row.contribution,
            signatures_digest=compute_signatures_digest(row.signature, row.receipt_signature),
            verdict=Verdict(judged.verdict),
            weight=judged.weight,
            score=judged.score,
        )
        for row, judged in zip(account.contributions, result.judged, strict=True)
    ]
    terms, number = account.agreement.terms, account.round.round
    tally = compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, account.standings, number)
    manifest = _keep_evidence(context.blobs, account, result, tally)
    header = _build_header(account, result, tally, manifest.digest())
    return Sealing(account, result, tally, Signed.issue(header, context.domain, context.signer), manifest.files)


def _build_work(
    blobs: BlobStore, row: RoundRow, agreement: Agreement, contributions: Sequence[ContributionRow], state: bytes | None
) -> RoundWork:
    spec = agreement.spec
    return RoundWork(
        spec=spec.to_bytes(),
        base_model=blobs.path(row.base_model),
        validation=None if spec.validation is None else blobs.path(spec.validation),
        state=None if state is None else blobs.path(state),
        beacon=compute_beacon(row.accumulator, row.seed, [known.salt for known in contributions if known.salt]),
        payloads=tuple(
            RevealedPayload(known.seq, Verdict.UNREVEALED, None, known.node, _ZERO, 0)
            if known.payload is None
            else RevealedPayload(
                known.seq,
                Verdict.ACCEPTED,
                blobs.path(known.payload),
                known.node,
                known.payload,
                weigh(spec, _load_voucher(known), read_age(spec, known.report)),
            )
            for known in contributions
        ),
        blobs=blobs.root,
    )


def _keep_evidence(blobs: BlobStore, account: Account, result: RoundResult, tally: Tally) -> Manifest:
    contributions = account.contributions
    closing = Signed(build_closing(account.round), account.round.closing_signature or b"")
    contents = {
        evidence.CONTRIBUTIONS: evidence.encode_contributions([_build_reported(row) for row in contributions]),
        evidence.RECEIPTS: evidence.encode_receipts([build_receipt(row) for row in contributions]),
        evidence.CLOSING: evidence.encode_closing(OpenedClosing(closing, account.round.seed)),
        evidence.OPENINGS: evidence.encode_openings([build_opening(row) for row in contributions]),
        evidence.ENTRIES: evidence.encode_entries(tally.entries),
        evidence.TREE: tally.tree().dump_bytes(),
        evidence.OUTCOME: result.outcome,
        evidence.DRAW: account.draw.to_bytes(),
    }
    manifest = Manifest({**Manifest.of(contents).files, **result.files})
    began = time.perf_counter()
    blobs.save(*contents.values(), manifest.to_bytes(), staged=result.list_staged())
    result.seconds["keepSeconds"] = round(time.perf_counter() - began, 4)
    return manifest


def _build_header(account: Account, result: RoundResult, tally: Tally, manifest: bytes) -> RoundHeader:
    row = account.round
    assert row.closed_at is not None  # noqa: S101  a round is tallied after its closing
    return RoundHeader(
        job=row.job,
        round=row.round,
        parent=row.parent,
        base_model=row.base_model,
        next_model=result.next_model,
        entries_root=tally.tree().root,
        accumulator=row.accumulator,
        count=row.count,
        total_weight=tally.totals.weight,
        total_score=tally.totals.score,
        total_gain=tally.totals.gain,
        total_reward=tally.totals.reward,
        aggregate=_ZERO,
        evidence=manifest,
        beacon=result.beacon,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _build_reported(row: ContributionRow) -> ReportedContribution:
    statement = Contribution.from_json(canonical.decode(row.statement))
    return ReportedContribution(Signed(statement, row.signature), row.report, _load_voucher(row))


def _load_voucher(row: ContributionRow) -> Signed[Voucher] | None:
    if row.voucher is None or row.voucher_signature is None:
        return None
    return Signed(Voucher.from_json(canonical.decode(row.voucher)), row.voucher_signature)


def build_opening(row: ContributionRow) -> Opening | None:
    """The opening that a node sent, None while or because it did not."""
    if row.payload is None or row.vector_commitment is None or row.salt is None:
        return None
    return Opening(row.payload, row.vector_commitment, row.salt)
