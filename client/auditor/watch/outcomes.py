"""What came of a watched round or of a search, in words."""

from __future__ import annotations

from collections.abc import Iterable

from client.auditor.watch.place import WatchedRound
from client.output import format_amount, format_time
from contracts.state import NOT_FINAL
from ledger.faults.faults import DemandUnanswered, Fault
from ledger.hexadecimal import to_hex
from ledger.verify.results import Outcome, Result


def judge(known: WatchedRound) -> str:
    """`fail`, `unknown` or `pass`: a pass has to be earned by whole evidence."""
    if known.failed or known.faults:
        return "fail"
    return "unknown" if known.unknown or not known.complete else "pass"


def record(known: WatchedRound, results: Iterable[Result]) -> None:
    """Notes the checks that failed and those that could not be made, in place of what these checks had said before."""
    results = list(results)
    asked = {result.check for result in results}
    failed, unknown = set(known.failed) - asked, set(known.unknown) - asked
    for result in results:
        if result.outcome is Outcome.FAIL:
            failed.add(result.check)
        elif result.outcome is Outcome.UNKNOWN:
            unknown.add(result.check)
    known.failed, known.unknown = sorted(failed), sorted(unknown)


def describe_round(known: WatchedRound) -> str:
    """One line about a round."""
    head = known.header
    what = f"round {known.number}"
    if known.outcome == "fail":
        provable = f"{known.faults} provable on chain" if known.faults else "not provable from what was handed out"
        return f"{what}: CONTRADICTION: {', '.join(known.failed) or 'see its faults'}; {provable}"
    if known.outcome == "unknown":
        missing = ", ".join(known.unknown) or "evidence is missing"
        return f"{what}: NOT CHECKED: {missing}"
    reward = format_amount(head.total_reward)
    final = "waits for its witnesses" if known.final_at == NOT_FINAL else f"final at {format_time(known.final_at)}"
    return f"{what}: all checks passed; {head.count} entries, {reward} tokens, {final}"


def describe_privacy(job: bytes) -> str:
    """Why rounds of a job with a private validation set stay unchecked while it is watched, and what to do."""
    return (
        "the validation set is its holders' until the job ends, after all windows: nobody else can check samples, "
        f"outcomes, gradients and scores before; `tally audit verify {to_hex(job)}` does it then"
    )


def describe_fault(fault: Fault) -> str:
    """A fault in words: its place, its kind, its meaning."""
    proven = getattr(fault, "entry", None)
    seq = fault.seq if isinstance(fault, DemandUnanswered) else None if proven is None else proven.entry.seq
    place = "" if seq is None else f", entry {seq}"
    return f"round {fault.round}{place}: FAULT {fault.KIND.slug}: {fault.MEANING}"
