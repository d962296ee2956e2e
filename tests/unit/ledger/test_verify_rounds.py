"""Rounds that lie: whatever the coordinator makes anew around a lie, the check that owns it fails."""

from dataclasses import replace
from typing import Any

import pytest

from ledger import evidence
from ledger.entry import Verdict
from ledger.verify.bundle import RoundFiles
from ledger.verify.results import Outcome
from tests.simulated.audit import CHANGES, audit_round, audit_rounds, change_file, cover, find, open_job, play_three
from tests.simulated.job import SimulatedJob
from tests.simulated.terms import OPENED_AT, draw_signer

ROUND = 2


def get_round() -> tuple[SimulatedJob, RoundFiles]:
    job = play_three()
    return job, job.rounds[ROUND - 1].bundle


@pytest.mark.parametrize("scoring_rule", ["aumann-shapley", "by-weight"])
def test_honest_job_passes(scoring_rule: str) -> None:
    assert find(audit_rounds(play_three(scoring_rule)), Outcome.PASS) == {
        r.check for r in audit_rounds(play_three(scoring_rule))
    }


def test_round_with_late_comers_voids_and_single_entries_passes() -> None:
    job = SimulatedJob(nodes=3, rounds=5)
    job.play(absent=[0, 2], hidden=[1])
    job.play(hidden=[0, 1])
    job.play(absent=[0])
    job.play(hidden=[0, 1, 2])
    job.play()
    assert [played.tally.entries[0].body.verdict == Verdict.VOID for played in job.rounds] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert find(audit_rounds(job), Outcome.PASS) == {result.check for result in audit_rounds(job)}


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        (evidence.CONTRIBUTIONS, "remove", "receipt-sequence"),
        (evidence.CONTRIBUTIONS, "reverse", "receipt-sequence"),
        (evidence.CONTRIBUTIONS, "repeat", "contribution-unique"),
        (evidence.RECEIPTS, "remove", "receipt-sequence"),
        (evidence.RECEIPTS, "repeat", "receipt-accumulator"),
        (evidence.RECEIPTS, "reverse", "receipt-accumulator"),
        (evidence.OPENINGS, "remove", "opening"),
        (evidence.OPENINGS, "append", "opening"),
        (evidence.OPENINGS, "reverse", "opening"),
        (evidence.OPENINGS, "erase", "verdict-unrevealed"),
        (evidence.ENTRIES, "remove", "entry-contribution"),
        (evidence.ENTRIES, "repeat", "entry-contribution"),
        (evidence.ENTRIES, "reverse", "entry-contribution"),
        (evidence.TREE + "/values", "remove", "tree-padding"),
        (evidence.TREE + "/values", "append", "tree-padding"),
        (evidence.TREE + "/tree", "remove", "tree-root"),
    ],
)
def test_item_removed_repeated_or_moved_fails_its_check(name: str, change: str, check: str) -> None:
    job, bundle = get_round()
    name, _, member = name.partition("/")

    def apply(value: Any) -> None:
        CHANGES[change](value[member] if member else value)

    changed = change_file(bundle, name, apply)
    failed = find(audit_round(job, ROUND, changed))
    assert {check, "evidence-manifest"} <= failed
    assert check in find(audit_round(job, ROUND, cover(job, ROUND, changed)))


@pytest.mark.parametrize(
    ("name", "check"),
    [
        (evidence.CONTRIBUTIONS, "contribution-fields"),
        (evidence.RECEIPTS, "receipt-sequence"),
        (evidence.CLOSING, "closing-accumulator"),
        (evidence.OPENINGS, "opening"),
        (evidence.ENTRIES, "entry-contribution"),
        (evidence.TREE, "tree-root"),
        (evidence.MANIFEST, "evidence-manifest"),
        (evidence.HEADER, "header-signature"),
    ],
)
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"files":[]}'])
def test_malformed_file_fails_the_check_that_owns_it(name: str, check: str, content: bytes) -> None:
    job, bundle = get_round()
    broken = replace(bundle, files={**bundle.files, name: content})
    assert check in find(audit_round(job, ROUND, broken))


@pytest.mark.parametrize("name", [*evidence.ALWAYS, evidence.AGGREGATE, evidence.MANIFEST, evidence.HEADER])
def test_file_that_was_not_given_leaves_its_checks_unknown(name: str) -> None:
    job, bundle = get_round()
    files = {other: content for other, content in bundle.files.items() if other != name}
    results = audit_round(job, ROUND, replace(bundle, files=files))
    assert not find(results)
    unknown = find(results, Outcome.UNKNOWN)
    assert unknown
    assert not unknown & find(results, Outcome.PASS)


def test_file_that_the_manifest_leaves_out_fails_evidence_manifest() -> None:
    job, bundle = get_round()
    more = replace(bundle, files={**bundle.files, "gradient.safetensors": b"?"})
    assert find(audit_round(job, ROUND, more)) == {"evidence-manifest"}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"next_model": b"\1" * 32}, None),  # only recomputation tells
        ({"base_model": b"\1" * 32}, "header-model"),
        ({"parent": b"\1" * 32}, "header-parent"),
        ({"closed_at": 1}, "header-parent"),
        ({"opened_at": OPENED_AT + 130}, "anchor-by"),
        ({"total_reward": 10**19}, "budget"),
        ({"total_weight": 1}, "header-totals"),
        ({"count": 4}, "header-totals"),
        ({"count": 9}, "proof-length"),
        ({"aggregate": b"\1" * 32}, "header-totals"),
        ({"beacon": bytes(32)}, "beacon"),
        ({"accumulator": b"\1" * 32}, "closing-accumulator"),
        ({"round": 3}, "header-signature"),
        ({"job": b"\1" * 32}, "header-signature"),
    ],
)
def test_header_that_lies_fails_the_check_that_owns_the_lie(change: dict[str, Any], check: str | None) -> None:
    job, bundle = get_round()
    header = replace(job.rounds[ROUND - 1].header.statement, **change)
    failed = find(audit_round(job, ROUND, job.seal(header, bundle.files)))
    assert failed >= ({check} if check else set())
    assert not failed & {"evidence-manifest", "anchor"}


def test_model_exchanged_between_rounds_fails_header_model_of_the_next() -> None:
    job = play_three()
    header = replace(job.rounds[ROUND - 1].header.statement, next_model=b"\1" * 32)
    bundles = [job.rounds[0].bundle, job.seal(header, job.rounds[1].bundle.files), job.rounds[2].bundle]
    failed = [result for result in audit_rounds(job, bundles) if result.outcome is Outcome.FAIL]
    assert {"header-model", "header-parent", "contribution-fields"} <= {one.check for one in failed if one.round == 3}


def test_statements_by_another_key_fail_their_signatures() -> None:
    honest = play_three()
    liar = SimulatedJob(nodes=5, rounds=3)
    liar.coordinator = draw_signer(liar.random)
    liar.play()
    failed = find(audit_round(honest, 1, liar.rounds[0].bundle))
    assert {"receipt-signature", "closing-signature", "header-signature"} <= failed
    acceptance = liar.job_files().acceptance
    results, _ = open_job(honest, replace(honest.job_files(), acceptance=acceptance))
    assert find(results) == {"acceptance-signature"}


def test_files_of_another_chain_fail_every_signature() -> None:
    job = play_three()
    _, audited = open_job(job)
    assert audited is not None
    elsewhere = SimulatedJob(nodes=5, rounds=3)
    elsewhere.domain = replace(job.domain, chain_id=1)
    results, _ = open_job(elsewhere, job.job_files())
    assert find(results) == {"acceptance-signature"}
    assert {"contribution-signature", "receipt-signature", "header-signature", "anchor"} <= find(
        audit_round(elsewhere, 1, job.rounds[0].bundle)
    )


def test_round_anchored_late_fails_anchor_by_and_struck_one_finality() -> None:
    job, bundle = get_round()
    assert bundle.anchored is not None
    late = replace(bundle.anchored, posted_at=bundle.anchored.posted_at + 10**6)
    assert {"anchor-by", "finality"} <= find(audit_round(job, ROUND, replace(bundle, anchored=late)))
    struck = replace(bundle, anchored=replace(bundle.anchored, struck=True))
    assert find(audit_round(job, ROUND, struck)) == {"finality"}


def test_round_that_is_not_on_chain_is_unknown_until_it_is_due() -> None:
    job, bundle = get_round()
    waiting = replace(bundle, anchored=None)
    results = audit_round(job, ROUND, waiting)
    assert not find(results)
    assert find(results, Outcome.UNKNOWN) == {"anchor", "finality"}
    job.opened_at += 10**6
    try:
        assert find(audit_round(job, ROUND, waiting)) == {"anchor-by"}
    finally:
        job.opened_at -= 10**6


def test_rounds_after_an_unreadable_one_say_what_they_cannot_know() -> None:
    job = play_three()
    broken = replace(job.rounds[0].bundle, files={})
    results = audit_rounds(job, [broken, *(played.bundle for played in job.rounds[1:])])
    assert not find(results)
    unknown = {(result.round, result.check) for result in results if result.outcome is Outcome.UNKNOWN}
    assert {(2, "header-parent"), (2, "header-model"), (2, "carry")} <= unknown
    assert (3, "header-parent") not in unknown


def test_contradictions_beyond_those_shown_are_counted() -> None:
    job = SimulatedJob(nodes=40, rounds=1)
    played = job.play()

    def unsign(items: Any) -> None:
        for item in items:
            item["statement"]["samples"] += 1

    results = audit_round(job, 1, change_file(played.bundle, evidence.CONTRIBUTIONS, unsign))
    failed = [result for result in results if result.check == "contribution-signature"]
    assert len(failed) == 21
    assert failed[-1].items == 20
