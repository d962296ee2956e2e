"""Steps 15 to 17: what was revealed opens what was committed, verdicts say so, and the beacon follows."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.commitment import Opening, compute_beacon
from ledger.entry import Entry, Verdict
from ledger.evidence import OpenedClosing
from ledger.hexadecimal import to_hex
from ledger.statements import Contribution, RoundHeader
from ledger.verify.bundle import AuditedJob
from ledger.verify.results import Findings

CHECKS = ("opening", "verdict-unrevealed", "beacon")

_ZERO = bytes(32)


def verify_openings(
    job: AuditedJob,
    contributions: Sequence[Contribution],
    openings: Sequence[Opening | None],
    entries: Sequence[Entry] | None,
    findings: Findings,
) -> list[bytes]:
    """15. and 16. Verifies openings against commitments and verdicts. Returns the salts of those that open."""
    findings.expect("opening", len(contributions), len(openings), "there is not one opening (or null) per contribution")
    verdicts: Sequence[int | None] = [None] * len(openings)
    if entries is not None and len(entries) == len(openings):
        verdicts = [entry.body.verdict for entry in entries]
    else:
        findings.leave(("opening", "verdict-unrevealed"), "the entries could not be read")
    salts = []
    for seq, (contribution, opening, verdict) in enumerate(zip(contributions, openings, verdicts, strict=False)):
        opens = opening is not None and opening.opens(contribution.commitment)
        if opening is not None and opens:
            salts.append(opening.salt)
        # 15.
        if opening is not None:
            _verify_opening(job, opening, opens, verdict, seq, findings)
        # 16. A void round says nothing about who revealed.
        if verdict is not None and verdict != Verdict.VOID and (opening is None) != (verdict == Verdict.UNREVEALED):
            shown = "no opening" if opening is None else "an opening"
            findings.fail("verdict-unrevealed", f"{shown} is shown", seq, None, f"verdict {verdict}")
    findings.note("opening", len(openings))
    findings.note("verdict-unrevealed", len(openings))
    return salts


def verify_beacon(
    job: AuditedJob,
    header: RoundHeader,
    closing: OpenedClosing,
    accumulator: bytes,
    salts: Sequence[bytes],
    entries: Sequence[Entry],
    findings: Findings,
) -> None:
    """17. The beacon follows from accumulator, seed and salts; zero where nothing was accepted or by-weight."""
    drawn = job.spec.scoring_rule != "by-weight" and any(entry.body.verdict == Verdict.ACCEPTED for entry in entries)
    expected = compute_beacon(accumulator, closing.seed, salts) if drawn else _ZERO
    findings.expect("beacon", expected, header.beacon, "the header has another beacon")


def _verify_opening(
    job: AuditedJob, opening: Opening, opens: bool, verdict: int | None, seq: int, findings: Findings
) -> None:
    if verdict is not None and opens == (verdict == Verdict.NOT_OPENED):
        findings.fail(
            "opening",
            "the verdict says that it does not open" if opens else "it does not open the commitment",
            seq,
            None,
            f"verdict {verdict}, payload {to_hex(opening.payload_sha256)}",
        )
    if not job.spec.verifiable:
        findings.expect("opening", _ZERO, opening.vector_commitment, "a vector commitment in a job without them", seq)
