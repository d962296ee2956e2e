"""What an audit makes of rounds after a lie, of rounds that are not on chain yet, and of who was paid what."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from rich.console import Console

from client.auditor import Scope, audit
from client.auditor.evidence.sources import Sources
from client.auditor.report import Report
from client.auditor.screen import build_dues, conclude
from learning.tensors import write_model
from ledger import canonical, evidence
from ledger.commitment import Opening
from ledger.entry import Standing, Verdict
from ledger.hashing import sha256
from ledger.tally import Judgement, compute_tally
from ledger.verify.results import Outcome
from tests.simulated.job import SimulatedJob
from tests.simulated.judge import Judged
from tests.simulated.learned import DigitsJudge, make_learned_job
from tests.simulated.sources import SimulatedChain, SimulatedEvidence, make_evidence, make_facts, make_sources
from tests.unit.client.auditor.learned_jobs import change, failed, play, resign


class BendingJudge:
    """Learns honestly, but the model of one round is not the one that follows: later rounds go on from it."""

    def __init__(self, honest: DigitsJudge, number: int) -> None:
        self.honest, self.number = honest, number

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        return self.honest.make_payload(job, node)

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        judged = self.honest.judge(job, openings, beacon)
        if len(job.rounds) + 1 != self.number:
            return judged
        bent = self.honest.base.copy()
        bent[0] += 1
        content = write_model(self.honest.digits.task.layout, bent)
        moved = bent.astype(np.float64) - self.honest.base.astype(np.float64)
        state = self.honest.state
        # The liar goes on from its lie: model, and the public direction that follows from it.
        self.honest.state = replace(state, moves=(state.moves[0] + moved, *state.moves[1:]))
        self.honest.base = bent
        job.blobs[sha256(content)] = content
        return replace(judged, next_model=sha256(content))


@cache
def play_bent() -> SimulatedJob:
    job = make_learned_job(rounds=3)
    assert isinstance(job.judge, DigitsJudge)
    job.judge = BendingJudge(job.judge, 2)
    for _ in range(3):
        job.play()
    return job


def test_lie_of_one_round_fails_there_and_later_rounds_are_judged_from_what_they_state() -> None:
    """Without this, everything after the first lie would look false, and nobody could tell what is."""
    job = play_bent()
    report = audit(job.id, make_sources(job))
    assert (failed(report, 1), failed(report, 2), failed(report, 3)) == (set(), {"next-model"}, set())
    assert report.first_failing == 2
    later = next(result for result in report.results if (result.round, result.check) == (3, "scores"))
    assert "from the state that round 2 stated, which is contradicted" in later.detail


def test_state_that_nobody_can_read_leaves_later_rounds_unknown_and_names_the_round() -> None:
    job = play()
    report = audit(job.id, change(job, 1, {evidence.OUTCOME: b"{}"}))
    assert "outcome" in failed(report, 1)
    unknown = next(one for one in report.find(Outcome.UNKNOWN) if (one.round, one.check) == (2, "scores"))
    assert "the state after round 1 is not known" in unknown.detail


def pend(job: SimulatedJob, posted: int) -> Sources:
    """The job when the last rounds are signed and not on chain yet."""
    facts = make_facts(job)
    assert facts.kept is not None
    assert facts.account is not None
    last = facts.rounds[posted - 1].header if posted else None
    kept = replace(facts.kept, last_header=last.digest(job.domain) if last else job.id)
    earned = sum(played.tally.totals.reward for played in job.rounds[:posted])
    account = replace(facts.account, payable=earned, free=facts.account.funded - earned)
    at = job.rounds[posted].header.statement.closed_at + 1
    changed = replace(
        facts, rounds=facts.rounds[:posted], rewards=facts.rewards[:posted], kept=kept, account=account, at=at
    )
    return Sources(make_evidence(job), SimulatedChain(changed))


def test_signed_rounds_that_are_not_on_chain_are_verified_and_marked() -> None:
    report = audit(play().id, pend(play(), posted=2))
    assert (report.exit_code, report.last, list(report.pending)) == (0, 4, [3, 4])
    assert "rounds 3 to 4 are not anchored yet" in conclude(report)
    unknown = {(result.round, result.check) for result in report.find(Outcome.UNKNOWN)}
    assert unknown == {(number, check) for number in (3, 4) for check in ("anchor", "finality")}
    assert report.summarise("anchor")[0] is Outcome.PASS


def test_lie_in_a_signed_round_that_is_not_on_chain_is_found() -> None:
    job, sources = play(), pend(play(), posted=2)
    assert isinstance(sources.evidence, SimulatedEvidence)
    header = replace(job.rounds[3].header.statement, next_model=sha256(b"another"))
    sources.evidence.rounds[4] = job.seal(header, job.rounds[3].bundle.files)
    report = audit(job.id, sources)
    assert failed(report, 4) == {"next-model"}
    assert report.exit_code == 1


def test_signed_round_that_is_not_on_chain_when_it_was_promised_fails_anchor_by() -> None:
    job, sources = play(), pend(play(), posted=2)
    assert isinstance(sources.chain, SimulatedChain)
    sources.chain.facts = replace(sources.chain.facts, at=job.opened_at + 100_000)
    assert failed(audit(job.id, sources), 3) == {"anchor-by"}


def test_job_of_which_nothing_is_on_chain_yet_is_not_checked() -> None:
    report = audit(play().id, pend(play(), posted=0))
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)


def test_nothing_more_is_expected_of_a_job_that_was_halted() -> None:
    job, sources = play(), pend(play(), posted=2)
    assert isinstance(sources.chain, SimulatedChain)
    facts = sources.chain.facts
    assert facts.kept is not None
    sources.chain.facts = replace(facts, kept=replace(facts.kept, halted=3))
    assert audit(job.id, sources).last == 2


class Boasting(SimulatedEvidence):
    """Says that a thousand million rounds are signed."""

    def count_rounds(self, job: bytes) -> int:
        return 10**9 if job else 0


def test_coordinator_that_claims_endless_rounds_is_asked_for_no_more_than_the_terms_cover() -> None:
    job, sources = play(), pend(play(), posted=2)
    assert isinstance(sources.evidence, SimulatedEvidence)
    sources = replace(sources, evidence=Boasting(**vars(sources.evidence)))
    assert audit(job.id, sources).last == job.terms.rounds


def test_signed_round_that_is_not_handed_out_is_unknown_and_nothing_is_asked_beyond() -> None:
    job, sources = play(), pend(play(), posted=2)
    assert isinstance(sources.evidence, SimulatedEvidence)
    sources.evidence.rounds[3] = replace(sources.evidence.rounds[3], files={})
    report = audit(job.id, sources)
    assert (report.exit_code, report.last) == (3, 3)
    assert not report.find(Outcome.FAIL)


def test_honest_pay_leaves_no_rows() -> None:
    assert audit(play().id, make_sources(play())).dues == ()


def pay(job: SimulatedJob, scores: Mapping[int, int], number: int = 2) -> Sources:
    """The sources when a round's scores are raised by seq, and everything else follows from these."""
    played = job.rounds[number - 1]
    judgements = [
        Judgement(
            entry.node,
            entry.body.contribution,
            entry.body.signatures,
            Verdict(entry.body.verdict),
            entry.body.weight,
            entry.body.score + scores.get(entry.seq, 0),
        )
        for entry in played.tally.entries
    ]
    before: dict[bytes, Standing] = {}
    for earlier in job.rounds[: number - 1]:
        before |= earlier.tally.standings()
    tally = compute_tally(job.terms.budget_per_round, job.terms.price_per_nat, judgements, before, number)
    totals = tally.totals
    header = replace(
        played.header.statement,
        entries_root=tally.tree().root,
        total_score=totals.score,
        total_gain=totals.gain,
        total_reward=totals.reward,
    )
    files = {
        **played.bundle.files,
        evidence.ENTRIES: evidence.encode_entries(tally.entries),
        evidence.TREE: canonical.encode(tally.tree().dump()),
    }
    return resign(job, job.seal(header, files))


def test_who_would_have_been_paid_what_is_told_of_false_scores() -> None:
    job, raised = play(), 1 << 36
    report = audit(job.id, pay(job, {0: raised}))
    assert failed(report, 2) == {"scores"}
    rows = {due.node: due for due in report.dues if due.round == 2}
    for entry in job.rounds[1].tally.entries:
        if entry.node in rows:
            due = rows[entry.node]
            assert (due.due, due.earned_due, due.basis) == (entry.body.reward, entry.earned, "recomputed scores")
    first = job.rounds[1].tally.entries[0]
    assert rows[first.node].signed > first.body.reward
    assert "Paid otherwise than follows" in render(report)


def test_formulas_of_pay_are_followed_from_published_scores_where_nothing_is_recomputed() -> None:
    job = play()
    report = audit(job.id, pay(job, {0: 1 << 36}), Scope(recompute=False))
    assert [due for due in report.dues if due.round == 2] == []
    bent = change(job, 2, {evidence.ENTRIES: bend_reward(job)})
    rows = [due for due in audit(job.id, bent, Scope(recompute=False)).dues if due.round == 2]
    assert [(due.signed - due.due, due.basis) for due in rows] == [(5, "published scores")]


def bend_reward(job: SimulatedJob) -> bytes:
    entries = list(job.rounds[1].tally.entries)
    first = entries[0]
    entries[0] = replace(first, earned=first.earned + 5, body=replace(first.body, reward=first.body.reward + 5))
    return evidence.encode_entries(entries)


def render(report: Report) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(build_dues(report))
    return console.export_text()
