"""The seal: tally, header and evidence enter the database together, and the next round opens with them."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import EVIDENCE, PUBLIC
from coordinator.jobs.privacy import choose_audience
from coordinator.jobs.service import load_job, note_sealed
from coordinator.jobs.store import add_log, share
from coordinator.jobs.tables import JobRow
from coordinator.rounds import store
from coordinator.rounds.moves import move
from coordinator.rounds.phases import note_time, open_next
from coordinator.rounds.service import load_round
from coordinator.rounds.tables import EntryRow, EvidenceRow, RoundRow, StandingRow
from coordinator.rounds.tallying import Sealing
from coordinator.storage.bell import Topic
from coordinator.storage.bulk import insert_rows
from coordinator.storage.database import announce
from ledger import canonical, evidence
from ledger.entry import Verdict

_log = structlog.get_logger()


def seal(session: Session, context: Context, sealing: Sealing) -> bool:
    """Seal a round and open the next one, in the caller's transaction; False when it was not to be sealed any more.

    1. the header and its totals; 2. entries, verdicts and standings; 3. evidence and who may fetch it; 4. the job;
    5. the next round, whose parent is this header.
    """
    header = sealing.header.statement
    row = load_round(session, header.job, header.round, lock=True)
    if row.state != "tallying":  # rejected meanwhile, or sealed by another worker to the same bytes
        return False
    job = load_job(session, row.job, lock=True)
    # 1
    _write_header(context, row, sealing)
    move(session, row, "sealed")
    # 2
    _write_entries(session, row, sealing)
    # 3
    _write_evidence(session, row, job, sealing)
    _forget_state(session, row)
    # 4
    last = row.round == sealing.account.agreement.terms.rounds
    reward = sealing.tally.totals.reward
    add_log(session, row.job, context.now, _describe(row))
    note_sealed(session, job, at=context.now, model=header.next_model, reward=reward, last=last)
    # 5
    session.flush()
    open_next(session, context, job)
    announce(session, Topic.RESULTS)
    _log.info(
        "round_sealed", job=row.job.hex(), round=row.round, accepted=row.accepted, reward=str(reward), void=row.void
    )
    return True


def _write_header(context: Context, row: RoundRow, sealing: Sealing) -> None:
    header, result = sealing.header.statement, sealing.result
    row.header = canonical.encode(header.to_json())
    row.header_digest = header.digest(context.domain)
    row.header_signature = sealing.header.signature
    row.next_model, row.next_clip, row.state_file = result.next_model, result.next_clip, result.state
    row.accepted = sum(judged.verdict == Verdict.ACCEPTED for judged in result.judged)
    row.total_score, row.total_reward, row.pot = header.total_score, header.total_reward, sealing.tally.pot
    row.void = result.void
    row.draw_source = sealing.account.work.beacon
    row.sealed_at = context.now
    note_time(context, row, "sealedAt", "tallySeconds", since="revealedAt")
    row.timings = {**row.timings, **result.seconds}


def _write_entries(session: Session, row: RoundRow, sealing: Sealing) -> None:
    entries = sealing.tally.entries
    insert_rows(
        session,
        EntryRow,
        [
            {
                "job": row.job,
                "round": row.round,
                "seq": entry.seq,
                "node": entry.node,
                "body": entry.body.digest(),
                "entry": canonical.encode(entry.to_json()),
                "verdict": entry.body.verdict,
                "score": entry.body.score,
                "reward": entry.body.reward,
                "earned": entry.earned,
            }
            for entry in entries
        ],
    )
    standings = store.list_standings(session, row.job, [entry.node for entry in entries])
    contributions = store.list_contributions(session, row.job, row.round)
    for entry, contribution in zip(entries, contributions, strict=True):
        contribution.verdict = entry.body.verdict
        contribution.state = "accepted" if entry.body.verdict == Verdict.ACCEPTED else "refused"
        standing = standings.get(entry.node) or StandingRow(job=row.job, node=entry.node)
        standing.earned, standing.credit = entry.earned, entry.body.credit
        standing.peak, standing.round = entry.body.peak, row.round
        session.add_all([contribution, standing])


def _write_evidence(session: Session, row: RoundRow, job: JobRow, sealing: Sealing) -> None:
    manifest = evidence.Manifest(sealing.files).to_bytes()
    files = {**sealing.files, evidence.MANIFEST: (sealing.header.statement.evidence, len(manifest))}
    rows = [
        {"job": row.job, "round": row.round, "name": name, "sha256": digest, "size_bytes": size}
        for name, (digest, size) in files.items()
    ]
    insert_rows(session, EvidenceRow, rows)
    payloads = {known.payload for known in sealing.account.contributions if known.payload is not None}
    telling = {digest for name, (digest, _) in files.items() if name in evidence.PRIVATE}
    share(session, telling, row.job, choose_audience(job))
    share(session, {digest for digest, _ in files.values()} - telling | payloads, row.job, EVIDENCE)
    share(session, [sealing.header.statement.next_model], row.job, PUBLIC)


def _forget_state(session: Session, row: RoundRow) -> None:
    """What learning carried into this round is not needed again; its file goes after the commit."""
    before = store.find_round(session, row.job, row.round - 1)
    if before is not None:
        before.state_file = None
        session.add(before)


def _describe(row: RoundRow) -> str:
    if row.void is not None:
        return f"round {row.round} is void ({row.void}): {row.count} contributions, model unchanged, nothing paid"
    return f"round {row.round} is sealed: {row.accepted} of {row.count} accepted, {row.total_reward} base units paid"
