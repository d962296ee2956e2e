"""Audits of jobs that refuse near copies and noise: every verdict and its reason is recomputed, none is believed."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from client.auditor import Scope, audit
from client.auditor.checks import ALL_CHECKS
from client.auditor.explaining import explain
from learning.payload import write_update
from learning.quantise import Update
from ledger import canonical, evidence
from ledger.entry import Verdict
from ledger.errors import VerificationError
from ledger.hexadecimal import to_address
from ledger.screening import Reason, Rule, decode_reasons
from ledger.spec import Screening
from ledger.verify.results import Outcome
from tests.simulated.audit import find, flip, walk
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import DigitsJudge, Twist, make_learned_job, send_rubbish
from tests.simulated.sources import SimulatedEvidence, make_sources
from tests.unit.client.auditor.learned_jobs import change, failed

SCREENING = Screening("0.99", 2, "2.5")
COPIER = 3


def send_noise(update: Update) -> bytes:
    signs = np.random.default_rng(3).choice([-1, 1], update.size)
    return write_update((signs * 40).astype(np.int16))


def send_ones(update: Update) -> bytes:
    return write_update(np.full(update.size, 9, np.int16))


def send_much(update: Update) -> bytes:
    return write_update(np.full(update.size, 30_000, np.int16))


def copy_of(job: list[SimulatedJob], number: int, seq: int, flips: int) -> Twist:
    """Another node's update of an earlier round, so many of its elements changed by one."""

    def send(update: Update) -> bytes:
        del update
        played = job[0].rounds[number - 1]
        opening = evidence.decode_openings(played.bundle.files[evidence.OPENINGS])[seq]
        assert opening is not None
        copied = np.frombuffer(job[0].blobs[opening.payload_sha256][-920:], np.int16).copy()
        copied[:flips] += 1
        return write_update(copied)

    return send


@cache
def play() -> SimulatedJob:
    """Three rounds of six nodes with every rule that can be had in one job: never change it."""
    jobs: list[SimulatedJob] = []
    twists: dict[tuple[int, int], Twist] = {
        (1, 3): send_noise,
        (1, 4): send_ones,
        (1, 5): send_much,
        (2, 3): copy_of(jobs, 1, 0, 4),
        (2, 4): copy_of(jobs, 1, 1, 0),
        (2, 5): send_rubbish,
        (3, 3): copy_of(jobs, 2, 0, 4),
        (3, 4): copy_of(jobs, 2, 2, 3),
    }
    job = make_learned_job(nodes=6, rounds=3, twists=twists, screening=SCREENING)
    jobs.append(job)
    job.play()
    job.play(hidden=[1])
    job.play(absent=[5])
    return job


def read(number: int) -> list[Reason]:
    return decode_reasons(play().rounds[number - 1].bundle.files[evidence.SCREENING])[1]


def test_job_has_the_verdicts_it_is_meant_to_have() -> None:
    assert isinstance(play().judge, DigitsJudge)
    rules = [[reason.rule for reason in read(number)] for number in (1, 2, 3)]
    accepted = [Rule.ACCEPTED] * 3
    assert rules[0] == [*accepted, Rule.NOISE, Rule.CONSTANT, Rule.NORM]
    assert rules[1] == [Rule.ACCEPTED, Rule.UNREVEALED, Rule.ACCEPTED, Rule.NEAR_COPY, Rule.RECYCLED, Rule.FORMAT]
    assert rules[2] == [*accepted, Rule.NEAR_COPY, Rule.NEAR_COPY]
    copy = read(3)[4].original
    assert copy is not None
    assert (copy.round, copy.seq, copy.node) == (2, 2, play().nodes[2].address)


def test_honest_job_passes_every_check() -> None:
    report = audit(play().id, make_sources(play()))
    assert report.exit_code == 0, report.find(Outcome.FAIL)
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


@pytest.mark.parametrize("first", [1, 3])
def test_refused_copy_that_is_sent_again_is_known_to_an_audit_that_begins_later(first: int) -> None:
    """What it is near to has left the window by then; what was refused is known by its content."""
    jobs: list[SimulatedJob] = []
    whole = copy_of(jobs, 1, 0, 0)

    def send_half(update: Update) -> bytes:  # the third round's bound is smaller
        return write_update(np.frombuffer(whole(update)[-920:], np.int16) // 2)

    twists = {(2, COPIER): send_half, (3, 4): copy_of(jobs, 2, COPIER, 0)}
    job = make_learned_job(nodes=5, rounds=3, twists=twists, screening=replace(SCREENING, near_copy_rounds=1))
    jobs.append(job)
    for _ in range(3):
        job.play()
    rules = [decode_reasons(played.bundle.files[evidence.SCREENING])[1] for played in job.rounds]
    assert (rules[1][COPIER].rule, rules[2][4].rule) == (Rule.NEAR_COPY, Rule.RECYCLED)
    report = audit(job.id, make_sources(job), Scope(first=first))
    assert report.exit_code == 0, report.find(Outcome.FAIL)


def test_audit_that_begins_later_takes_what_was_copied_from_the_account_before() -> None:
    """Rounds that are skipped are known by their digests; their payloads are asked for where one is compared."""
    report = audit(play().id, make_sources(play()), Scope(first=3))
    assert report.exit_code == 0, report.find(Outcome.FAIL)


@pytest.mark.parametrize("first", [1, 3])
def test_earlier_payload_that_is_not_given_leaves_what_is_compared_with_it_unknown(first: int) -> None:
    sources = make_sources(play())
    assert isinstance(sources.evidence, SimulatedEvidence)
    opening = evidence.decode_openings(play().rounds[0].bundle.files[evidence.OPENINGS])[2]
    assert opening is not None
    del sources.evidence.blobs[opening.payload_sha256]
    report = audit(play().id, sources, Scope(first=first))
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)
    unknown = {result.round for result in report.find(Outcome.UNKNOWN) if result.check == "screening"}
    assert unknown == {number for number in (1, 2, 3) if number >= first}


def swap(items: list[dict[str, Any]]) -> None:
    items[0]["update"], items[2]["update"] = items[2]["update"], items[0]["update"]


def call_rubbish_accepted(items: list[dict[str, Any]]) -> None:
    items[5] = {"seq": 5, "verdict": 1, "rule": "accepted", "update": "0x" + "55" * 32, "normSquared": "4096"}


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (call_rubbish_accepted, "seq 5 is no update"),
        (lambda items: items[0].update(update="0x" + "55" * 32), "seq 0 holds another update"),
        (swap, "seq 0 holds another update"),
        (lambda items: items[2].update(normSquared="4096"), "seq 2 has a Σu² of"),
        # As if it were too small to be anybody's original.
        (lambda items: items[2].update(normSquared="1"), "seq 2 has a Σu² of"),
        (lambda items: items[2].pop("update"), "seq 2 holds another update"),
        (lambda items: items[2].update(normSquared="9" * 40), "seq 2 has a Σu² of"),
    ],
    ids=["rubbish", "no digest of any", "swapped", "another norm", "small", "without digest", "beyond all integers"],
)
def test_audit_that_begins_after_a_false_account_is_not_built_on_it(
    bend: Callable[[list[dict[str, Any]]], object], words: str
) -> None:
    account = json.loads(play().rounds[1].bundle.files[evidence.SCREENING])
    bend(account["contributions"])
    sources = change(play(), 2, {evidence.SCREENING: canonical.encode(account)})
    report = audit(play().id, sources, Scope(first=3))
    (screening,) = (one for one in report.results if (one.round, one.check) == (3, "screening"))
    assert screening.outcome is Outcome.UNKNOWN
    assert "round 2's screening.json is contradicted" in screening.detail
    assert words in screening.detail


@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_changed_value_of_the_account_fails_screening(number: int) -> None:
    """Whatever a coordinator writes there instead, signed and anchored."""
    content = play().rounds[number - 1].bundle.files[evidence.SCREENING]
    paths = list(walk(canonical.decode(content)))
    for path in paths[:: max(1, len(paths) // 12)]:
        sources = change(play(), number, {evidence.SCREENING: flip(content, path)})
        assert failed(audit(play().id, sources), number) == {"screening"}, path


@pytest.mark.parametrize(
    "bend",
    [
        lambda items: items.pop(),
        lambda items: items.reverse(),
        lambda items: items[3].pop("original"),
        lambda items: items[3].update(cosine="0.995000"),
        lambda items: items[0].update(rule="noise"),
        lambda items: items[0].update(why="because"),
    ],
    ids=["one less", "reversed", "without original", "another cosine", "another rule", "another member"],
)
def test_account_of_another_form_fails_screening(bend: Callable[[list[dict[str, Any]]], object]) -> None:
    account = json.loads(play().rounds[1].bundle.files[evidence.SCREENING])
    bend(account["contributions"])
    sources = change(play(), 2, {evidence.SCREENING: canonical.encode(account)})
    assert failed(audit(play().id, sources), 2) == {"screening"}


class FavouringJudge:
    """Learns honestly, but accepts the copier's near copies as if the job refused none."""

    def __init__(self, honest: DigitsJudge) -> None:
        self.honest = honest

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        return self.honest.make_payload(job, node)

    def judge(self, job: SimulatedJob, openings: Any, beacon: bytes) -> Any:
        spec = job.spec
        job.spec = replace(spec, screening=Screening(least_kurtosis=SCREENING.least_kurtosis))
        try:
            return self.honest.judge(job, openings, beacon)
        finally:
            job.spec = spec


def test_copy_that_a_coordinator_accepts_fails_screening() -> None:
    jobs: list[SimulatedJob] = []
    job = make_learned_job(nodes=4, rounds=2, twists={(2, COPIER): copy_of(jobs, 1, 0, 4)}, screening=SCREENING)
    jobs.append(job)
    assert isinstance(job.judge, DigitsJudge)
    job.judge = FavouringJudge(job.judge)
    job.play()
    job.play()
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 1
    found = [result for result in report.find(Outcome.FAIL) if result.check == "screening" and result.seq == COPIER]
    assert {result.round for result in found} == {2}
    assert any("expected a cosine of at most 0.99" in result.detail for result in found)


def explain_node(number: int, node: int) -> str:
    job = play()
    return "\n".join(explain(job.id, number, job.nodes[node].address, make_sources(job)).lines)


def test_near_copy_is_explained_with_its_original_and_cosine() -> None:
    text, reason = explain_node(3, 4), read(3)[4]
    assert f"its cosine with the update of {to_address(play().nodes[2].address)}, seq 2 of round 2" in text
    assert f"is {reason.cosine}; the job allows at most 0.99" in text
    assert f"Verdict {int(Verdict.RECYCLED)}, by the rule near-copy" in text


@pytest.mark.parametrize(
    ("number", "node", "words"),
    [
        (1, 0, "screening found nothing against it: Σu² is "),
        (1, 3, "its kurtosis is 1.000000, the job asks for at least 2.5, and noise has 3"),
        (1, 4, "all of its elements are equal"),
        (1, 5, "and the square of the round's norm bound is"),
        (2, 1, "no payload came before the reveal deadline"),
        (2, 4, "it has the same elements (SHA-256 0x"),
        (2, 5, "the payload is no safetensors file"),
    ],
)
def test_verdicts_are_explained_by_what_they_went_by(number: int, node: int, words: str) -> None:
    assert words in explain_node(number, node)


def test_account_that_the_header_does_not_sign_explains_nothing() -> None:
    job, sources = play(), make_sources(play())
    assert isinstance(sources.evidence, SimulatedEvidence)
    bundle = sources.evidence.rounds[2]
    for name in (evidence.SCREENING, evidence.MANIFEST):
        files = {**bundle.files, name: bundle.files[name].replace(b"near-copy", b"duplicate") + b" "}
        sources.evidence.rounds[2] = replace(bundle, files=files)
        with pytest.raises(VerificationError) as raised:
            explain(job.id, 2, job.nodes[3].address, sources)
        assert raised.value.check == "evidence-manifest"


def test_signed_account_that_contradicts_the_entry_explains_nothing() -> None:
    account = json.loads(play().rounds[1].bundle.files[evidence.SCREENING])
    account["contributions"][3]["verdict"] = int(Verdict.NORM)
    sources = change(play(), 2, {evidence.SCREENING: canonical.encode(account)})
    with pytest.raises(VerificationError) as raised:
        explain(play().id, 2, play().nodes[3].address, sources)
    assert raised.value.check == "screening"


def test_account_that_is_not_handed_out_is_said_so() -> None:
    sources = make_sources(play())
    assert isinstance(sources.evidence, SimulatedEvidence)
    bundle = sources.evidence.rounds[2]
    files = {name: content for name, content in bundle.files.items() if name != evidence.SCREENING}
    sources.evidence.rounds[2] = replace(bundle, files=files)
    lines = explain(play().id, 2, play().nodes[3].address, sources).lines
    assert any("screening.json was not handed out" in line for line in lines)
