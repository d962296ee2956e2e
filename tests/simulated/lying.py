"""Simulated jobs of which one round is a lie, and what an auditor knows of them."""

from collections.abc import Mapping, Sequence
from functools import cache

from ledger import evidence
from ledger.evidence import decode_closing, decode_contributions, decode_entries, decode_receipts
from ledger.faults.case import Case, KnownRound, Promises
from ledger.faults.gathering import gather
from tests.dishonest.draft import Draft
from tests.simulated.job import SimulatedJob


@cache
def play_honest(scoring_rule: str = "aumann-shapley") -> SimulatedJob:
    """Three rounds of five nodes; one node hides in the first two, one is absent from the second. Never change it."""
    job = SimulatedJob(nodes=6, rounds=4, scoring_rule=scoring_rule)
    job.play(hidden=[3], absent=[5])
    job.play(hidden=[1], absent=[2])
    job.play(absent=[0])
    return job


def draft_round(job: SimulatedJob, number: int) -> Draft:
    """A played round, as if its header were not signed yet."""
    played = job.rounds[number - 1]
    files = played.bundle.files
    earlier = {before.tally.round: {entry.node: entry for entry in before.tally.entries} for before in job.rounds}
    return Draft(
        domain=job.domain,
        coordinator=job.coordinator,
        terms=job.terms,
        header=played.header.statement,
        entries=decode_entries(files[evidence.ENTRIES]),
        contributions=decode_contributions(files[evidence.CONTRIBUTIONS]),
        receipts=decode_receipts(files[evidence.RECEIPTS]),
        closing=decode_closing(files[evidence.CLOSING]),
        earlier=earlier,
        files=files,
    )


def know_round(
    job: SimulatedJob,
    number: int,
    held: Promises | None = None,
    files: Mapping[str, bytes] | None = None,
    handed_out: Sequence[bytes] = (),
) -> KnownRound:
    """What a round shows: all of it, or these files."""
    played = job.rounds[number - 1]
    shown = played.bundle.files if files is None else files
    return gather(job.domain, job.terms, played.header.statement, shown, handed_out, held or Promises())


def know_job(job: SimulatedJob, draft: Draft | None = None) -> Case:
    """What the rounds show up to and including the one that was drafted; all of them without a draft."""
    last = draft.header.round if draft else len(job.rounds)
    rounds = {number: know_round(job, number) for number in range(1, last + 1)}
    if draft is not None:
        header, files = draft.publish()
        rounds[last] = gather(job.domain, job.terms, header, files, (), draft.told)
    return Case(job.domain, job.terms, rounds, now=job.as_of)
