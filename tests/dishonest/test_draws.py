"""Cohorts of a real coordinator on a real chain, with a stake that nodes must have: drawn, audited, and bent."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.auditor import audit
from client.auditor.connecting import connect
from client.auditor.policy import Policy
from client.auditor.report import Report
from client.auditor.scope import Scope
from contracts.chain import Chain
from contracts.deployment import Deployment
from contracts.escrow import deposit_bond, open_job, stake
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from coordinator.compute.supervisor import ComputeChild
from coordinator.rounds import store
from coordinator.rounds.tables import CohortRow
from ledger.draw import order_nodes
from ledger.statements import Acceptance, Registration, Signed
from ledger.verify.results import Outcome
from tests.chain.fixtures import TestChain
from tests.coordination.learning import make_course, make_spec, make_terms
from tests.coordination.people import Node, Requester
from tests.coordination.premises import make_signer
from tests.coordination.test_draws import play
from tests.dishonest.stage import ANCHOR_SECONDS, COORDINATOR, HOLDER, REQUESTER, TOKEN, WINDOW, Scene, Stage
from tests.simulated.audit import find

STAKE, FIT, CROWD = 5, 2, 5
FAR = 1 << 40
CHECKS = {"cohort-draw", "cohort-population"}


@pytest.fixture
def stage(tmp_path: Path, dev_chain: TestChain, deployment: Deployment, compute: ComputeChild) -> Iterator[Stage]:
    """A chain with money on it, put back afterwards, and a coordinator's empty folder."""
    deployment.save(tmp_path / "deployment.json")
    spec = make_spec(make_course(nodes=3), bytes(32), None)
    stage = Stage(tmp_path, dev_chain, deployment, compute, spec, make_terms(spec, bytes(20), bytes(20)))
    snapshot = dev_chain.save()
    with Rpc(dev_chain.url) as rpc, Gateway.connect(dev_chain.url, deployment) as gateway:
        holder = Sender(Chain(rpc, 31337), stage.signer(HOLDER), poll_seconds=0.01)
        for number in (REQUESTER, COORDINATOR):
            holder.execute(gateway.calls.transfer(stage.signer(number).address, 1_000 * TOKEN))
        deposit_bond(gateway, stage.sender(gateway, COORDINATOR), 100 * TOKEN)
    yield stage
    dev_chain.restore(snapshot)


async def begin(scene: Scene) -> list[Node]:
    """Five nodes registered and, but for one, with the stake; then a job in which two fit is opened."""
    stage, house, gateway = scene.stage, scene.house, scene.gateway
    sender = stage.sender(gateway, REQUESTER)
    nodes = [Node(house, make_signer(f"staked {number}")) for number in range(CROWD)]
    for number, node in enumerate(nodes):
        registration = Registration(node.address, sender.address, sender.address, FAR)
        signature = Signed.issue(registration, gateway.registry_domain, node.signer).signature
        await asyncio.to_thread(sender.execute, gateway.calls.register(registration, signature))
        await asyncio.to_thread(stake, gateway, sender, node.address, STAKE - (number == 0))
    person = Requester(house, stage.signer(REQUESTER))
    await person.enter()
    course = make_course(nodes=3)
    stage.spec = make_spec(course, await person.upload(course.initial), None, FIT, FIT, evidence_readers="public")
    stage.terms = make_terms(
        stage.spec,
        person.address,
        stage.signer(COORDINATOR).address,
        rounds=3,
        token=stage.deployment.tally_token,
        window=WINDOW,
        anchor_seconds=ANCHOR_SECONDS,
        bond=100 * TOKEN,
        min_stake=STAKE,
    )
    asked = await person.ask(stage.spec, stage.terms)
    assert asked.status_code == 200, asked.text
    acceptance = Signed.from_json(Acceptance, asked.json()["acceptance"])
    await asyncio.to_thread(open_job, gateway, sender, stage.terms, acceptance)
    await scene.settle(3)
    for node in nodes:
        await node.enter()
        await node.poll(0)
    await house.look()
    return nodes


def list_cohort(scene: Scene, number: int) -> set[bytes]:
    with scene.house.context.database.read() as session:
        return store.list_cohort(session, scene.stage.job, number)


async def play_round(scene: Scene, nodes: list[Node], number: int) -> None:
    """The cohort of a round plays it; it is posted, and time passes."""
    from tests.coordination.conftest import Scene as Desk  # noqa: PLC0415

    person = Requester(scene.house, scene.stage.signer(REQUESTER))
    await play(Desk(scene.house, person, nodes, scene.stage.spec, scene.stage.terms), number)
    await scene.settle(3)


async def audit_scene(scene: Scene) -> Report:
    """An auditor with nothing but the coordinator's address, a provider and the ledger it trusts."""
    policy = Policy(31337, scene.stage.deployment.job_ledger)

    def work() -> Report:
        with connect(scene.url, scene.stage.chain.url, policy, start_block=None) as connection:
            return audit(scene.stage.job, connection.sources, Scope(recompute=False))

    return await asyncio.to_thread(work)


async def test_stake_decides_who_has_a_place_and_the_chain_confirms_every_draw(stage: Stage) -> None:
    async with stage.open() as scene:
        nodes = await begin(scene)
        poor = nodes[0]
        assert poor.address not in list_cohort(scene, 1)
        await play_round(scene, nodes, 1)
        # One of the second cohort asks for its stake back: from the third draw on it has no place.
        leaver = next(node for node in nodes if node.address in list_cohort(scene, 2))
        sender = stage.sender(scene.gateway, REQUESTER)
        await asyncio.to_thread(sender.execute, scene.gateway.calls.unstake(leaver.address, 1))
        await play_round_without(scene, nodes, leaver)
        assert leaver.address not in list_cohort(scene, 3)
        assert poor.address not in list_cohort(scene, 3)
        await play_round(scene, nodes, 3)
        report = await audit_scene(scene)
        assert find(report.results, Outcome.FAIL) == set()
        assert find(report.results, Outcome.PASS) >= CHECKS
        details = [result.detail for result in report.results if result.check == "cohort-population"]
        assert [f"of {count}" in detail for count, detail in zip((4, 4, 3), details, strict=True)] == [True] * 3


async def play_round_without(scene: Scene, nodes: list[Node], leaver: Node) -> None:
    """Round 2, of which one member's stake is leaving: the other one commits, and time ends the phase."""
    (other,) = (node for node in nodes if node.address in list_cohort(scene, 2) and node is not leaver)
    await scene.settle(2)
    from tests.coordination.playing import make_payload  # noqa: PLC0415

    assignment = await other.poll()
    assert assignment is not None
    await other.commit(assignment, make_payload(77))
    refused = await leaver.house.client.post(
        "/v1/contributions", json=leaver.sign(assignment, make_payload(78), node=leaver.address)
    )
    assert refused.json()["error"] == "NodeNotAdmitted"
    scene.pass_time(scene.stage.spec.commit_seconds + 1)
    await scene.house.look()
    assignment = await other.poll()
    assert assignment is not None
    assert (await other.reveal(assignment)).status_code == 200
    for node in nodes:
        await node.poll()
    await scene.house.look()
    await scene.settle(3)


def admit_friend(scene: Scene, nodes: list[Node]) -> None:
    """The coordinator replaces the cohort by the two that come last, and says that all others were absent."""
    _rewrite(scene, nodes, lambda order: (order[-FIT:], order[:-FIT]))


def forget_others(scene: Scene, nodes: list[Node]) -> None:
    """It replaces the cohort by the two that come last, and says that there were no others."""
    _rewrite(scene, nodes, lambda order: (order[-FIT:], []))


def _rewrite(scene: Scene, nodes: list[Node], choose: Callable[[list[bytes]], tuple[list[bytes], list[bytes]]]) -> None:
    with scene.house.context.database.write() as session:
        kept = store.find_draw(session, scene.stage.job, 1)
        assert kept is not None
        admitted, absent = choose(order_nodes(kept.seed, [node.address for node in nodes[1:]], ()))
        kept.admitted, kept.absent = b"".join(admitted), b"".join(absent)
        session.add(kept)
        for node in list_cohort(scene, 1):
            session.delete(session.get_one(CohortRow, (scene.stage.job, 1, node)))
        session.add_all(CohortRow(job=scene.stage.job, round=1, node=node, joined_at=1) for node in admitted)


async def test_friends_in_place_of_others_are_found_out_unless_the_others_are_told_as_absent(stage: Stage) -> None:
    """What is left to a lying coordinator: to call present nodes absent, by name, for them and everyone to read."""
    async with stage.open() as scene:
        nodes = await begin(scene)
        forget_others(scene, nodes)
        await play_round(scene, nodes, 1)
        report = await audit_scene(scene)
        assert find(report.results, Outcome.FAIL) == {"cohort-population"}
        assert report.exit_code == 1


async def test_old_block_of_a_round_in_which_nobody_was_drawn_is_found_out(stage: Stage) -> None:
    """Its draw says that there was room; two rounds later the block would make everybody late but friends."""
    async with stage.open() as scene:
        nodes = await begin(scene)
        block = await asyncio.to_thread(scene.gateway.fetch_block, 1)
        assert block is not None
        with scene.house.context.database.write() as session:
            kept = store.find_draw(session, scene.stage.job, 1)
            assert kept is not None
            kept.drawn, kept.population, kept.absent = False, None, b""
            kept.admitted, kept.block, kept.block_hash = kept.admitted[:20], block.number, block.hash
            session.add(kept)
        await play_round(scene, nodes, 1)
        report = await audit_scene(scene)
        # Round 2 is drawn by an honest hand: only the first is found out.
        found = {(result.check, result.round) for result in report.results if result.outcome is Outcome.FAIL}
        assert found == {("cohort-population", 1)}
        assert report.exit_code == 1


async def test_node_that_was_called_absent_reads_it(stage: Stage) -> None:
    async with stage.open() as scene:
        nodes = await begin(scene)
        admit_friend(scene, nodes)
        await play_round(scene, nodes, 1)
        report = await audit_scene(scene)
        assert find(report.results, Outcome.FAIL) & CHECKS == set()
        path = f"/v1/rounds/0x{scene.stage.job.hex()}/1/evidence/draw.json"
        draw = (await scene.house.client.get(path)).json()
        assert len(draw["absent"]) == 2
