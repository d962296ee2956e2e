"""A private validation set over HTTP: what tells of it is for its holders until the job ends, then as all evidence."""

from dataclasses import replace

import httpx
import numpy as np
import pytest
from sqlmodel import Session

from coordinator.jobs import service as jobs
from coordinator.rounds import service as rounds
from ledger import evidence
from ledger.hexadecimal import to_address, to_hex
from ledger.spec import JobSpec
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course, make_terms
from tests.coordination.people import Person, Requester
from tests.coordination.playing import play_round
from tests.coordination.premises import House, make_signer

HOLDER = make_signer("holder")


async def play(house: House, course: Course, readers: str = "public") -> Scene:
    """One round of a scored job whose validation set is private."""
    scene = await set_scene(
        house,
        course,
        nodes=2,
        rounds=1,
        scored=True,
        evidence_readers=readers,
        validation_holders=(HOLDER.address,),
    )
    payloads: dict[int, bytes | None] = {node: course.train(course.initial, node, 1, 40_000) for node in (0, 1)}
    await play_round(scene, payloads)
    return scene


async def enter(house: House, name: str) -> Person:
    person = Person(house, make_signer(name))
    await person.enter()
    return person


async def list_paths(scene: Scene, holder: Person) -> tuple[list[str], list[str]]:
    """Every way to what tells of the set, and every way to everything else of the round."""
    folder = f"/v1/rounds/{to_hex(scene.job)}/1/evidence/"
    manifest = await holder.send("GET", folder + evidence.MANIFEST)
    files = evidence.Manifest.from_bytes(manifest.content).files
    assert evidence.GRADIENT in files
    assert scene.spec.validation is not None
    ways = {name: [folder + name, f"/v1/blobs/{digest.hex()}"] for name, (digest, _) in files.items()}
    telling = [path for name, paths in ways.items() if name in evidence.PRIVATE for path in paths]
    rest = [path for name, paths in ways.items() if name not in evidence.PRIVATE for path in paths]
    return [*telling, f"/v1/blobs/{scene.spec.validation.hex()}"], [*rest, folder + evidence.MANIFEST]


async def ask(client: httpx.AsyncClient, person: Person | None, path: str) -> list[tuple[int, str]]:
    """Status and error by the quick way, and by the application's own, which serves parts of files."""
    headers = {} if person is None else {"Authorization": f"Bearer {person.token}"}
    answers = [await client.get(path, headers=headers | more) for more in ({}, {"Range": "bytes=0-9"})]
    return [(answer.status_code, answer.json()["error"] if answer.status_code >= 400 else "") for answer in answers]


async def test_what_tells_of_the_set_is_for_holders_until_the_job_ends(house: House, course: Course) -> None:
    scene = await play(house, course)
    holder, auditor = await enter(house, "holder"), await enter(house, "auditor")
    telling, rest = await list_paths(scene, holder)
    people = (None, auditor, scene.nodes[0])
    for path in telling:
        # The holder first: what it was given must not lie about for others.
        assert {status for status, _ in await ask(house.client, holder, path)} <= {200, 206}
        for person in people:
            assert await ask(house.client, person, path) == [(403, "ValidationPrivate")] * 2, path
    for path in rest:
        for person in (*people, holder):
            assert {status for status, _ in await ask(house.client, person, path)} <= {200, 206}, path
    refusal = (await auditor.send("GET", telling[0])).json()
    assert "private until the job ends; holders are" in refusal["detail"]
    assert refusal["holders"] == [to_address(HOLDER.address)]
    await end(scene)
    for path in telling:
        for person in (*people, holder):
            assert {status for status, _ in await ask(house.client, person, path)} <= {200, 206}, path


async def end(scene: Scene) -> None:
    """The last round is final on chain."""
    database = scene.house.context.database
    with database.write() as session:
        rounds.mark_anchored(session, scene.job, 1, final_at=1, transaction=bytes(32), block=7)
    path = f"/v1/rounds/{to_hex(scene.job)}/1/evidence/{evidence.GRADIENT}"
    assert (await scene.house.client.get(path)).status_code == 403, "anchored, and not final yet"
    with database.write() as session:
        rounds.mark_final(session, scene.job, 1)


@pytest.mark.parametrize("ending", ["closed", "rejected"])
async def test_job_that_ends_otherwise_has_ended_too(house: House, course: Course, ending: str) -> None:
    scene = await play(house, course)
    assert scene.spec.validation is not None
    path = f"/v1/blobs/{scene.spec.validation.hex()}"
    assert (await house.client.get(path)).status_code == 403
    with house.context.database.write() as session:
        if ending == "closed":
            jobs.mark_closed(session, scene.job, at=1)
        else:
            jobs.mark_rejected(session, scene.job, at=1, reason="struck")
    assert (await house.client.get(path)).status_code == 200


async def test_holder_reads_though_it_is_no_listed_auditor_and_nobody_reads_unsigned(
    house: House, course: Course
) -> None:
    """Evidence for auditors: a stranger without a name is asked to sign in, whoever signs in is told who may."""
    scene = await play(house, course, readers="auditors")
    holder, auditor = await enter(house, "holder"), await enter(house, "auditor")
    path = f"/v1/rounds/{to_hex(scene.job)}/1/evidence/{evidence.GRADIENT}"
    assert (await house.client.get(path)).json()["error"] == "EvidenceNotForYou"
    assert (await auditor.send("GET", path)).json()["error"] == "ValidationPrivate"
    gradient = await holder.send("GET", path)
    assert gradient.status_code == 200
    assert np.frombuffer(gradient.content[-4 * 85 :], np.int32).any()


async def test_requester_has_what_it_uploaded_and_not_what_is_measured_on_it(house: House, course: Course) -> None:
    scene = await play(house, course)
    assert scene.spec.validation is not None
    own = await scene.requester.send("GET", f"/v1/blobs/{scene.spec.validation.hex()}")
    assert own.content == course.validation
    path = f"/v1/rounds/{to_hex(scene.job)}/1/evidence/{evidence.GRADIENT}"
    assert (await scene.requester.send("GET", path)).status_code == 403


async def test_another_job_cannot_name_the_private_set_as_its_own(house: House, course: Course) -> None:
    """Else a stranger's job, accepted for nothing, would share with everyone what this one keeps."""
    scene = await play(house, course)
    thief = Requester(house, make_signer("thief"))
    await thief.enter()
    spec = replace(scene.spec, validation_holders=None, title="mine")
    terms = make_terms(spec, thief.address, house.context.signer.address, 1)
    named = await thief.ask(spec, terms)
    assert (named.status_code, named.json()["field"]) == (422, "spec.validation")
    weighed = replace(spec, validation=None, scoring_rule="by-weight")
    terms = make_terms(weighed, thief.address, house.context.signer.address, 1)
    held = await thief.ask(weighed, terms, holdout=scene.spec.validation)
    assert (held.status_code, held.json()["field"]) == (422, "holdout")
    # Who has the file may upload it, though it lies there already, and use it.
    await thief.upload(course.validation)
    terms = make_terms(spec, thief.address, house.context.signer.address, 1)
    assert (await thief.ask(spec, terms)).status_code == 200


async def test_a_set_that_another_job_shows_is_no_private_one(house: House, course: Course) -> None:
    """Whoever may read the other job's evidence has the set already; what was never opened may be tried again."""
    scene = await set_scene(house, course, nodes=2, rounds=1, scored=True)
    private = replace(scene.spec, validation_holders=(HOLDER.address,))

    async def ask_for(spec: JobSpec, nonce: int) -> httpx.Response:
        terms = make_terms(spec, scene.requester.address, house.context.signer.address, 1, nonce=nonce)
        return await scene.requester.ask(spec, terms)

    shown = await ask_for(private, 2)
    assert (shown.status_code, shown.json()["field"]) == (422, "spec.validation")
    own_scans = course.task.write_examples(course.task.read_records([{"pixels": [3] * 64, "label": 3}] * 5))
    fresh = replace(private, validation=await scene.requester.upload(own_scans))
    assert [(await ask_for(fresh, nonce)).status_code for nonce in (3, 4)] == [200, 200]
    others = await ask_for(replace(fresh, validation_holders=()), 5)
    assert (others.status_code, others.json()["field"]) == (422, "spec.validation")


async def test_a_set_that_two_jobs_keep_is_shown_when_both_have_ended(house: House, course: Course) -> None:
    """Two were accepted before either was opened: the end of one must not show what the other is scored by."""
    scene = await set_scene(house, course, nodes=2, rounds=1, scored=True)
    own_scans = course.task.write_examples(course.task.read_records([{"pixels": [3] * 64, "label": 3}] * 5))
    validation = await scene.requester.upload(own_scans)
    holders = (HOLDER.address,)
    spec = replace(scene.spec, validation=validation, validation_holders=holders, evidence_readers="public")
    path = f"/v1/blobs/{validation.hex()}"

    async def ask_for(spec: JobSpec, nonce: int) -> tuple[int, bytes]:
        terms = make_terms(spec, scene.requester.address, house.context.signer.address, 1, nonce=nonce)
        return (await scene.requester.ask(spec, terms)).status_code, terms.job_id()

    async def end(job: bytes) -> int:
        await house.context.database.run_write(close, job)
        return (await house.client.get(path)).status_code

    def close(session: Session, job: bytes) -> None:
        jobs.mark_closed(session, job, at=1)

    accepted = [await ask_for(spec, nonce) for nonce in (3, 4, 5)]
    assert [status for status, _ in accepted] == [200, 200, 200]
    (_, first), (_, second), _ = accepted
    await house.fund(first)
    assert (await ask_for(spec, 6))[0] == 422, "one that was opened keeps it for itself"
    assert (await ask_for(replace(spec, validation_holders=None), 7))[0] == 422, "the requester shows it by mistake"
    assert await end(first) == 403
    await house.fund(second)
    assert await end(second) == 403, "the third may be opened yet"
    house.clock.advance(house.context.settings.acceptance_seconds + 1)
    assert (await house.client.get(path)).status_code == 200


async def test_job_without_holders_serves_its_gradient_as_ever(house: House, course: Course) -> None:
    scene = await set_scene(house, course, nodes=2, rounds=1, scored=True, evidence_readers="public")
    payloads: dict[int, bytes | None] = {node: course.train(course.initial, node, 1, 40_000) for node in (0, 1)}
    await play_round(scene, payloads)
    path = f"/v1/rounds/{to_hex(scene.job)}/1/evidence/{evidence.GRADIENT}"
    assert (await house.client.get(path)).status_code == 200
