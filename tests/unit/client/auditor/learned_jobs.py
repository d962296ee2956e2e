"""A job that really learned, and what a coordinator can do to it: what the tests of audits share."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from client.auditor.evidence.sources import Sources
from client.auditor.report import Report
from ledger.verify.bundle import RoundFiles
from ledger.verify.results import Outcome
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job, send_rubbish, send_zero
from tests.simulated.sources import SimulatedChain, make_evidence, make_facts


@cache
def play() -> SimulatedJob:
    """Four rounds: a zero update and an unrevealed one, rubbish, a void round, an ordinary one. Never change it."""
    job = make_learned_job(rounds=4, twists={(1, 2): send_zero, (2, 1): send_rubbish})
    job.play(hidden=[3])
    job.play()
    job.play(hidden=[0, 1, 2])
    job.play()
    return job


def change(job: SimulatedJob, number: int, files: Mapping[str, bytes]) -> Sources:
    """The sources when the coordinator signs and anchors other files of one round, and an honest history after it."""
    played = job.rounds[number - 1]
    bundle = job.seal(played.header.statement, {**played.bundle.files, **files})
    return resign(job, bundle)


def resign(job: SimulatedJob, bundle: RoundFiles) -> Sources:
    source = make_evidence(job)
    source.rounds[bundle.round] = bundle
    facts = make_facts(job)
    assert bundle.anchored is not None
    posted = list(facts.rounds)
    posted[bundle.round - 1] = replace(posted[bundle.round - 1], anchored=bundle.anchored)
    return Sources(source, SimulatedChain(replace(facts, rounds=tuple(posted))))


def failed(report: Report, number: int) -> set[str]:
    return {result.check for result in report.find(Outcome.FAIL) if result.round == number}
