"""The block up to which a coordinator says that it knew nodes: it decides who is late, also where nobody was drawn."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

from client.auditor.evidence.sources import ChainFacts
from contracts.state import Block
from ledger import evidence
from ledger.draw import Draw
from ledger.spec import Cohort
from ledger.verify.results import Outcome
from tests.simulated.job import OPENED_BLOCK, SimulatedJob, hash_block
from tests.simulated.terms import make_spec
from tests.unit.client.auditor.test_population import CHECKS, MAXIMUM, audit_with, found, play

Change = Callable[[Draw], Draw]
Look = Callable[[ChainFacts], ChainFacts]


@cache
def play_with_room(block: int = OPENED_BLOCK + 1) -> SimulatedJob:
    """As `play`, but in round 1, which names a block, only two nodes are there: nothing is drawn in it."""
    job = SimulatedJob(nodes=7, rounds=4, spec=replace(make_spec(Random(3)), cohort=Cohort(2, MAXIMUM)))
    job.find_block = lambda number: (at := block if number == 1 else OPENED_BLOCK + number, hash_block(at))
    for absent in (range(2, 7), (), ()):
        job.play(absent=list(absent))
    return job


def name(block: int) -> Change:
    """The draw names another block of the chain."""
    return lambda draw: replace(draw, block=block, block_hash=hash_block(block))


def age(job: SimulatedJob, through: int, end: int = 1 << 40) -> Look:
    """The same chain whose blocks up to `through` are older than an outage may last, and which ends before `end`."""

    def look(facts: ChainFacts) -> ChainFacts:
        registry = facts.registry
        assert registry is not None
        find_block = registry.find_block

        def find(number: int) -> Block | None:
            block = find_block(number)
            assert block is not None
            ago = job.terms.anchor_seconds + 1_000 if number <= through else 0
            return replace(block, timestamp=block.timestamp - ago) if number < end else None

        return replace(facts, registry=replace(registry, find_block=find))

    return look


def test_block_that_was_long_out_of_date_is_found_out() -> None:
    """Round 3 is drawn, at the block of the round before, which another followed long ago."""
    look = age(play(), OPENED_BLOCK + 3)
    assert found(audit_with(name(OPENED_BLOCK + 2), look=look)) == {"cohort-population"}
    assert found(audit_with(name(OPENED_BLOCK + 2)), Outcome.PASS) == CHECKS


def test_block_of_an_undrawn_round_that_was_out_of_date_is_found_out() -> None:
    """It decides who is late two rounds on: friends registered before it, all others after it."""
    job = play_with_room()
    first, _, third = (Draw.from_bytes(played.bundle.files[evidence.DRAW]) for played in job.rounds)
    assert (first.drawn, third.drawn) == (False, True)
    look = age(job, OPENED_BLOCK + 1)
    assert found(audit_with(number=1, job=job, look=look), Outcome.PASS) == CHECKS
    assert found(audit_with(name(OPENED_BLOCK), 1, job, look)) == {"cohort-population"}


def test_block_from_before_the_job_is_found_out_however_young_it_was() -> None:
    assert found(audit_with(number=1, job=play_with_room(OPENED_BLOCK - 1))) == {"cohort-population"}
    assert found(audit_with(number=1, job=play_with_room(OPENED_BLOCK)), Outcome.PASS) == CHECKS


def test_old_block_that_no_other_followed_is_not_out_of_date() -> None:
    """A chain that stood still: nobody could have known of a later one."""
    job = play_with_room()
    look = age(job, OPENED_BLOCK + 1, OPENED_BLOCK + 2)
    assert found(audit_with(number=1, job=job, look=look), Outcome.PASS) == CHECKS


def test_block_older_than_that_of_the_round_before_is_found_out_by_the_files_alone() -> None:
    assert "cohort-draw" in found(audit_with(name(OPENED_BLOCK + 1)))
    assert found(audit_with(name(OPENED_BLOCK + 2)), Outcome.PASS) == CHECKS
