"""A coordinator that picks its friends: every way to bend a draw is a contradiction to whoever reads the chain."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest

from client.auditor import Sources, audit
from client.auditor.evidence.sources import ChainFacts
from client.auditor.report import Report
from contracts.events import Event
from contracts.node_events import NodeRegistered, NodeRotated, NodeSlashed, Staked, Unstaked, UnstakeRequested
from ledger import evidence
from ledger.draw import Draw, draw_cohort, order_nodes
from ledger.spec import Cohort
from ledger.verify.results import Outcome
from tests.simulated.audit import find
from tests.simulated.job import OPENED_BLOCK, SimulatedJob
from tests.simulated.sources import SimulatedChain, make_evidence, make_facts, make_place, make_registry
from tests.simulated.terms import make_spec

ROUND = 3
MAXIMUM = 3
CHECKS = {"cohort-draw", "cohort-population"}
STRANGER = b"\x99" * 20


@cache
def play(nodes: int = 7, maximum: int = MAXIMUM) -> SimulatedJob:
    """Three rounds of seven nodes of which three fit; in the last the first is absent. Played once: never change."""
    spec = replace(make_spec(Random(3)), cohort=Cohort(2, maximum))
    job = SimulatedJob(nodes=nodes, rounds=4, spec=spec)
    job.play()
    job.play(absent=[1])
    first = job.draw(3, range(nodes)).admitted[0]
    job.play(absent=[number for number, node in enumerate(job.nodes) if node.address == first])
    return job


def audit_with(
    change: Callable[[Draw], Draw] = lambda draw: draw,
    number: int = ROUND,
    job: SimulatedJob | None = None,
    look: Callable[[ChainFacts], ChainFacts] = lambda facts: facts,
) -> Report:
    """The audit of a job whose coordinator signed another draw of one round, without the learning."""
    from client.auditor.scope import Scope  # noqa: PLC0415

    job = job or play()
    source, facts = make_evidence(job), make_facts(job)
    played = job.rounds[number - 1]
    drawn = change(Draw.from_bytes(played.bundle.files[evidence.DRAW]))
    bundle = job.seal(played.header.statement, {**played.bundle.files, evidence.DRAW: drawn.to_bytes()})
    source.rounds[number] = bundle
    posted = list(facts.rounds)
    assert bundle.anchored is not None
    posted[number - 1] = replace(posted[number - 1], anchored=bundle.anchored)
    return audit(
        job.id,
        Sources(source, SimulatedChain(look(replace(facts, rounds=tuple(posted))))),
        Scope(recompute=False, last=number),
    )


def found(report: Report, outcome: Outcome = Outcome.FAIL) -> set[str]:
    return find(report.results, outcome) & CHECKS


def happen(*events: Event) -> Callable[[ChainFacts], ChainFacts]:
    """The same chain on which this happened too."""
    return lambda facts: replace(facts, registry=make_registry(play(), events))


def redraw(draw: Draw, places: dict[bytes, bool], present: Sequence[bytes]) -> Draw:
    """What the coordinator would have drawn from other places."""
    return draw_cohort(draw.seed, (draw.block, draw.block_hash), places, present, MAXIMUM)


def test_honest_draws_pass() -> None:
    report = audit_with()
    assert found(report, Outcome.PASS) == CHECKS
    assert report.exit_code == 0
    draws = [Draw.from_bytes(played.bundle.files[evidence.DRAW]) for played in play().rounds]
    assert all(draw.drawn and draw.population == 7 and len(draw.admitted) == 3 for draw in draws)
    assert len(draws[2].absent) == 1


def test_friend_with_a_larger_lot_is_found_out() -> None:
    """The contributor itself is one that the honest order does not reach: nobody says that others were absent."""
    job = play()
    addresses = [node.address for node in job.nodes]

    def admit_friend(draw: Draw) -> Draw:
        last = order_nodes(draw.seed, addresses, ())[-1]
        return replace(draw, admitted=(*draw.admitted[:2], last))

    assert "cohort-population" in found(audit_with(admit_friend))


def test_contributor_outside_the_cohort_is_found_out() -> None:
    def drop(draw: Draw) -> Draw:
        outsider = next(node.address for node in play().nodes if node.address not in (*draw.admitted, *draw.absent))
        return replace(draw, admitted=tuple(order_nodes(draw.seed, (*draw.admitted[:2], outsider), ())))

    assert "cohort-draw" in found(audit_with(drop))


def test_node_left_out_of_the_population_is_found_out() -> None:
    """As if the passed over node had never been registered."""

    def forget(draw: Draw) -> Draw:
        return replace(draw, absent=draw.absent[1:], population=6)

    assert found(audit_with(forget)) == {"cohort-population"}
    assert found(audit_with(lambda draw: replace(draw, population=6))) == {"cohort-population"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_another_seed_is_found_out(number: int) -> None:
    def choose(draw: Draw) -> Draw:
        seed = bytes(31) + b"\x01"
        addresses = [node.address for node in play().nodes]
        return draw_cohort(seed, (draw.block, draw.block_hash), dict.fromkeys(addresses, False), draw.admitted, MAXIMUM)

    failed = found(audit_with(choose, number))
    assert ("cohort-population" if number == 1 else "cohort-draw") in failed


def test_listed_node_that_is_not_registered_is_found_out() -> None:
    def invent(draw: Draw) -> Draw:
        places = dict.fromkeys((*(node.address for node in play().nodes), STRANGER), False)
        return redraw(draw, places, [*draw.admitted, STRANGER])

    assert "cohort-population" in found(audit_with(invent))


def test_key_that_registers_after_the_seed_could_be_known_is_late() -> None:
    """In round 3 whatever registered after the block of round 1 has no early place; calling it early is found out."""
    place = make_place(OPENED_BLOCK + 2)
    look = happen(NodeRegistered(place, STRANGER, STRANGER, STRANGER))

    def rightly(draw: Draw) -> Draw:
        return replace(draw, population=8)

    def wrongly(draw: Draw) -> Draw:
        places = dict.fromkeys((*(node.address for node in play().nodes), STRANGER), False)
        return redraw(draw, places, draw.admitted)

    assert found(audit_with(rightly, look=look), Outcome.PASS) == CHECKS
    # The stranger's lot decides whether it is listed at all; a key is ground until it is.
    assert STRANGER in wrongly(Draw.from_bytes(play().rounds[2].bundle.files[evidence.DRAW])).absent
    assert "cohort-population" in found(audit_with(wrongly, look=look))


@pytest.mark.parametrize(
    "events",
    [
        (Staked(make_place(10), STRANGER, STRANGER, 5),),
        (Staked(make_place(9, 99), play().nodes[1].address, STRANGER, 5),),
    ],
)
def test_stakes_count_where_the_terms_ask_for_one(events: tuple[Event, ...]) -> None:
    """With a minimum stake nobody here had a place but who staked: all others in the draw are found out."""
    job = play()
    terms = replace(job.terms, min_stake=5)
    from client.auditor.population import audit_population  # noqa: PLC0415
    from ledger.verify.bundle import AuditedJob, History  # noqa: PLC0415
    from ledger.verify.reading import read_round  # noqa: PLC0415
    from ledger.verify.results import Findings  # noqa: PLC0415

    audited = AuditedJob(job.id, job.domain, terms, job.spec, job.as_of)
    read = read_round(job.rounds[0].bundle, Findings(1))
    results = audit_population(audited, History.start(audited), read, make_registry(job, events), 20)
    assert find(results) == {"cohort-population"}


def test_registry_follows_stakes_rotations_and_slashes() -> None:
    first, second = (play().nodes[number].address for number in (0, 1))
    registry = make_registry(
        play(),
        (
            Staked(make_place(11), first, STRANGER, 10),
            UnstakeRequested(make_place(12), first, 4, 99),
            Unstaked(make_place(13), first, STRANGER, 4),
            NodeRotated(make_place(14), first, second, 6),
            NodeSlashed(make_place(15), bytes(32), first, 5),
        ),
    )
    seen: list[tuple[Any, ...]] = []
    for block in (11, 12, 13, 14, 15, 11):
        nodes = registry.read_at(block)
        one, other = nodes[first], nodes[second]
        seen.append((one.staked - one.leaving, other.staked - other.leaving, one.successor, other.predecessor))
    assert seen == [
        (10, 0, None, None),
        (6, 0, None, None),
        (6, 0, None, None),
        (0, 6, second, first),
        (0, 1, second, first),
        (10, 0, None, None),
    ]


def test_block_that_is_not_on_the_chain_is_unknown_never_a_pass() -> None:
    report = audit_with(lambda draw: replace(draw, block_hash=bytes(32)))
    assert found(report, Outcome.UNKNOWN) == {"cohort-population"}
    assert report.exit_code == 3


def test_registrations_that_may_be_hidden_are_unknown_never_a_pass() -> None:
    def hide(facts: ChainFacts) -> ChainFacts:
        assert facts.registry is not None
        return replace(facts, registry=replace(facts.registry, gap="the registry is older"))

    report = audit_with(look=hide)
    assert found(report, Outcome.UNKNOWN) == {"cohort-population"}
    assert report.exit_code == 3


def test_without_the_registry_a_draw_is_unknown_and_room_for_all_is_not_needed() -> None:
    def without(facts: ChainFacts) -> ChainFacts:
        return replace(facts, registry=None)

    drawn = audit_with(look=without)
    assert found(drawn, Outcome.UNKNOWN) == {"cohort-population"}
    assert drawn.exit_code == 3
    roomy = audit_with(job=play(5, 100), look=without)
    assert found(roomy, Outcome.UNKNOWN) == {"cohort-population"}
    assert roomy.exit_code == 0


def test_undrawn_cohort_of_nodes_that_are_not_registered_is_found_out() -> None:
    job = play(5, 100)

    def invent(draw: Draw) -> Draw:
        return replace(draw, joined=(STRANGER,))

    assert found(audit_with(invent, job=job)) == {"cohort-population"}


def test_draw_that_hides_behind_room_for_all_is_found_out() -> None:
    """Full from the start, and no word of those who were passed over."""

    def hide(draw: Draw) -> Draw:
        return Draw(draw.seed, draw.block, draw.block_hash, False, None, tuple(sorted(draw.admitted)))

    assert "cohort-draw" in found(audit_with(hide))
