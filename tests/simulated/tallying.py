"""What a simulated coordinator writes of a round: receipts, tally, header."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.commitment import extend_accumulator, start_accumulator
from ledger.evidence import Manifest, ReportedContribution
from ledger.statements import Closing, Receipt, RoundHeader, Signed
from ledger.tally import Judgement, Tally, compute_signatures_digest, compute_tally
from tests.simulated.judge import Judged

if TYPE_CHECKING:
    from tests.simulated.job import SimulatedJob


def receive(job: "SimulatedJob", number: int, contributions: Sequence[ReportedContribution]) -> list[Signed[Receipt]]:
    """A receipt for each contribution, a second apart."""
    accumulator = start_accumulator(job.id, number, job.parent)
    seconds = job.spec.commit_seconds + job.spec.reveal_seconds + job.terms.anchor_seconds
    receipts = []
    for seq, item in enumerate(contributions):
        digest = item.signed.statement.digest(job.domain)
        accumulator = extend_accumulator(accumulator, digest)
        receipt = Receipt(
            job.id,
            number,
            seq,
            item.signed.statement.node,
            digest,
            accumulator,
            job.opened_at + 1 + seq,
            job.opened_at + seconds,
        )
        receipts.append(Signed.issue(receipt, job.domain, job.coordinator))
    return receipts


def tally_up(
    job: "SimulatedJob",
    number: int,
    contributions: Sequence[ReportedContribution],
    receipts: Sequence[Signed[Receipt]],
    judged: Judged,
) -> Tally:
    """The tally of what the judge found."""
    judgements = [
        Judgement(
            item.signed.statement.node,
            receipt.statement.contribution,
            compute_signatures_digest(item.signed.signature, receipt.signature),
            *verdict,
        )
        for item, receipt, verdict in zip(contributions, receipts, judged.verdicts, strict=True)
    ]
    terms = job.terms
    return compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, job.standings, number)


def draft_header(
    job: "SimulatedJob",
    closing: Closing,
    tally: Tally,
    files: Mapping[str, bytes],
    judged: Judged,
    beacon: bytes,
) -> RoundHeader:
    """The header of the round that is played."""
    drawn = tally.totals.weight > 0 and job.spec.scoring_rule != "by-weight"
    return RoundHeader(
        job.id,
        closing.round,
        job.parent,
        job.model,
        judged.next_model,
        tally.tree().root,
        closing.accumulator,
        closing.count,
        tally.totals.weight,
        tally.totals.score,
        tally.totals.gain,
        tally.totals.reward,
        bytes(32),
        Manifest.of(files).digest(),
        beacon if drawn else bytes(32),
        job.opened_at,
        closing.closed_at,
    )
