"""Audits of simulated jobs that really learned: honest ones pass, each lie of the learning fails its own check."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from client.auditor import Scope, audit
from client.auditor.checks import ALL_CHECKS, RECOMPUTED_CHECKS
from client.auditor.evidence.sources import NoSuchJob, Sources
from client.auditor.scope import NoSuchRound
from learning.evidence import OutcomeAccount
from learning.payload import write_update
from learning.tensors import ArrayType, read_arrays, write_arrays
from ledger import evidence
from ledger.commitment import Opening
from ledger.entry import Verdict
from ledger.hashing import sha256
from ledger.verify.results import Outcome
from tests.simulated.audit import find, flip
from tests.simulated.job import SimulatedJob
from tests.simulated.judge import Judge, Judged
from tests.simulated.learned import make_learned_job
from tests.simulated.sources import SimulatedChain, SimulatedEvidence, make_evidence, make_facts, make_sources
from tests.unit.client.auditor.learned_jobs import change, failed, play, resign


@cache
def play_by_weight() -> SimulatedJob:
    job = make_learned_job(rounds=2, scoring_rule="by-weight")
    job.play()
    job.play(hidden=[0])
    return job


@pytest.mark.parametrize("played", [play, play_by_weight], ids=["aumann-shapley", "by-weight"])
def test_honest_job_passes_every_check(played: Callable[[], SimulatedJob]) -> None:
    job = played()
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 0
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)


def test_simulated_job_holds_what_it_is_meant_to() -> None:
    verdicts = [[entry.body.verdict for entry in played.tally.entries] for played in play().rounds]
    assert verdicts == [
        [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.UNREVEALED],
        [Verdict.ACCEPTED, Verdict.MALFORMED, Verdict.ACCEPTED, Verdict.ACCEPTED],
        [Verdict.VOID] * 4,
        [Verdict.ACCEPTED] * 4,
    ]
    assert play().rounds[0].tally.entries[2].earned == 0


def test_two_threads_find_the_same() -> None:
    one, two = (audit(play().id, make_sources(play()), Scope(threads=threads)) for threads in (1, 2))
    assert one.results == two.results


@pytest.mark.parametrize("at", [0, 9, 80, -1])
def test_flipped_byte_of_any_payload_fails_payload_digest(at: int) -> None:
    job = play()
    for digest, payload in job.rounds[1].payloads.items():
        source, flipped = make_evidence(job), bytearray(payload)
        flipped[at] ^= 1
        source.blobs[digest] = bytes(flipped)
        report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))), Scope(first=2, last=2))
        assert failed(report, 2) == {"payload-digest"}
        assert report.exit_code == 1


@pytest.mark.parametrize(("name", "check"), [(evidence.AGGREGATE, "aggregate"), (evidence.MOMENTUM, "next-model")])
def test_array_with_one_other_number_fails_its_check(name: str, check: str) -> None:
    job = play()
    content = bytearray(job.rounds[0].bundle.files[name])
    content[-3] ^= 1
    assert failed(audit(job.id, change(job, 1, {name: bytes(content)})), 1) == {check}


def test_gradient_within_the_tolerance_changes_scores_and_not_the_gradient() -> None:
    """Scores must follow exactly from the gradient that was published, whatever it is."""
    job = play()
    report = audit(job.id, change(job, 1, {evidence.GRADIENT: bend_gradient(job, by=3)}))
    assert failed(report, 1) == {"scores"}


def test_gradient_beyond_the_tolerance_fails_gradient() -> None:
    job = play()
    report = audit(job.id, change(job, 1, {evidence.GRADIENT: bend_gradient(job, by=500)}))
    assert {"gradient", "scores"} <= failed(report, 1)


def test_malformed_gradient_fails_gradient_and_leaves_scores_unknown() -> None:
    job = play()
    report = audit(job.id, change(job, 1, {evidence.GRADIENT: b"?" * 20}))
    assert failed(report, 1) == {"gradient"}
    assert "scores" in {one.check for one in report.find(Outcome.UNKNOWN) if one.round == 1}


@pytest.mark.parametrize(
    ("member", "check"),
    [("clip", "outcome"), ("nextClip", "outcome"), ("halvings", "outcome"), ("sampleDigest", "sample")],
)
def test_flipped_value_of_the_outcome_fails_its_check(member: str, check: str) -> None:
    job = play()
    content = flip(job.rounds[0].bundle.files[evidence.OUTCOME], (member,))
    assert check in failed(audit(job.id, change(job, 1, {evidence.OUTCOME: content})), 1)


@pytest.mark.parametrize(
    "changes", [{"loss_before": "0.100000000"}, {"loss_after": None}, {"void": "too-few"}], ids=str
)
def test_outcome_that_tells_another_story_fails_outcome(changes: dict[str, str | None]) -> None:
    job = play()
    account = OutcomeAccount.from_bytes(job.rounds[0].bundle.files[evidence.OUTCOME])
    if "void" in changes:
        other = OutcomeAccount.from_bytes(job.rounds[2].bundle.files[evidence.OUTCOME])
        content = replace(account, void=other.void).to_bytes()
    else:
        content = replace(account, **changes).to_bytes()  # type: ignore[arg-type]  # a loss or none
    assert failed(audit(job.id, change(job, 1, {evidence.OUTCOME: content})), 1) == {"outcome"}


def test_published_model_that_nobody_trained_fails_next_model() -> None:
    job = play()
    header = replace(job.rounds[3].header.statement, next_model=sha256(b"another"))
    report = audit(job.id, resign(job, job.seal(header, job.rounds[3].bundle.files)))
    assert failed(report, 4) == {"next-model"}


def test_base_model_handed_out_with_other_bytes_fails_next_model() -> None:
    job, source = play(), make_evidence(play())
    digest = job.rounds[1].header.statement.base_model
    source.blobs[digest] = source.blobs[digest][:-1] + b"\1"
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert (failed(report, 1), failed(report, 2)) == ({"next-model"}, set())


def test_models_that_nobody_hands_out_are_made_by_the_auditor() -> None:
    job, source = play(), make_evidence(play())
    for played in job.rounds:
        if played.header.statement.next_model != job.spec.initial_model:
            source.blobs.pop(played.header.statement.next_model, None)
    assert audit(job.id, Sources(source, SimulatedChain(make_facts(job)))).exit_code == 0


def test_missing_payloads_are_unknown_and_later_rounds_say_so() -> None:
    job, source = play(), make_evidence(play())
    for digest in job.rounds[0].payloads:
        del source.blobs[digest]
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert not report.find(Outcome.FAIL)
    unknown = {(result.round, result.check) for result in report.find(Outcome.UNKNOWN)}
    assert unknown == {(1, check) for check in RECOMPUTED_CHECKS}
    later = next(result for result in report.results if (result.round, result.check) == (2, "scores"))
    assert "from the state that round 1 published" in later.detail
    assert report.exit_code == 3


def test_missing_validation_file_leaves_recomputation_unknown() -> None:
    job, source = play(), make_evidence(play())
    assert job.spec.validation is not None
    del source.blobs[job.spec.validation]
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert find(report.results, Outcome.UNKNOWN) == set(RECOMPUTED_CHECKS)
    assert report.exit_code == 3


def test_array_that_was_not_handed_out_is_unknown_not_false() -> None:
    job, source = play(), make_evidence(play())
    bundle = source.rounds[1]
    files = {name: content for name, content in bundle.files.items() if name != evidence.GRADIENT}
    source.rounds[1] = replace(bundle, files=files)
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert not report.find(Outcome.FAIL)
    assert report.exit_code == 3


def test_unasked_recomputation_is_not_required() -> None:
    source = make_evidence(play())
    report = audit(play().id, Sources(source, SimulatedChain(make_facts(play()))), Scope(recompute=False))
    assert report.exit_code == 0
    assert find(report.results, Outcome.UNKNOWN) == set(RECOMPUTED_CHECKS)
    assert not source.asked


def test_range_of_rounds_reports_on_these_and_takes_the_state_before_as_published() -> None:
    source = make_evidence(play())
    report = audit(play().id, Sources(source, SimulatedChain(make_facts(play()))), Scope(first=3, last=4))
    assert report.exit_code == 0
    assert {result.round for result in report.results} == {None, 3, 4}
    assert not set(play().rounds[0].payloads) & set(source.asked)


def test_rounds_that_are_not_on_chain_are_wrong_use() -> None:
    with pytest.raises(NoSuchRound, match="from 1 to 4, which are on chain or signed, got 5 to 6"):
        audit(play().id, make_sources(play()), Scope(first=5, last=6))


def test_job_that_the_ledger_never_opened_is_wrong_use() -> None:
    facts = replace(make_facts(play()), kept=None)
    with pytest.raises(NoSuchJob, match="not opened up to block 1000"):
        audit(play().id, Sources(make_evidence(play()), SimulatedChain(facts)))


def test_job_without_rounds_is_not_checked() -> None:
    job = make_learned_job()
    report = audit(job.id, make_sources(job))
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)


def test_job_files_that_are_not_given_leave_everything_unknown() -> None:
    source: SimulatedEvidence = make_evidence(play())
    source.job_files = replace(source.job_files, spec=None)
    report = audit(play().id, Sources(source, SimulatedChain(make_facts(play()))))
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)
    assert find(report.results, Outcome.PASS) == {
        "job-id",
        "acceptance-signature",
        "claims",
        "escrow",
        "chain-proof",
        "trust",
    }


def test_entries_handed_out_with_a_wrong_proof_fail_proof_length() -> None:
    job, source = play(), make_evidence(play())
    node = job.rounds[1].tally.entries[0].node
    source.replies[(2, node)] = job.hand_out(2, 0)
    assert audit(job.id, Sources(source, SimulatedChain(make_facts(job)))).exit_code == 0
    source.replies[(2, node)] = job.hand_out(1, 0)
    report = audit(job.id, Sources(source, SimulatedChain(make_facts(job))))
    assert failed(report, 2) == {"proof-length"}


def test_refused_duplicate_passes_and_its_acceptance_would_not() -> None:
    copied: list[bytes] = []

    def keep(update: np.ndarray) -> bytes:
        copied.append(write_update(update))
        return copied[0]

    job = make_learned_job(rounds=1, twists={(1, 0): keep, (1, 1): keep})
    job.play()
    assert job.rounds[0].tally.entries[1].body.verdict == Verdict.DUPLICATE
    assert audit(job.id, make_sources(job)).exit_code == 0


def bend_gradient(job: SimulatedJob, by: int) -> bytes:
    """The published gradient with every element a little larger."""
    content = job.rounds[0].bundle.files[evidence.GRADIENT]
    values = read_arrays(content, {"gradient": ArrayType("I32", (None,))}, "gradient", len(content))["gradient"]
    return write_arrays({"gradient": (values + by * (np.abs(values) < 2**22)).astype(np.int32)})


class RefusingJudge:
    """Learns honestly and refuses the first update for its norm all the same."""

    def __init__(self, honest: Judge) -> None:
        self.honest = honest

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        return self.honest.make_payload(job, node)

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        judged = self.honest.judge(job, openings, beacon)
        return replace(judged, verdicts=[(Verdict.NORM, 0, 0), *judged.verdicts[1:]])


def test_update_that_was_refused_without_reason_fails_screening() -> None:
    job = make_learned_job(rounds=1)
    job.judge = RefusingJudge(job.judge)
    job.play()
    assert "screening" in failed(audit(job.id, make_sources(job)), 1)
