"""Every verdict has a meaning, every rule a sentence with its numbers, and only what a header signs is told."""

from dataclasses import replace

import pytest

from ledger import evidence
from ledger.entry import Entry, Verdict
from ledger.errors import Malformed, VerificationError
from ledger.evidence import Manifest
from ledger.hexadecimal import to_address
from ledger.screening import Original, Reason, Rule, encode_reasons
from ledger.statements import RoundHeader
from ledger.verdicts import MEANINGS, describe_reason, read_reason
from tests.simulated.audit import play_three

NODE = bytes([7]) * 20
ORIGINAL = Original(4, 12, NODE)
UPDATE = bytes([9]) * 32

SENTENCES = [
    (Verdict.ACCEPTED, Rule.ACCEPTED, {"norm_squared": 81, "kurtosis": "7.500000"}, ["Σu² is 81", "7.500000"]),
    (Verdict.UNREVEALED, Rule.UNREVEALED, {}, ["before the reveal deadline"]),
    (Verdict.NOT_OPENED, Rule.NOT_OPENED, {}, ["do not hash to the commitment"]),
    (Verdict.MALFORMED, Rule.FORMAT, {}, ["no safetensors file"]),
    (Verdict.MALFORMED, Rule.DTYPE, {}, ["not int16"]),
    (Verdict.MALFORMED, Rule.SHAPE, {}, ["another number of elements"]),
    (Verdict.MALFORMED, Rule.RANGE, {}, ["−32768"]),
    (Verdict.NORM, Rule.NORM, {"norm_squared": 101, "limit": "100"}, ["101", "norm bound is 100"]),
    (Verdict.DUPLICATE, Rule.DUPLICATE, {"original": ORIGINAL, "update": UPDATE}, [to_address(NODE), "0x0909"]),
    (
        Verdict.DUPLICATE,
        Rule.NEAR_COPY,
        {"original": ORIGINAL, "cosine": "0.991200", "limit": "0.9"},
        [to_address(NODE), "seq 12 of round 4", "0.991200", "at most 0.9"],
    ),
    (Verdict.RECYCLED, Rule.RECYCLED, {"original": ORIGINAL}, ["same elements as", "seq 12 of round 4"]),
    (Verdict.RECYCLED, Rule.NEAR_COPY, {"original": ORIGINAL, "cosine": "0.950000", "limit": "0.9"}, ["0.950000"]),
    (Verdict.IMPLAUSIBLE, Rule.CONSTANT, {}, ["all of its elements are equal"]),
    (Verdict.IMPLAUSIBLE, Rule.NOISE, {"kurtosis": "3.010000", "limit": "5"}, ["3.010000", "at least 5"]),
    (Verdict.EXCLUDED, Rule.AGGREGATION, {"detail": "its distances sum to 9"}, ["left it out: its distances sum to 9"]),
    (Verdict.VOID, Rule.ACCEPTED, {"norm_squared": 81}, ["the round is void", "Σu² is 81"]),
    (Verdict.VOID, Rule.UNREVEALED, {}, ["the round is void", "reveal deadline"]),
]


@pytest.mark.parametrize(("verdict", "rule", "members", "words"), SENTENCES)
def test_every_verdict_and_rule_has_a_sentence_with_its_numbers(
    verdict: Verdict, rule: Rule, members: dict[str, object], words: list[str]
) -> None:
    sentence = describe_reason(Reason(3, verdict, rule, **members))  # type: ignore[arg-type]  # members by name
    assert all(word in sentence for word in words), sentence
    assert "None" not in sentence


def test_no_verdict_and_no_rule_is_left_out() -> None:
    assert {verdict for verdict, *_ in SENTENCES} == set(Verdict) == set(MEANINGS)
    assert {rule for _, rule, *_ in SENTENCES} == set(Rule)


def sign(reasons: list[Reason]) -> tuple[RoundHeader, bytes, bytes, Entry]:
    """A header that signs an account, the two files, and an accepted entry of seq 0."""
    played = play_three().rounds[0]
    content = encode_reasons(5, reasons)
    manifest = Manifest.of({evidence.SCREENING: content})
    header = replace(played.header.statement, evidence=manifest.digest())
    return header, manifest.to_bytes(), content, played.tally.entries[0]


def test_reason_is_read_only_from_what_the_header_signs() -> None:
    reason = Reason(0, Verdict.ACCEPTED, Rule.ACCEPTED)
    header, manifest, content, entry = sign([reason])
    assert read_reason(header, manifest, content, entry) == reason
    other = encode_reasons(6, [reason])
    for files in ((manifest, other), (Manifest.of({evidence.SCREENING: other}).to_bytes(), other)):
        with pytest.raises(VerificationError) as raised:
            read_reason(header, *files, entry)
        assert raised.value.check == "evidence-manifest"


def test_reason_of_another_verdict_or_none_is_refused() -> None:
    header, manifest, content, entry = sign([Reason(0, Verdict.NORM, Rule.NORM)])
    with pytest.raises(VerificationError) as raised:
        read_reason(header, manifest, content, entry)
    assert raised.value.check == "screening"
    header, manifest, content, entry = sign([])
    with pytest.raises(Malformed, match="a reason for seq 0"):
        read_reason(header, manifest, content, entry)
