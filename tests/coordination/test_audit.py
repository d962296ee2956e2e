"""The auditor over real HTTP: what a coordinator serves passes every check, and what it keeps back is unknown."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from client.api import Api
from client.auditor import Report, Scope, Sources, audit
from client.auditor.checks import ALL_CHECKS
from client.auditor.evidence.coordinator import CoordinatorEvidence
from client.auditor.evidence.registry import Registry
from client.auditor.evidence.sources import ChainFacts, KeptJob, PostedRound
from client.auditor.explaining import explain
from client.identity import Identity
from contracts.events import Place
from contracts.node_events import NodeRegistered
from contracts.state import AccountState, Block
from learning.payload import write_update
from ledger.spec import Adam
from ledger.statements import RoundHeader, Terms
from ledger.verify.bundle import AnchoredRound
from ledger.verify.chain import compute_anchor
from ledger.verify.results import Outcome
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course
from tests.coordination.people import DOMAIN, Person
from tests.coordination.playing import SIZE, fetch_header, play_round
from tests.coordination.premises import OPENED_BLOCK, START, House, hash_block, make_signer
from tests.coordination.serving import serve
from tests.simulated.audit import find
from tests.simulated.sources import SimulatedChain


async def play(house: House, course: Course, readers: str = "public", **rules: object) -> Scene:
    """Two scored rounds: one node sends zeros, one sends too much and then does not reveal."""
    scene = await set_scene(house, course, nodes=4, rounds=2, scored=True, evidence_readers=readers, **rules)
    for number in (1, 2):
        assignment = await scene.nodes[0].poll()
        assert assignment is not None
        base = await scene.requester.send("GET", f"/v1/blobs/{assignment['baseModel'][2:]}")
        payloads: dict[int, bytes | None] = {
            node: course.train(base.content, node, number, assignment["clip"]) for node in (0, 1)
        }
        payloads[2] = write_update(np.zeros(SIZE, np.int16))
        payloads[3] = write_update(np.full(SIZE, 30_000, np.int16)) if number == 1 else None
        await play_round(scene, payloads)
    house.clock.advance(scene.spec.reveal_seconds)
    await house.look()
    await house.look()
    return scene


async def make_facts(scene: Scene) -> ChainFacts:
    """What a chain would hold of the job."""
    headers = [(await fetch_header(scene, number)).statement for number in (1, 2)]
    return build_facts(scene.terms, headers, [node.address for node in scene.nodes])


def build_facts(terms: Terms, headers: Sequence[RoundHeader], nodes: Sequence[bytes]) -> ChainFacts:
    """What a chain would hold of a job of these nodes after these rounds, of which nothing was claimed."""
    rewards = [header.total_reward for header in headers]
    kept = KeptJob(
        terms.requester,
        terms.coordinator,
        terms.token,
        terms.rounds,
        terms.budget_per_round,
        terms.window,
        headers[-1].digest(DOMAIN),
    )
    funded = terms.rounds * terms.budget_per_round
    account = AccountState(funded, 0, sum(rewards), funded - sum(rewards), 0, 0)
    posted = tuple(post(header, terms.window) for header in headers)
    sums = tuple(accumulate(rewards))
    facts = ChainFacts(DOMAIN, 9, headers[-1].closed_at + 900, terms, kept, account, posted, sums, (), {})
    return replace(facts, registry=make_registry(nodes))


def make_registry(nodes: Sequence[bytes]) -> Registry:
    """What the registry would have reported of the nodes before the job was opened."""
    place = Place(OPENED_BLOCK - 1, hash_block(OPENED_BLOCK - 1), bytes(32), 0)
    events = [NodeRegistered(place, node, node, node) for node in nodes]
    return Registry(events, (OPENED_BLOCK, hash_block(OPENED_BLOCK)), find_block, 9)


def find_block(number: int) -> Block:
    return Block(number, hash_block(number), hash_block(number - 1), START)


def post(header: RoundHeader, window: int) -> PostedRound:
    at = header.closed_at + 30
    word = compute_anchor(header.digest(DOMAIN), header.entries_root, header.count, at + window)
    return PostedRound(header, AnchoredRound(word, at + window, at + window, at), 8, bytes(32))


async def run(scene: Scene, url: str, facts: ChainFacts, scope: Scope | None = None) -> Report:
    def work() -> Report:
        with Api(url) as api:
            sources = Sources(CoordinatorEvidence(api, None), SimulatedChain(facts))
            return audit(scene.job, sources, scope)

    return await asyncio.to_thread(work)


async def test_files_for_auditors_are_fetched_signed_in_whatever_is_asked_for_first(
    house: House, course: Course
) -> None:
    """To strangers such a file is not there: without signing in, a bundle would lack the validation set."""
    scene = await play(house, course, "auditors")
    auditor, validation = Person(house, make_signer("auditor")), scene.spec.validation
    await auditor.enter()
    assert validation is not None

    def fetch(url: str, token: str | None) -> bytes | None:
        with Api(url) as api:
            signed_in = cast(
                "Identity", SimpleNamespace(fetch=lambda call: api.fetch(call, token), sign_in=lambda: token)
            )
            return CoordinatorEvidence(api, signed_in if token else None).fetch_blob(validation, 1 << 20)

    async with serve(house) as url:
        assert await asyncio.to_thread(fetch, url, auditor.token) == course.validation
        assert await asyncio.to_thread(fetch, url, None) is None


async def test_what_a_coordinator_serves_passes_every_check(house: House, course: Course) -> None:
    scene = await play(house, course)
    facts = await make_facts(scene)
    async with serve(house) as url:
        report = await run(scene, url, facts, Scope(threads=2))
        assert [str(result) for result in report.results if result.outcome is not Outcome.PASS] == []
        assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)
        assert report.exit_code == 0

        def tell() -> tuple[str, ...]:
            with Api(url) as api:
                sources = Sources(CoordinatorEvidence(api, None), SimulatedChain(facts))
                return explain(scene.job, 2, scene.nodes[0].address, sources).lines

        assert "accepted" in (await asyncio.to_thread(tell))[0]


async def test_trust_and_adam_are_served_and_audited_as_all_else(house: House, course: Course) -> None:
    """The reference and the second moment go through the compute child, the files and the wire."""
    adam = Adam("0.9", "0.01")
    scene = await play(house, course, aggregation_rule="trust-weighted", adam=adam, server_rate="0.01")
    facts = await make_facts(scene)
    async with serve(house) as url:
        report = await run(scene, url, facts)
        assert [str(result) for result in report.results if result.outcome is not Outcome.PASS] == []

        def tell() -> tuple[str, ...]:
            with Api(url) as api:
                sources = Sources(CoordinatorEvidence(api, None), SimulatedChain(facts))
                return explain(scene.job, 2, scene.nodes[2].address, sources).lines

        assert "excluded by the aggregation rule" in (await asyncio.to_thread(tell))[0]


async def test_evidence_that_is_not_for_strangers_is_unknown_to_them(house: House, course: Course) -> None:
    scene = await play(house, course, readers="auditors")
    facts = await make_facts(scene)
    async with serve(house) as url:
        report = await run(scene, url, facts)
    assert report.exit_code == 3
    assert not report.find(Outcome.FAIL)
    assert "header-signature" in find(report.results, Outcome.UNKNOWN)


@pytest.mark.parametrize("name", ["word", "final_at"])
async def test_chain_that_holds_another_round_contradicts(house: House, course: Course, name: str) -> None:
    scene = await play(house, course)
    facts = await make_facts(scene)
    changed = replace(facts.rounds[0].anchored, **{name: bytes(32) if name == "word" else 7})  # type: ignore[arg-type]
    rounds = (replace(facts.rounds[0], anchored=changed), facts.rounds[1])
    async with serve(house) as url:
        report = await run(scene, url, replace(facts, rounds=rounds), Scope(recompute=False))
    assert report.exit_code == 1
    assert "anchor" in find(report.results)
