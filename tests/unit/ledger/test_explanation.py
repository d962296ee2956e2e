"""The sentences of an entry: each number in its place, and why nothing is paid when nothing is."""

from dataclasses import replace
from typing import Any

import pytest

from ledger.entry import Entry
from ledger.explanation import explain_entry, follows_formula
from ledger.statements import RoundHeader, Terms
from tests.simulated.job import SimulatedJob


@pytest.fixture(scope="module")
def job() -> SimulatedJob:
    job = SimulatedJob(nodes=5, rounds=2)
    for _ in range(2):
        job.play()
    return job


def read(job: SimulatedJob, number: int = 2) -> tuple[Entry, RoundHeader, Terms]:
    """The best paid entry of a round."""
    played = job.rounds[number - 1]
    entry = max(played.tally.entries, key=lambda one: one.body.reward)
    return entry, played.header.statement, job.terms


def tell(entry: Entry, header: RoundHeader, terms: Terms) -> str:
    return "\n".join(explain_entry(entry, header, terms, None, lambda amount: f"{amount} whole"))


def change(entry: Entry, **fields: Any) -> Entry:
    return replace(entry, body=replace(entry.body, **fields))


def test_every_number_of_a_paid_entry_is_told(job: SimulatedJob) -> None:
    entry, header, terms = read(job)
    body, text = entry.body, tell(entry, header, terms)
    assert body.reward > 0
    assert f"Contribution {entry.seq + 1} of {header.count} in round 2: accepted." in text
    assert f"Weight {body.weight} of {header.total_weight}" in text
    assert f"= {body.reward} base units, which is {body.reward} whole" in text
    assert f"· {body.gain} / {header.total_gain})" in text
    assert f"Earned in this job: {entry.earned - body.reward} whole before, {entry.earned} whole now." in text
    assert "(from round 1)" in text
    assert "(from no round before)" in tell(*read(job, 1))
    assert "is not told: screening.json was not handed out" in text
    assert follows_formula(entry, header, terms)
    assert not follows_formula(change(entry, reward=body.reward + 1), header, terms)


def test_base_units_are_told_once(job: SimulatedJob) -> None:
    entry, header, terms = read(job)
    lines = explain_entry(entry, header, terms, None)
    assert not any("which is" in line for line in lines)


def test_why_nothing_is_paid(job: SimulatedJob) -> None:
    entry, header, terms = read(job)
    poor = change(entry, gain=0, reward=0)
    assert "reached no new peak; what was lost before is paid back first" in tell(poor, header, terms)
    assert "nobody's credit reached a new peak" in tell(poor, replace(header, total_gain=0), terms)


def test_loss_is_subtracted_and_a_round_that_lost_pays_nothing(job: SimulatedJob) -> None:
    entry, header, terms = read(job)
    before = entry.body.credit - entry.body.score
    fallen = change(entry, score=-(1 << 40), credit=before - (1 << 40), gain=0, reward=0)
    text = tell(fallen, replace(header, total_score=-(1 << 40), total_gain=0), terms)
    assert "− 1.000000 nats" in text
    assert "The round's pot is 0 whole" in text
    assert "%" not in text, "no share of a negative whole"


def test_verdict_of_a_later_version_is_named_by_its_number(job: SimulatedJob) -> None:
    entry, header, terms = read(job)
    assert "unknown verdict 200." in tell(change(entry, verdict=200), header, terms)
