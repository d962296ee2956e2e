"""Steps 32 to 34: the chain holds this header, for as long as the terms say, within the budget."""

from __future__ import annotations

from ledger.errors import show
from ledger.hashing import keccak256
from ledger.statements import RoundHeader
from ledger.verify.bundle import AnchoredRound, AuditedJob, RoundFiles
from ledger.verify.results import Findings

CHECKS = ("anchor", "finality", "budget")

_NOT_ATTESTED = 2**64 - 1


def compute_anchor(header_digest: bytes, entries_root: bytes, count: int, final_at: int) -> bytes:
    """Returns keccak256(abi.encode(headerDigest, entriesRoot, count, finalAt)), the word JobLedger keeps of a round."""
    return keccak256(header_digest + entries_root + count.to_bytes(32, "big") + final_at.to_bytes(32, "big"))


def verify_anchor(job: AuditedJob, header: RoundHeader, bundle: RoundFiles, findings: Findings) -> None:
    """32. The word on chain is this header's; 33. its window is the terms' and it stands."""
    anchored = bundle.anchored
    if anchored is None:
        findings.leave(("anchor", "finality"), bundle.unanchored)
        return
    # 32.
    expected = compute_anchor(header.digest(job.domain), header.entries_root, header.count, anchored.final_at)
    findings.expect("anchor", expected, anchored.word, "the chain holds another header")
    # 33.
    window = anchored.window_end - anchored.posted_at
    findings.expect("finality", job.terms.window, window, "the window has another length (seconds)")
    if not job.terms.threshold:
        findings.expect("finality", anchored.window_end, anchored.final_at, "it is not final at its window's end")
    if anchored.struck:
        findings.fail("finality", "the round was rejected or has lapsed")
    findings.note("finality", 1, _describe_finality(job, anchored))


def verify_budget(job: AuditedJob, header: RoundHeader, findings: Findings) -> None:
    """34. The round pays at most the budget, and it is one of those the escrow covers."""
    if header.total_reward > job.terms.budget_per_round:
        findings.fail("budget", "over budget", None, f"≤ {job.terms.budget_per_round}", show(header.total_reward))
    if not 1 <= header.round <= job.terms.rounds:
        findings.fail("budget", "the terms cover no such round", None, f"1 to {job.terms.rounds}", str(header.round))
    findings.note("budget")


def _describe_finality(job: AuditedJob, anchored: AnchoredRound) -> str:
    if anchored.final_at == _NOT_ATTESTED:
        return "waits for its witnesses"
    if job.as_of is not None and job.as_of < anchored.final_at:
        return f"can be challenged until {anchored.final_at}"
    return f"final since {anchored.final_at}"
