"""What came of a watched round or of a search, in words."""

from __future__ import annotations

from client.auditor.watch.place import WatchedRound
from client.output import format_amount, format_time
from ledger.faults.faults import DemandUnanswered, Fault


def judge(known: WatchedRound) -> str:
    """`fail`, `unknown` or `pass`: a pass has to be earned by whole evidence."""
    if known.failed or known.faults:
        return "fail"
    return "unknown" if known.unknown or not known.complete else "pass"


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
    reward, final = format_amount(head.total_reward), format_time(known.final_at)
    return f"{what}: all checks passed; {head.count} entries, {reward} tokens, final at {final}"


def describe_fault(fault: Fault) -> str:
    """A fault in words: its place, its kind, its meaning."""
    proven = getattr(fault, "entry", None)
    seq = fault.seq if isinstance(fault, DemandUnanswered) else None if proven is None else proven.entry.seq
    place = "" if seq is None else f", entry {seq}"
    return f"round {fault.round}{place}: FAULT {fault.KIND.slug}: {fault.MEANING}"
