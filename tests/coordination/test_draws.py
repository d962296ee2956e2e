"""Cohorts over HTTP: who is in, by a draw that an auditor can repeat, and who may be in at all."""

from functools import partial

import httpx
from sqlmodel import Session

from coordinator.jobs import service as jobs
from coordinator.nodes import service as nodes
from coordinator.rounds import draws, store
from coordinator.rounds.service import load_round
from ledger import evidence
from ledger.commitment import compute_beacon
from ledger.draw import Draw, compute_draw_seed, find_problem, order_nodes
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course, make_terms
from tests.coordination.people import Node
from tests.coordination.playing import fetch_evidence, make_payload
from tests.coordination.premises import OPENED_BLOCK, House, Premises, hash_block, make_signer

CROWD = 6
MAXIMUM = 3


def seat(scene: Scene, draw: Draw) -> list[Node]:
    """The nodes of a cohort, in its order."""
    by_address = {node.address: node for node in scene.nodes}
    return [by_address[address] for address in draw.admitted]


def read_cohort(house: House, job: bytes, number: int) -> set[bytes]:
    with house.context.database.read() as session:
        return store.list_cohort(session, job, number)


async def read_draw(scene: Scene, number: int) -> Draw:
    return Draw.from_bytes(await fetch_evidence(scene, number, evidence.DRAW))


async def play(scene: Scene, number: int) -> list[Node]:
    """The cohort plays its round; nobody else is given one."""
    cohort = read_cohort(scene.house, scene.job, number)
    there = []
    for place, node in enumerate(scene.nodes):
        assignment = await node.poll()
        if node.address not in cohort:
            assert assignment is None
            continue
        assert assignment is not None
        assert assignment["round"] == number
        await node.commit(assignment, make_payload(100 * number + place))
        there.append(node)
    for node in there:
        assignment = await node.poll()
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    await scene.house.look()
    return there


async def test_more_than_fit_are_drawn_and_an_outsider_recomputes_who(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=CROWD, rounds=3, minimum=2, maximum=MAXIMUM)
    sources = [hash_block(OPENED_BLOCK)]
    crowd = {node.address for node in scene.nodes}
    for number in (1, 2, 3):
        there = await play(scene, number)
        draw = await read_draw(scene, number)
        assert find_problem(draw, MAXIMUM) is None
        assert draw.seed == compute_draw_seed(scene.job, number, sources[-1])
        assert (draw.drawn, draw.population, draw.absent, draw.late, draw.joined) == (True, CROWD, (), (), ())
        assert list(draw.admitted) == order_nodes(draw.seed, crowd, ())[:MAXIMUM]
        assert {node.address for node in there} == set(draw.admitted)
        closing = evidence.decode_closing(await fetch_evidence(scene, number, evidence.CLOSING))
        openings = evidence.decode_openings(await fetch_evidence(scene, number, evidence.OPENINGS))
        salts = [opening.salt for opening in openings if opening is not None]
        sources.append(compute_beacon(closing.signed.statement.accumulator, closing.seed, salts))


async def test_node_that_is_not_there_is_told_as_absent(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=CROWD, rounds=2, minimum=2, maximum=MAXIMUM)
    house.clock.advance(house.context.settings.presence_seconds + 1)
    first = seat(scene, await _peek(scene, 1))
    # Only the cohort is heard again while round 1 goes on: the draw of round 2 passes the others over.
    for node in first:
        await node.poll()
    source = await _play_by(scene, first)
    order = order_nodes(compute_draw_seed(scene.job, 2, source), {node.address for node in scene.nodes}, ())
    draw = await _peek(scene, 2)
    there = {node.address for node in first}
    assert list(draw.admitted) == [address for address in order if address in there]
    last = order.index(draw.admitted[-1])
    assert list(draw.absent) == [address for address in order[:last] if address not in there]
    assert draw.absent, "the keys of this test must put somebody absent before the last one there"


async def test_newcomer_comes_after_all_who_were_there_before(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=CROWD, rounds=4, minimum=2, maximum=CROWD)
    newcomer = Node(house, make_signer("newcomer"))
    assert (await newcomer.register()).status_code == 202
    await house.admit(newcomer.address, newcomer.address, OPENED_BLOCK + 3)
    await house.mine(OPENED_BLOCK + 3)
    await newcomer.enter()
    scene.nodes.append(newcomer)
    # Round 2 is drawn at the newcomer's block; the draw of round 4 is the first that may count it as early.
    for number in (1, 2, 3):
        await play(scene, number)
        draw = await _peek(scene, number + 1)
        order = order_nodes(draw.seed, {node.address for node in scene.nodes}, {newcomer.address} if number < 3 else ())
        assert (draw.block, draw.population) == (OPENED_BLOCK + 3, CROWD + 1)
        assert list(draw.admitted) == order[:CROWD]
        assert newcomer.address not in draw.admitted or number == 3


async def test_late_arrivals_fill_free_room_and_are_told(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=2, rounds=1, minimum=2, maximum=3)
    late, outside = (Node(house, make_signer(name)) for name in ("late", "outside"))
    await late.join()
    await outside.join()
    assert await outside.poll() is None, "there is room for one more only, and it is taken"
    scene.nodes.append(late)
    await play(scene, 1)
    draw = await read_draw(scene, 1)
    assert (draw.drawn, draw.population, draw.absent) == (False, None, ())
    assert draw.admitted == tuple(sorted(node.address for node in scene.nodes[:2]))
    assert draw.joined == (late.address,)


async def test_node_below_the_stake_is_refused_and_one_that_unstakes_drops_out(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=0)
    terms = make_terms(scene.spec, scene.requester.address, house.context.signer.address, 3, min_stake=100, nonce=7)
    assert (await scene.requester.ask(scene.spec, terms)).status_code == 200
    rich, steady, poor = (Node(house, make_signer(name)) for name in ("rich", "steady", "poor"))
    for node, stake in ((rich, 100), (steady, 1_000), (poor, 99)):
        await node.join()
        await house.stake(node.address, stake)
    await house.context.database.run_write(_close, scene.job)
    await house.fund(terms.job_id())
    await house.look()
    staked = Scene(house, scene.requester, [rich, steady], scene.spec, terms)
    assert read_cohort(house, staked.job, 1) == {rich.address, steady.address}
    assert await poor.poll() is None
    assignment = await rich.poll()
    assert assignment is not None
    refused = await _send(poor, assignment)
    assert (refused.status_code, refused.json()["error"]) == (403, "NodeNotAdmitted")
    assert "a stake of at least 100 base units" in refused.text
    await play(staked, 1)
    # The rich one asks for its stake back: what leaves does not count from then on, even in an open round.
    await house.stake(rich.address, 0)
    assignment = await rich.poll()
    assert assignment is None or (await _send(rich, assignment)).status_code == 403


async def test_draw_waits_until_the_chain_is_caught_up_with(house: House, course: Course) -> None:
    """While stakes are newer than the block that would be named, nobody is drawn; where all fit, nobody waits."""
    database = house.context.database
    await database.run_write(
        partial(nodes.note_block, next_at=house.context.now, settled=False), OPENED_BLOCK, hash_block(OPENED_BLOCK)
    )
    scene = await set_scene(house, course, nodes=CROWD, rounds=1, minimum=2, maximum=MAXIMUM)
    assert read_cohort(house, scene.job, 1) == set()
    job = await scene.requester.get(f"/v1/jobs/0x{scene.job.hex()}")
    assert "caught up" in job["detail"]
    await house.mine(OPENED_BLOCK + 1)
    await house.look()
    assert len(read_cohort(house, scene.job, 1)) == MAXIMUM


async def test_round_with_room_for_all_waits_while_its_block_would_be_out_of_date(
    premises: Premises, course: Course
) -> None:
    """Its block decides two rounds later who is late: after an outage it is not that of before the outage."""
    async with premises.open() as house:
        await house.mine(OPENED_BLOCK)
        scene = await set_scene(house, course, nodes=2, rounds=3, minimum=2, maximum=CROWD)
        await play(scene, 1)
        house.clock.advance(scene.terms.anchor_seconds + 1)
        cohort = await _play_by(scene, seat(scene, await _peek(scene, 2)))
        assert len(cohort) == 32
    async with premises.open() as house:
        scene = scene.at(house)
        for node in scene.nodes:
            await node.poll(0)
        await house.look()
        assert read_cohort(house, scene.job, 3) == set()
        job = await scene.requester.get(f"/v1/jobs/0x{scene.job.hex()}")
        assert "caught up" in job["detail"]
        # A chain that stood still meanwhile has nothing newer.
        await house.context.database.run_write(nodes.note_idle, OPENED_BLOCK, house.context.now)
        await house.look()
        draw = await _peek(scene, 3)
        assert (draw.drawn, draw.block) == (False, OPENED_BLOCK)


async def test_round_waits_until_the_chain_is_as_long_as_before_it_reorganised(house: House, course: Course) -> None:
    await house.mine(OPENED_BLOCK + 5)
    scene = await set_scene(house, course, nodes=2, rounds=2, minimum=2, maximum=CROWD)
    await house.mine(OPENED_BLOCK + 4)
    await play(scene, 1)
    assert read_cohort(house, scene.job, 2) == set()
    await house.mine(OPENED_BLOCK + 5)
    await house.look()
    assert (await _peek(scene, 2)).block == OPENED_BLOCK + 5


async def test_restart_gives_the_same_cohort_and_the_same_file(premises: Premises, course: Course) -> None:
    """Killed after the opening, after the commits and before the tally: draw and file stay what they were."""
    async with premises.open() as house:
        scene = await set_scene(house, course, nodes=CROWD, rounds=1, minimum=2, maximum=MAXIMUM)
        opened = await _peek(scene, 1)
    async with premises.open() as house:
        scene = scene.at(house)
        assert await _peek(scene, 1) == opened
        for place, node in enumerate(seat(scene, opened)):
            assignment = await node.poll()
            assert assignment is not None
            await node.commit(assignment, make_payload(place))
        for node in seat(scene, opened):
            assignment = await node.poll()
            assert assignment is not None
            assert (await node.reveal(assignment)).status_code == 200
    async with premises.open() as house:
        scene = scene.at(house)
        await house.look()
        assert await read_draw(scene, 1) == opened


async def test_large_population_takes_only_a_listing_up_to_the_last_place(house: House, course: Course) -> None:
    """Most registered nodes are not there: the file names who was passed over and nobody behind."""
    for number in range(40):
        await house.admit(make_signer(f"idle {number}").address, b"\x07" * 20)
    scene = await set_scene(house, course, nodes=CROWD, rounds=1, minimum=2, maximum=MAXIMUM)
    draw = await _peek(scene, 1)
    assert draw.population == 40 + CROWD
    assert len(draw.placed) < 40 + CROWD
    assert find_problem(draw, MAXIMUM) is None


async def _peek(scene: Scene, number: int) -> Draw:
    """The draw of a round that is not sealed yet."""
    with scene.house.context.database.read() as session:
        return draws.load(session, load_round(session, scene.job, number))


async def _play_by(scene: Scene, nodes: list[Node]) -> bytes:
    """Round 1 by its cohort alone; the beacon that follows from it."""
    for place, node in enumerate(nodes):
        assignment = await node.poll()
        assert assignment is not None
        await node.commit(assignment, make_payload(place))
    for node in nodes:
        assignment = await node.poll()
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    await scene.house.look()
    closing = evidence.decode_closing(await fetch_evidence(scene, 1, evidence.CLOSING))
    openings = evidence.decode_openings(await fetch_evidence(scene, 1, evidence.OPENINGS))
    salts = [opening.salt for opening in openings if opening is not None]
    return compute_beacon(closing.signed.statement.accumulator, closing.seed, salts)


async def _send(node: Node, assignment: dict[str, object]) -> httpx.Response:
    body = node.sign(assignment, make_payload(9))
    return await node.house.client.post("/v1/contributions", json=body)


def _close(session: Session, job: bytes) -> None:
    jobs.mark_closed(session, job, at=1)
