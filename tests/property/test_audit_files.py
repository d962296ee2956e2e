"""Signed files with anything in them: their readers give a value or Malformed, and audits end in a report."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.auditor import Scope, audit
from client.auditor.explaining import explain
from learning.evidence import OutcomeAccount
from ledger import canonical, evidence
from ledger.draw import Draw
from ledger.errors import Malformed, VerificationError
from ledger.screening import decode_reasons
from ledger.verify.results import Outcome
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job, send_zero
from tests.unit.client.auditor.learned_jobs import change
from tests.unit.client.auditor.test_screening_audits import SCREENING, send_noise

FOREIGN = ("[]", "{}", "null", "true", "-1", "9007199254740991", "9007199254740992", '"x"', '"-1"', '""', "1.5", "[[]]")
READERS: dict[str, Callable[[bytes], object]] = {
    evidence.OUTCOME: OutcomeAccount.from_bytes,
    evidence.SCREENING: decode_reasons,
    evidence.DRAW: Draw.from_bytes,
    evidence.CONTRIBUTIONS: evidence.decode_contributions,
    evidence.RECEIPTS: evidence.decode_receipts,
    evidence.CLOSING: evidence.decode_closing,
    evidence.OPENINGS: evidence.decode_openings,
    evidence.ENTRIES: evidence.decode_entries,
    evidence.MANIFEST: evidence.Manifest.from_bytes,
}
CHECKS = {evidence.OUTCOME: "outcome", evidence.SCREENING: "screening", evidence.DRAW: "cohort-draw"}


@cache
def play() -> SimulatedJob:
    """Two rounds with refusals and near copies looked for: never change it."""
    job = make_learned_job(rounds=2, twists={(1, 2): send_zero, (1, 3): send_noise}, screening=SCREENING)
    job.play()
    job.play(hidden=[3])
    return job


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every member of a document, lists and objects too."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from list_places(item, (*place, key))


def put(content: bytes, place: tuple[Any, ...], foreign: str) -> bytes:
    """The document with something else at one place; canonical but for what no canonical file can hold."""
    document = [json.loads(content)]
    inside: Any = document
    for key in (0, *place)[:-1]:
        inside = inside[key]
    inside[(0, *place)[-1]] = "\0here"
    return canonical.encode(document[0]).replace(b'"\\u0000here"', foreign.encode())


def is_malformed(name: str, content: bytes) -> bool:
    try:
        READERS[name](content)
    except Malformed:
        return True
    return False


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("number", [1, 2])
def test_any_value_in_place_of_any_member_is_read_or_malformed(name: str, number: int) -> None:
    content = play().rounds[number - 1].bundle.files[name]
    for place in list_places(json.loads(content)):
        for foreign in FOREIGN:
            assert is_malformed(name, put(content, place, foreign)) in {True, False}


def list_cases() -> list[tuple[str, tuple[Any, ...], str]]:
    """One reason, and all of the outcome and the draw but their lists' items."""
    files = play().rounds[0].bundle.files
    places = {
        evidence.OUTCOME: list_places(json.loads(files[evidence.OUTCOME])),
        evidence.DRAW: (one for one in list_places(json.loads(files[evidence.DRAW])) if len(one) < 2),
        evidence.SCREENING: (
            one for one in list_places(json.loads(files[evidence.SCREENING])) if len(one) < 2 or one[1] == 0
        ),
    }
    return [(name, place, foreign) for name in places for place in places[name] for foreign in FOREIGN]


@pytest.mark.parametrize("first", [1, 2])
@settings(max_examples=20)
@given(st.data())
def test_audit_of_a_signed_file_with_anything_in_it_ends_in_a_report(first: int, data: st.DataObject) -> None:
    """The round that is looked at fails; but what a draw may say is held against the chain alone."""
    name, place, foreign = data.draw(st.sampled_from(list_cases()))
    content = play().rounds[0].bundle.files[name]
    bent = put(content, place, foreign)
    report = audit(play().id, change(play(), 1, {name: bent}), Scope(first=first))
    assert {result.round for result in report.results} >= {2}
    if bent != content and first == 1 and (name != evidence.DRAW or is_malformed(name, bent)):
        assert 1 in {result.round for result in report.find(Outcome.FAIL)}


def test_scale_that_no_gradient_has_fails_and_leaves_nothing_else_unknown() -> None:
    bent = put(play().rounds[0].bundle.files[evidence.OUTCOME], ("scale",), "9007199254740991")
    report = audit(play().id, change(play(), 1, {evidence.OUTCOME: bent}))
    found = {result.check for result in report.find(Outcome.FAIL) if result.round == 1}
    assert {"gradient", "outcome"} <= found
    unknown = {result.check for result in report.find(Outcome.UNKNOWN) if result.round == 1}
    assert not unknown & {"screening", "next-model", "aggregate"}


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize(
    ("name", "place"), [(evidence.SCREENING, ("contributions", 0, "rule")), (evidence.OUTCOME, ("void",))]
)
def test_list_in_place_of_a_word_ends_no_audit(name: str, place: tuple[Any, ...], first: int) -> None:
    bent = put(play().rounds[0].bundle.files[name], place, "[]")
    sources = change(play(), 1, {name: bent})
    report = audit(play().id, sources, Scope(first=first))
    if first == 1:
        assert CHECKS[name] in {result.check for result in report.find(Outcome.FAIL) if result.round == 1}
    else:
        unknown = [result for result in report.find(Outcome.UNKNOWN) if result.round == 2]
        assert any("the state after round 1 is not known" in result.detail for result in unknown)


def test_explaining_from_an_account_with_anything_in_it_is_refused_by_name() -> None:
    job = play()
    content = job.rounds[0].bundle.files[evidence.SCREENING]
    for foreign in FOREIGN:
        sources = change(job, 1, {evidence.SCREENING: put(content, ("contributions", 0, "rule"), foreign)})
        try:
            explain(job.id, 1, job.nodes[0].address, sources)
        except (Malformed, VerificationError):
            continue
