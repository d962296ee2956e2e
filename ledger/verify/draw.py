"""Step 35: the cohort follows from its draw, the draw from the round before, and every contributor is in the cohort.

That the listed nodes are all there were with such a place is for the chain to say: an audit that reads it asks
(`cohort-population`). Whether a node was absent, nothing can say: it is told by name, so that the node sees it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.commitment import compute_beacon
from ledger.draw import Draw, compute_draw_seed, find_problem
from ledger.errors import show
from ledger.verify.bundle import AuditedJob, History, RoundEvidence
from ledger.verify.results import Findings

CHECKS = ("cohort-draw",)

_CHECK = "cohort-draw"


def verify_draw(
    job: AuditedJob, history: History, draw: Draw, contributors: Sequence[bytes] | None, findings: Findings
) -> None:
    """35. The draw fits the rules and the round before (for round 1 the chain says), contributors are in the cohort."""
    problem = find_problem(draw, job.spec.cohort.maximum)
    if problem is not None:
        findings.fail(_CHECK, problem)
    if history.round and history.beacon is None:
        findings.leave(_CHECK, "the draw seed follows from the round before, which could not be read")
    elif history.beacon is not None:
        expected = compute_draw_seed(job.id, history.round + 1, history.beacon)
        findings.expect(_CHECK, expected, draw.seed, "the draw seed does not follow from the round before")
    _verify_block(history, draw, findings)
    if contributors is None:
        findings.leave(_CHECK, "the contributions could not be read")
        return
    cohort = {*draw.admitted, *draw.joined}
    for seq, node in enumerate(contributors):
        if node not in cohort:
            findings.fail(_CHECK, "the contributor is not in the cohort", seq, None, show(node))
    findings.note(_CHECK, max(1, len(contributors)), _describe(draw))


def _verify_block(history: History, draw: Draw, findings: Findings) -> None:
    """A block decides two rounds later who registered late, also where nothing is drawn: none is older than the last.

    How old it was when the round opened, and when the job was opened, is for the chain to say.
    """
    if not history.round:
        return
    before = history.blocks[-1] if history.blocks else None
    if before is None:
        findings.leave(_CHECK, "the block of the round before could not be read")
    elif draw.block < before:
        detail = "the block is older than that of the round before"
        findings.fail(_CHECK, detail, None, f"{before} or later", f"{draw.block}")


def compute_beacon_of(read: RoundEvidence) -> bytes | None:
    """What the next round's draw follows from: the round's beacon by its rule, also where its header names none."""
    if read.head is None or read.closing is None or read.openings is None or read.contributions is None:
        return None
    salts = [
        opening.salt
        for item, opening in zip(read.contributions, read.openings, strict=False)
        if opening is not None and opening.opens(item.signed.statement.commitment)
    ]
    return compute_beacon(read.head.accumulator, read.closing.seed, salts)


def _describe(draw: Draw) -> str:
    if draw.drawn:
        return f"{len(draw.admitted)} drawn of {draw.population}, {len(draw.absent)} passed over as absent"
    return f"room for all: {len(draw.admitted)} present, {len(draw.joined)} joined later"
