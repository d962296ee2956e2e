"""Claims and escrow: every base unit that moved is one that a final entry had earned."""

from dataclasses import replace
from typing import Any

import pytest

from client.auditor.evidence.sources import ChainFacts, PaidClaim
from client.auditor.payments import audit_payments
from ledger.verify.results import Outcome, Result
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.sources import claim, make_facts, strike


def play() -> SimulatedJob:
    job = SimulatedJob(nodes=3, rounds=2)
    job.play()
    job.play()
    return job


def check(job: SimulatedJob, facts: ChainFacts) -> list[Result]:
    earned = {(entry.node, played.tally.round): entry.earned for played in job.rounds for entry in played.tally.entries}
    return audit_payments(facts, job.terms, earned, last=len(job.rounds))


def test_claims_of_what_was_earned_pass() -> None:
    job = play()
    first, second = claim(job, 1, 0), claim(job, 2, 1)
    again = claim(job, 2, 0, before=first.amount)
    results = check(job, make_facts(job, [first, second, again]))
    assert find(results, Outcome.PASS) == {"claims", "escrow"}


def test_no_claims_pass() -> None:
    job = play()
    assert find(check(job, make_facts(job)), Outcome.PASS) == {"claims", "escrow"}


@pytest.mark.parametrize(
    "change",
    [{"amount": 1}, {"earned": 1}, {"at": 0}, {"round": 2}],
    ids=["another amount", "another sum", "before finality", "another round"],
)
def test_claim_that_no_entry_earned_fails_claims(change: dict[str, Any]) -> None:
    job = play()
    honest = claim(job, 1, 0)
    lying: PaidClaim = replace(honest, **change)
    assert "claims" in find(check(job, make_facts(job, [lying])))


def test_same_earnings_claimed_twice_fail_claims() -> None:
    job = play()
    twice = [claim(job, 1, 0), claim(job, 1, 0)]
    assert "claims" in find(check(job, make_facts(job, twice)))


def test_claim_of_a_struck_round_fails_claims() -> None:
    job = play()
    facts = strike(make_facts(job, [claim(job, 2, 0)]), 2)
    assert "claims" in find(check(job, facts))


def test_sum_the_ledger_keeps_must_be_that_of_its_events() -> None:
    job = play()
    facts = make_facts(job, [claim(job, 1, 0)])
    assert find(check(job, replace(facts, claims=()))) == {"claims", "escrow"}


def test_claim_of_a_round_whose_entries_were_not_read_is_unknown() -> None:
    job = play()
    results = audit_payments(make_facts(job, [claim(job, 1, 0)]), job.terms, {}, last=2)
    assert find(results, Outcome.UNKNOWN) == {"claims"}


def test_claim_of_a_round_beyond_the_range_is_not_looked_at() -> None:
    job = play()
    earned = {(entry.node, 1): entry.earned for entry in job.rounds[0].tally.entries}
    results = audit_payments(make_facts(job, [claim(job, 2, 0)]), job.terms, earned, last=1)
    assert find(results, Outcome.PASS) == {"claims", "escrow"}


@pytest.mark.parametrize("part", ["funded", "paid", "payable", "free", "refunded", "burned"])
def test_escrow_that_does_not_add_up_fails_escrow(part: str) -> None:
    job = play()
    facts = make_facts(job)
    assert facts.account is not None
    change: dict[str, Any] = {part: getattr(facts.account, part) + 1}
    assert find(check(job, replace(facts, account=replace(facts.account, **change)))) == {"escrow"}


@pytest.mark.parametrize(
    "change",
    [
        {"requester": b"\1" * 20},
        {"coordinator": b"\1" * 20},
        {"token": b"\1" * 20},
        {"rounds": 9},
        {"budget_per_round": 9},
        {"window": 9},
        {"last_header": b"\1" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_job_kept_with_another_value_fails_escrow(change: dict[str, Any]) -> None:
    job = play()
    facts = make_facts(job)
    assert facts.kept is not None
    assert find(check(job, replace(facts, kept=replace(facts.kept, **change)))) == {"escrow"}


def test_job_opened_with_other_terms_fails_escrow() -> None:
    job = play()
    facts = replace(make_facts(job), terms=replace(job.terms, bond=1))
    assert find(check(job, facts)) == {"escrow"}


def test_rewards_that_the_ledger_sums_otherwise_fail_escrow() -> None:
    job = play()
    facts = make_facts(job)
    assert find(check(job, replace(facts, rewards=(facts.rewards[0] + 1, facts.rewards[1])))) == {"escrow"}
