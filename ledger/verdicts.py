"""Verdicts in words: what each means, and from `screening.json` what it went by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ledger.entry import Entry, Verdict
from ledger.errors import MalformedJson, VerificationError
from ledger.evidence import SCREENING, verify_file
from ledger.hexadecimal import to_address, to_hex
from ledger.screening import Original, Reason, Rule, decode_reasons
from ledger.statements import RoundHeader

MEANINGS: Final[Mapping[Verdict, str]] = {
    Verdict.ACCEPTED: "accepted",
    Verdict.UNREVEALED: "unrevealed: no payload that opens the commitment came in time",
    Verdict.NOT_OPENED: "what was revealed does not open the commitment",
    Verdict.MALFORMED: "malformed: the payload is no update of this task",
    Verdict.NORM: "its norm exceeds the round's clip",
    Verdict.DUPLICATE: "duplicate: equal to an update with a smaller seq, or a near copy of another node's",
    Verdict.RECYCLED: "recycled: equal to an update of an earlier round, or a near copy of another node's",
    Verdict.IMPLAUSIBLE: "implausible: no training on data gives such an update",
    Verdict.EXCLUDED: "excluded by the aggregation rule",
    Verdict.VOID: "the round is void",
}


def describe_verdict(verdict: int) -> str:
    """What a verdict means, in words; an entry may hold one that this version does not know."""
    try:
        return MEANINGS[Verdict(verdict)]
    except ValueError:
        return f"unknown verdict {verdict}"


def read_reason(header: RoundHeader, manifest: bytes, content: bytes, entry: Entry) -> Reason:
    """The reason of an entry's verdict, once `screening.json` is known to be the one that the header signs.

    Raises:
        VerificationError: evidence-manifest or screening, where manifest, file or verdict is another.
        Malformed: a file cannot be read.
    """
    verify_file(header, manifest, SCREENING, content)
    _, reasons = decode_reasons(content)
    if entry.seq >= len(reasons):
        raise MalformedJson(SCREENING, f"a reason for seq {entry.seq}", f"{len(reasons)} reasons")
    reason = reasons[entry.seq]
    if reason.verdict != entry.body.verdict:
        detail = f"{SCREENING} gives another verdict than the entry"
        raise VerificationError("screening", detail, entry.body.verdict, int(reason.verdict))
    return reason


def describe_reason(reason: Reason) -> str:
    """One sentence: which rule decided, and on what numbers."""
    told = _RULES[reason.rule](reason)
    if reason.verdict is Verdict.VOID:
        return f"the round is void, so this decided nothing: {told}"
    return told


def _tell_accepted(reason: Reason) -> str:
    kurtosis = "" if reason.kurtosis is None else f", its kurtosis is {reason.kurtosis}"
    return f"screening found nothing against it: Σu² is {reason.norm_squared}{kurtosis}"


def _tell_norm(reason: Reason) -> str:
    return f"Σu² is {reason.norm_squared}, and the square of the round's norm bound is {reason.limit}"


def _tell_noise(reason: Reason) -> str:
    return f"its kurtosis is {reason.kurtosis}, the job asks for at least {reason.limit}, and noise has 3"


def _tell_repetition(reason: Reason) -> str:
    same = "" if reason.update is None else f" (SHA-256 {to_hex(reason.update)})"
    return f"it has the same elements{same} as {_place(reason.original)}, which came first"


def _tell_copy(reason: Reason) -> str:
    first = _place(reason.original)
    return f"its cosine with {first}, which came first, is {reason.cosine}; the job allows at most {reason.limit}"


def _tell_excluded(reason: Reason) -> str:
    return f"it passed screening, and the aggregation rule left it out: {reason.detail}"


def _place(original: Original | None) -> str:
    if original is None:
        return "an update that is not named"
    return f"the update of {to_address(original.node)}, seq {original.seq} of round {original.round}"


def _always(text: str) -> Callable[[Reason], str]:
    return lambda _: text


_RULES: Final[Mapping[Rule, Callable[[Reason], str]]] = {
    Rule.ACCEPTED: _tell_accepted,
    Rule.UNREVEALED: _always("no payload came before the reveal deadline"),
    Rule.NOT_OPENED: _always("the payload and salt that came do not hash to the commitment"),
    Rule.FORMAT: _always("the payload is no safetensors file that holds one array `update` and nothing else"),
    Rule.DTYPE: _always("the payload's elements are not int16"),
    Rule.SHAPE: _always("the payload has another number of elements than the model has parameters"),
    Rule.RANGE: _always("an element is −32768, which no update may have"),
    Rule.NORM: _tell_norm,
    Rule.CONSTANT: _always("all of its elements are equal, and no data pulls every parameter alike"),
    Rule.NOISE: _tell_noise,
    Rule.DUPLICATE: _tell_repetition,
    Rule.RECYCLED: _tell_repetition,
    Rule.NEAR_COPY: _tell_copy,
    Rule.AGGREGATION: _tell_excluded,
}
