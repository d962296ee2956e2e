"""A recomputed round beside the published one: one comparison per check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from client.auditor.learning.learned import Unknown
from learning.evidence import OutcomeAccount, write_evidence
from learning.gradient import PublicGradient
from learning.round import RoundOutcome
from ledger import evidence
from ledger.entry import Entry
from ledger.errors import Malformed
from ledger.hashing import sha256
from ledger.screening import decode_reasons
from ledger.verify.results import Findings


def compare_judgements(
    outcome: RoundOutcome, entries: Sequence[Entry], published: PublicGradient | None, findings: Findings
) -> None:
    """Checks `screening` and `scores`: verdict, weight and score of every entry."""
    if len(outcome.judged) != len(entries):
        raise Unknown("there is not one entry per contribution")
    if outcome.gradient is not None and published is None:
        findings.leave("scores", "no gradient was published that they could follow from")
    for one, entry in zip(outcome.judged, entries, strict=True):
        got = (entry.body.verdict, entry.body.weight)
        detail = f"verdict and weight{': ' if one.detail else ''}{one.detail}"
        findings.expect("screening", (int(one.verdict), one.weight), got, detail, one.seq)
        if outcome.gradient is None or published is not None:
            findings.expect("scores", one.score, entry.body.score, "the score does not follow", one.seq)


def compare_files(outcome: RoundOutcome, files: Mapping[str, bytes], next_model: bytes, findings: Findings) -> None:
    """Checks `aggregate` and `next-model`, byte for byte."""
    own = write_evidence(outcome)
    for check, name in (("aggregate", evidence.AGGREGATE), ("next-model", evidence.MOMENTUM)):
        expected, got = own.get(name), files.get(name)
        if expected is None or got is None:
            findings.expect(check, _describe(expected), _describe(got), f"whether there is a file {name}")
        else:
            findings.expect(check, sha256(expected), sha256(got), f"{name} has other bytes")
    findings.expect("next-model", sha256(outcome.model_bytes), next_model, "the next model has other bytes")


def compare_accounts(outcome: RoundOutcome, content: bytes, findings: Findings) -> None:
    """Checks `sample` and `outcome`: the drawn positions exactly, the losses within their tolerance."""
    mine = OutcomeAccount.of(outcome)
    try:
        theirs = OutcomeAccount.from_bytes(content)
    except Malformed as error:
        findings.fail("outcome", f"{evidence.OUTCOME} is malformed: {error}")
        findings.leave("sample", f"{evidence.OUTCOME} is malformed")
        return
    findings.expect("sample", mine.sample_digest, theirs.sample_digest, "the beacon draws another sample")
    if not mine.agrees(theirs):
        findings.fail("outcome", f"{evidence.OUTCOME} differs", None, str(mine), str(theirs))
    findings.note("outcome")


def compare_reasons(outcome: RoundOutcome, content: bytes, findings: Findings) -> None:
    """Check `screening`: every verdict's rule and the numbers it went by, exactly."""
    mine = outcome.list_reasons()
    try:
        clip, theirs = decode_reasons(content)
    except Malformed as error:
        findings.fail("screening", f"{evidence.SCREENING} is malformed: {error}")
        return
    findings.expect("screening", outcome.clip, clip, f"{evidence.SCREENING} has another norm bound")
    findings.expect("screening", len(mine), len(theirs), f"{evidence.SCREENING} has not one reason per contribution")
    for own, stated in zip(mine, theirs, strict=False):
        if own != stated:
            operands = str(own.to_json()), str(stated.to_json())
            findings.fail("screening", f"{evidence.SCREENING} gives another reason", own.seq, *operands)


def compare_gradients(outcome: RoundOutcome, published: PublicGradient | None, findings: Findings) -> None:
    """Checks `gradient`, within the tolerance that processors differ by."""
    check = outcome.check
    if outcome.gradient is None:
        if published is not None:
            findings.fail("gradient", "a gradient was published for a round that has none")
        findings.note("gradient", 1, "this round has none")
    elif published is None:
        findings.fail("gradient", "no gradient was published")
    elif check is not None:
        if not check.agrees:
            findings.fail("gradient", "not the auditor's own, within the tolerance", None, None, str(check))
        findings.note("gradient", 1, f"differs by at most {check.largest_difference} of {check.largest_element}")


def compare_references(outcome: RoundOutcome, published: PublicGradient | None, findings: Findings) -> None:
    """Checks `reference`, within the tolerance that processors differ by.

    Raises:
        Unknown: none was published that the sum could follow from.
    """
    check = outcome.reference_check
    if outcome.reference is None:
        if published is not None:
            findings.fail("reference", "a reference was published for a round that has none")
        findings.note("reference", 1, "this round has none")
    elif published is None or check is None:
        if not findings.has_failed("reference"):
            findings.fail("reference", "no reference was published")
        raise Unknown("no reference was published that the sum could follow from")
    else:
        if not check.agrees:
            findings.fail("reference", "not the auditor's own, within the tolerance", None, None, str(check))
        findings.note("reference", 1, f"differs by at most {check.largest_difference} of {check.largest_element}")


def _describe(content: bytes | None) -> str:
    return "no file" if content is None else "a file"
