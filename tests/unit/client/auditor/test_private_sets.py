"""A private validation set: what an outsider can still check, which lies it sees even then, a holder's audit."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from client.auditor import Sources, audit
from client.auditor.bundling import Bundling
from client.auditor.evidence.blobs import Blobs
from client.auditor.learning.recompute import Recomputation
from client.auditor.report import Report
from client.auditor.scope import Scope
from client.auditor.watch.archive import Archive
from client.auditor.watch.place import WatchedRound
from client.auditor.watch.verifying import RoundVerifier
from learning.payload import write_update
from learning.quantise import Update
from ledger import canonical, evidence
from ledger.verify.results import Outcome
from tests.simulated.audit import change_file, find, open_job
from tests.simulated.job import OPENED_BLOCK, SimulatedJob
from tests.simulated.learned import make_learned_job, send_zero
from tests.simulated.sources import SimulatedChain, SimulatedEvidence, make_evidence, make_facts, make_registry

UNSEEN = {"sample", "outcome", "gradient", "scores", "evidence-manifest"}


@cache
def play() -> SimulatedJob:
    """Three rounds, one with an unrevealed and one with a zero update. Played once: never change."""
    job = make_learned_job(nodes=4, rounds=4, twists={(2, 1): send_zero}, holders=(b"\x11" * 20,))
    job.play()
    job.play(hidden=[3])
    job.play()
    return job


def keep_back(job: SimulatedJob) -> SimulatedEvidence:
    """What the coordinator hands to everybody before the job ends."""
    source = make_evidence(job)
    assert job.spec.validation is not None
    del source.blobs[job.spec.validation]
    for number, bundle in source.rounds.items():
        shown = {name: content for name, content in bundle.files.items() if name not in evidence.PRIVATE}
        source.rounds[number] = replace(bundle, files=shown)
    return source


def audit_outside(files: Mapping[str, bytes] | None = None, number: int = 2, scope: Scope | None = None) -> Report:
    """An outsider's audit, perhaps of a round that was signed over other files."""
    job = play()
    source, facts = keep_back(job), make_facts(job)
    if files is not None:
        played = job.rounds[number - 1]
        bundle = job.seal(played.header.statement, {**played.bundle.files, **files})
        shown = {name: content for name, content in bundle.files.items() if name not in evidence.PRIVATE}
        source.rounds[number] = replace(bundle, files=shown)
        posted = list(facts.rounds)
        assert bundle.anchored is not None
        posted[number - 1] = replace(posted[number - 1], anchored=bundle.anchored)
        facts = replace(facts, rounds=tuple(posted))
    return audit(job.id, Sources(source, SimulatedChain(facts)), scope)


def test_outsider_checks_all_but_what_the_set_decides_and_never_passes() -> None:
    report = audit_outside()
    assert find(report.results, Outcome.FAIL) == set()
    assert find(report.results, Outcome.UNKNOWN) == UNSEEN
    assert {"payload-digest", "screening", "aggregate", "next-model", "header-signature", "reward-formula"} <= find(
        report.results, Outcome.PASS
    )
    assert report.exit_code == 3
    unknown = [result for result in report.find(Outcome.UNKNOWN) if result.check != "evidence-manifest"]
    assert {result.detail for result in unknown} == {"the validation set is private until the job ends"}
    step = [result for result in report.results if result.check == "next-model"]
    assert all("as the account says" in result.detail for result in step)


def test_holder_checks_everything_at_once() -> None:
    job = play()
    report = audit(job.id, Sources(make_evidence(job), SimulatedChain(make_facts(job))))
    assert report.exit_code == 0


def test_outsider_begins_in_the_middle() -> None:
    report = audit_outside(scope=Scope(first=3))
    assert find(report.results, Outcome.FAIL) == set()
    assert "next-model" in find(report.results, Outcome.PASS)


@pytest.mark.parametrize(
    ("name", "check"),
    [(evidence.AGGREGATE, "aggregate"), (evidence.MOMENTUM, "next-model")],
)
def test_outsider_finds_a_false_sum_or_step(name: str, check: str) -> None:
    content = bytearray(play().rounds[1].bundle.files[name])
    content[-3] ^= 1
    assert check in find(audit_outside({name: bytes(content)}).results)


@pytest.mark.parametrize(
    ("member", "value", "check"),
    [
        ("nextClip", 9_999, "outcome"),
        ("halvings", 3, "next-model"),
        ("halvings", 9, "outcome"),
        ("void", "too-few", "outcome"),
    ],
)
def test_outsider_finds_an_account_that_does_not_fit_the_updates(member: str, value: object, check: str) -> None:
    bundle = change_file(play().rounds[1].bundle, evidence.OUTCOME, lambda account: {**account, member: value})
    report = audit_outside({evidence.OUTCOME: bundle.files[evidence.OUTCOME]})
    assert check in find(report.results)
    assert report.exit_code == 1


def test_outsider_finds_a_verdict_against_the_rules() -> None:
    def refuse(entries: list[dict[str, dict[str, int]]]) -> None:
        entries[0]["body"]["verdict"] = 5

    bundle = change_file(play().rounds[1].bundle, evidence.ENTRIES, refuse)
    assert "screening" in find(audit_outside({evidence.ENTRIES: bundle.files[evidence.ENTRIES]}).results)


def test_round_whose_loss_is_said_not_to_have_fallen_keeps_its_model() -> None:
    job = play()
    account = canonical.decode(job.rounds[1].bundle.files[evidence.OUTCOME])
    assert isinstance(account, dict)
    said = {**account, "void": "loss-did-not-fall", "scale": None}
    report = audit_outside({evidence.OUTCOME: canonical.encode(said)})
    assert "next-model" in find(report.results)


def test_bundle_made_before_the_end_says_what_it_lacks(tmp_path: Path) -> None:
    job = play()
    bundling = Bundling(job.id, keep_back(job), tmp_path)
    bundling.collect(3)
    assert job.spec.validation is not None
    assert bundling.missing == [
        f"the validation file (private until the job ends), {job.spec.validation.hex()}",
        *(f"rounds/{number:06d}/gradient.safetensors (private until the job ends)" for number in (1, 2, 3)),
    ]


def test_watchtower_waits_for_no_file_that_comes_after_its_window(tmp_path: Path) -> None:
    """All that may be had is had: the round is verified and recomputed at once, and stays unknown."""
    job = play()
    source, archive = keep_back(job), Archive(tmp_path / "watch")
    _, audited = open_job(job)
    assert audited is not None
    (tmp_path / "blobs").mkdir()
    recomputation = Recomputation(audited, Blobs(source, tmp_path / "blobs"))
    verifier = RoundVerifier(audited, archive, recomputation, read_registry=lambda: make_registry(job))
    for number, played in enumerate(job.rounds, start=1):
        archive.save_round(number, source.rounds[number].files, {})
        anchored = played.bundle.anchored
        assert anchored is not None
        times = (anchored.final_at, anchored.window_end, anchored.posted_at, OPENED_BLOCK + number + 1)
        verified = verifier.verify(WatchedRound(played.header.statement, *times), job.as_of)
        assert verified.complete
        results = [*verified.results, *verifier.recompute(number)]
        assert find(results, Outcome.FAIL) == set()
        assert find(results, Outcome.UNKNOWN) == UNSEEN
        assert "cohort-population" in find(results, Outcome.PASS)


@cache
def play_overshot() -> SimulatedJob:
    """Four rounds; in the second every node sends the opposite of what it learned, and no rate brings the loss down."""
    away = {(2, node): send_opposite for node in range(4)}
    job = make_learned_job(nodes=4, rounds=4, twists=away, holders=(b"\x11" * 20,))
    for _ in range(4):
        job.play()
    return job


def send_opposite(update: Update) -> bytes:
    """What was learned, backwards."""
    return write_update(-update)


def test_outsider_follows_a_step_that_overshot() -> None:
    """The momentum goes with it, as the account alone tells."""
    job = play_overshot()
    assert b"loss-did-not-fall" in job.rounds[1].bundle.files[evidence.OUTCOME]
    report = audit(job.id, Sources(keep_back(job), SimulatedChain(make_facts(job))))
    assert find(report.results, Outcome.FAIL) == set()
