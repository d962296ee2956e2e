"""Verifies one round after another: the steps of `ledger.verify`, in order, each over what the steps before it read.

A step whose inputs could not be read leaves its checks unknown; the check that owns an unreadable file has failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger import evidence
from ledger.eip712 import Domain
from ledger.spec import OLDEST_AGE
from ledger.verify import (
    age,
    chain,
    closing,
    contributions,
    draw,
    entries,
    header,
    openings,
    receipts,
    tally,
    tree,
    vouchers,
)
from ledger.verify.bundle import AuditedJob, History, JobFiles, RoundEvidence, RoundFiles
from ledger.verify.checks import JOB_CHECKS, ROUND_CHECKS
from ledger.verify.job import read_job
from ledger.verify.reading import read_round
from ledger.verify.results import Findings, Result
from ledger.verify.signers import Spread


@dataclass(frozen=True, slots=True)
class VerifiedRound:
    """What came of a round: one or more results per check, what the next round stands on, and what was read."""

    results: list[Result]
    history: History
    evidence: RoundEvidence


def verify_job(
    job: bytes, domain: Domain, bundle: JobFiles, as_of: int | None = None
) -> tuple[list[Result], AuditedJob | None]:
    """Verifies a job's own files, steps 1 to 3. Without a job (None) no round of it can be verified."""
    findings = Findings(None)
    audited = read_job(job, domain, bundle, as_of, findings)
    return findings.answer(JOB_CHECKS), audited


def verify_round(job: AuditedJob, history: History, bundle: RoundFiles, spread: Spread = map) -> VerifiedRound:
    """Verifies the round after `history`, steps 4 to 35. `spread` applies a function to many values, like `map`."""
    findings = Findings(bundle.round)
    read = read_round(bundle, findings)
    steps = _Steps(job, history, bundle, read, findings, spread)
    # 4 to 7. Contributions, and the digests that everything else refers to.
    digests = steps.verify_contributions()
    # 8 to 11. Receipts, and the last accumulator as it follows from them.
    accumulator = steps.verify_receipts(digests)
    # 12 to 14. Closing.
    steps.verify_closing(accumulator)
    # 15 to 17. Openings and beacon.
    steps.verify_openings(accumulator)
    # 18 to 23. Entries, verdicts, carry, rewards, sums.
    steps.verify_entries(digests)
    # 24 to 26. Tree and proofs.
    steps.verify_tree()
    # 27 to 31. Header and manifest.
    steps.verify_header()
    # 32 to 34. Chain.
    steps.verify_chain()
    # 35. The cohort.
    steps.verify_draw()
    # 36. Ages.
    steps.verify_ages()
    # 37. Vouchers.
    steps.verify_vouchers()
    return VerifiedRound(findings.answer(ROUND_CHECKS), extend_history(job, history, read), read)


def extend_history(job: AuditedJob, history: History, read: RoundEvidence) -> History:
    """What a round that was read leaves to the next, whatever its checks found."""
    standings, complete = tally.extend_standings(history, read.entries or ())
    head = read.head
    base = history.model or (head.base_model if head else None)
    return History(
        history.round + 1,
        head.digest(job.domain) if head else None,
        head.next_model if head else None,
        standings,
        complete and read.entries is not None,
        draw.compute_beacon_of(read),
        (*history.blocks, read.draw.block if read.draw else None)[-2:],
        (base, *history.bases)[:OLDEST_AGE],
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps of one round over its files as read."""

    job: AuditedJob
    history: History
    bundle: RoundFiles
    read: RoundEvidence
    findings: Findings
    spread: Spread

    def verify_contributions(self) -> list[bytes] | None:
        items = self.read.contributions
        if items is None:
            return None
        head = self.read.head
        return contributions.verify_contributions(self.job, self.history, head, items, self.findings, self.spread)

    def verify_receipts(self, digests: list[bytes] | None) -> bytes | None:
        items, head = self.read.receipts, self.read.head
        if items is None:
            return None
        if digests is None or self.read.contributions is None:
            self.findings.leave("receipt-sequence", "contributions.json could not be read")
        else:
            made = [item.signed.statement for item in self.read.contributions]
            receipts.verify_sequence(self.job, self.history, made, digests, items, self.findings)
        receipts.verify_receipt_signatures(self.job, items, self.findings, self.spread)
        if head is None:
            self.findings.leave("anchor-by", "header.json could not be read")
        else:
            receipts.verify_anchor_by(self.job, head, items, self.bundle.anchored, self.findings)
        parent = self.history.parent or (head.parent if head else None)
        if parent is None:
            self.findings.leave("receipt-accumulator", "the parent is not known")
            return None
        number = self.history.round + 1
        return receipts.verify_accumulator(self.job, number, parent, items, self.findings)

    def verify_closing(self, accumulator: bytes | None) -> None:
        if self.read.closing is None:
            return
        if accumulator is None or self.read.receipts is None:
            self.findings.leave(closing.CHECKS, "the receipts could not be read")
            return
        number, count = self.history.round + 1, len(self.read.receipts)
        head = self.read.head
        closing.verify_closing(self.job, number, self.read.closing, head, count, accumulator, self.findings)

    def verify_openings(self, accumulator: bytes | None) -> None:
        read = self.read
        if read.openings is None or read.contributions is None:
            self.findings.leave(openings.CHECKS, "openings or contributions could not be read")
            return
        made = [item.signed.statement for item in read.contributions]
        salts = openings.verify_openings(self.job, made, read.openings, read.entries, self.findings)
        if read.header is None or read.closing is None or accumulator is None or read.entries is None:
            self.findings.leave("beacon", "header, closing, receipts or entries could not be read")
            return
        head = read.header.statement
        openings.verify_beacon(self.job, head, read.closing, accumulator, salts, read.entries, self.findings)

    def verify_entries(self, digests: list[bytes] | None) -> None:
        read = self.read
        if read.entries is None:
            self.findings.leave((*entries.CHECKS, *tally.CHECKS), "entries.json could not be read")
            return
        if digests is None or read.contributions is None or read.receipts is None:
            self.findings.leave(
                ("entry-contribution", "entry-signatures"), "contributions or receipts could not be read"
            )
        else:
            entries.verify_entries(digests, read.contributions, read.receipts, read.entries, self.findings)
        opened = _count_opened(read)
        entries.verify_verdicts(self.job, opened, read.entries, read.contributions, self.findings)
        tally.verify_carry(self.history, read.entries, self.findings)
        tally.verify_rewards(self.job, read.entries, self.findings)
        tally.verify_running(read.entries, self.findings)

    def verify_tree(self) -> None:
        if not self.read.entries:
            self.findings.leave(tree.CHECKS, "there are no entries")
            return
        head = self.read.head
        dump = self.bundle.files.get(evidence.TREE)
        rebuilt = tree.verify_tree(head, self.read.entries, dump, self.findings)
        if head is None or rebuilt is None:
            self.findings.leave("proof-length", "there is no header or no tree")
        else:
            tree.verify_proofs(head, self.read.entries, rebuilt, self.bundle.handed_out, self.findings)

    def verify_header(self) -> None:
        if self.read.header is None:
            self.findings.leave(header.CHECKS, "header.json could not be read")
            return
        header.verify_header(self.job, self.history, self.read.header, self.findings)
        if self.read.entries is None:
            self.findings.leave("header-totals", "entries.json could not be read")
        else:
            header.verify_totals(self.job, self.read.header.statement, self.read.entries, self.findings)
        header.verify_manifest(self.read.header.statement, self.bundle.files, self.findings)

    def verify_chain(self) -> None:
        if self.read.header is None:
            self.findings.leave(chain.CHECKS, "header.json could not be read")
            return
        chain.verify_anchor(self.job, self.read.header.statement, self.bundle, self.findings)
        chain.verify_budget(self.job, self.read.header.statement, self.findings)

    def verify_draw(self) -> None:
        if self.read.draw is None:
            return
        made = self.read.contributions
        contributors = None if made is None else [item.signed.statement.node for item in made]
        draw.verify_draw(self.job, self.history, self.read.draw, contributors, self.findings)

    def verify_ages(self) -> None:
        if self.read.contributions is None:
            self.findings.leave(age.CHECKS, "contributions.json could not be read")
            return
        age.verify_ages(self.job, self.history, self.read.head, self.read.contributions, self.findings)

    def verify_vouchers(self) -> None:
        if self.read.contributions is None:
            self.findings.leave(vouchers.CHECK, "contributions.json could not be read")
            return
        vouchers.verify_vouchers(self.job, self.read.contributions, self.findings, self.spread)


def _count_opened(read: RoundEvidence) -> int | None:
    if read.openings is None or read.contributions is None:
        return None
    return sum(
        opening is not None and opening.opens(item.signed.statement.commitment)
        for item, opening in zip(read.contributions, read.openings, strict=False)
    )
