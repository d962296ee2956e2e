"""Jobs and files: what is accepted, what is refused and by which field, and who may fetch what."""

from typing import Any

import httpx
import pytest

from coordinator.jobs import service as jobs
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex
from ledger.spec import TaskChoice
from ledger.statements import Acceptance, Signed
from tests.coordination.conftest import Scene, set_scene
from tests.coordination.learning import Course, make_spec, make_terms
from tests.coordination.people import DOMAIN, Person, Requester
from tests.coordination.premises import House, Premises, make_signer


@pytest.fixture
async def requester(house: House) -> Requester:
    person = Requester(house, make_signer("requester"))
    await person.enter()
    return person


async def propose(requester: Requester, course: Course, spec: Any = None, terms: Any = None) -> httpx.Response:
    """Ask for a by-weight job with some fields changed."""
    initial = await requester.upload(course.initial)
    fitting = make_spec(course, **({"initial": initial, "validation": None} | (spec or {})))
    coordinator = requester.house.context.signer.address
    return await requester.ask(
        fitting, make_terms(fitting, **{"requester": requester.address, "coordinator": coordinator} | (terms or {}))
    )


async def test_acceptance_is_signed_and_the_same_again(requester: Requester, course: Course) -> None:
    first, second = await propose(requester, course), await propose(requester, course)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    signed = Signed.from_json(Acceptance, first.json()["acceptance"])
    signed.verify(DOMAIN, requester.house.context.signer.address)
    job = await requester.get(f"/v1/jobs/{first.json()['job']}")
    assert job["state"] == "accepted"
    spec = await requester.send("GET", f"/v1/jobs/{first.json()['job']}/spec")
    assert to_hex(sha256(spec.content)) == job["terms"]["specDigest"]


@pytest.mark.parametrize(
    ("spec", "terms", "field"),
    [
        ({}, {"coordinator": b"\x01" * 20}, "terms.coordinator"),
        ({}, {"requester": b"\x01" * 20}, "terms.requester"),
        ({}, {"spec_digest": b"\x01" * 32}, "terms.specDigest"),
        ({}, {"token": b"\x02" * 20}, "terms.token"),
        ({}, {"rounds": 0}, "terms.rounds"),
        ({}, {"window": 1}, "terms.window"),
        ({}, {"anchor_seconds": 49}, "terms.anchorSeconds"),
        ({}, {"threshold": 1}, "terms.threshold"),
        ({}, {"witnesses": b"\x01" * 32}, "terms.witnesses"),
        ({"verifiable": True}, {}, "spec.verifiable"),
        ({"initial": b"\x01" * 32}, {}, "spec.initialModel"),
        ({"validation": b"\x01" * 32}, {}, "spec.validation"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_unfit_job_is_refused_by_its_field(
    requester: Requester, course: Course, spec: Any, terms: Any, field: str
) -> None:
    response = await propose(requester, course, spec, terms)
    answer = response.json()
    assert (response.status_code, answer["error"], answer["field"]) == (422, "JobRefused", field)
    assert await requester.get("/v1/jobs") == []


async def test_unknown_task_and_unreadable_files_are_refused(requester: Requester, course: Course) -> None:
    unknown = await propose(requester, course, {"task": TaskChoice("poetry", {})})
    assert (unknown.status_code, unknown.json()["error"]) == (422, "MalformedSpec")
    nonsense = await requester.upload(b"\x80\x04 not a model")
    model = await propose(requester, course, {"initial": nonsense})
    assert (model.status_code, model.json()["error"]) == (422, "MalformedArrays")
    validation = await propose(requester, course, {"validation": nonsense})
    assert (validation.status_code, validation.json()["error"]) == (422, "MalformedArrays")
    assert await requester.get("/v1/jobs") == []


async def test_files_that_no_round_could_be_measured_with_are_refused(requester: Requester, course: Course) -> None:
    """Such a round would never be sealed, and an honest coordinator lose its bond for a round that is not anchored."""
    nothing = await requester.upload(course.task.write_examples(course.task.read_records([])))
    validation = await propose(requester, course, {"validation": nothing})
    assert (validation.status_code, validation.json()["error"]) == (422, "MalformedExamples")
    assert "at least one position" in validation.json()["detail"]
    spec = make_spec(course, await requester.upload(course.initial), None)
    terms = make_terms(spec, requester.address, requester.house.context.signer.address)
    holdout = await requester.ask(spec, terms, holdout=nothing)
    assert (holdout.status_code, holdout.json()["error"]) == (422, "MalformedExamples")
    assert await requester.get("/v1/jobs") == []


async def test_malformed_spec_is_refused_by_its_field(requester: Requester, course: Course) -> None:
    spec = make_spec(course, sha256(course.initial), None)
    terms = make_terms(spec, requester.address, requester.house.context.signer.address)
    body = {"spec": spec.to_json() | {"commitSeconds": "30"}, "terms": terms.to_json()}
    response = await requester.send("POST", "/v1/jobs", json=body)
    assert (response.status_code, response.json()["error"]) == (422, "MalformedSpec")
    assert response.json()["subject"] == "commitSeconds"


async def test_only_listed_requesters_may_ask(premises: Premises, course: Course) -> None:
    premises.options["requesters"] = "0x" + make_signer("requester").address.hex()
    async with premises.open() as house:
        listed, other = Requester(house, make_signer("requester")), Requester(house, make_signer("other"))
        for person in (listed, other):
            await person.enter()
        assert (await propose(listed, course)).status_code == 200
        refused = await other.send("PUT", f"/v1/blobs/{sha256(b'x').hex()}", content=b"x")
        assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")


async def test_upload_under_another_name_keeps_nothing(requester: Requester) -> None:
    response = await requester.send("PUT", f"/v1/blobs/{'00' * 32}", content=b"something")
    assert (response.status_code, response.json()["error"]) == (422, "BlobMismatch")
    assert not requester.house.context.blobs.has(sha256(b"something"))


async def test_upload_over_cap_and_quota_is_refused(premises: Premises) -> None:
    premises.options |= {"max_blob_bytes": 1_000, "upload_quota_bytes": 1_500}
    async with premises.open() as house:
        person = Requester(house, make_signer("requester"))
        await person.enter()
        large = await person.send("PUT", f"/v1/blobs/{sha256(bytes(1_001)).hex()}", content=bytes(1_001))
        assert (large.status_code, large.json()["error"]) == (413, "BlobTooLarge")
        for content in (b"a" * 1_000, b"b" * 1_000):
            await person.upload(content)
        full = await person.send("PUT", f"/v1/blobs/{sha256(b'c').hex()}", content=b"c")
        assert (full.status_code, full.json()["error"]) == (413, "UploadQuotaUsed")


async def test_files_are_for_whom_the_job_says(house: House, course: Course) -> None:
    scene = await set_scene(house, course, scored=True)
    stranger = Person(house, make_signer("stranger"))
    await stranger.enter()
    model, validation = f"/v1/blobs/{sha256(course.initial).hex()}", f"/v1/blobs/{sha256(course.validation).hex()}"
    assert (await house.client.get(model)).content == course.initial
    assert (await house.client.get(validation)).json()["error"] == "UnknownBlob"
    assert (await stranger.send("GET", validation)).content == course.validation
    private = await scene.requester.upload(b"mine alone")
    assert (await stranger.send("GET", f"/v1/blobs/{private.hex()}")).status_code == 404
    assert (await scene.requester.send("GET", f"/v1/blobs/{private.hex()}")).content == b"mine alone"


async def test_part_of_a_file_can_be_fetched(scene: Scene, course: Course) -> None:
    path = f"/v1/blobs/{sha256(course.initial).hex()}"
    response = await scene.house.client.get(path, headers={"Range": "bytes=10-19"})
    assert (response.status_code, response.content) == (206, course.initial[10:20])


async def test_evidence_is_for_listed_auditors_only(premises: Premises, course: Course) -> None:
    auditor = make_signer("auditor")
    premises.options["auditors"] = "0x" + auditor.address.hex()
    async with premises.open() as house:
        scene = await set_scene(house, course, scored=True)
        path = f"/v1/blobs/{sha256(course.validation).hex()}"
        people = [Person(house, auditor), Person(house, make_signer("stranger"))]
        for person in people:
            await person.enter()
        assert [(await person.send("GET", path)).status_code for person in people] == [200, 404]
        assert (await scene.requester.send("GET", path)).status_code == 200


async def test_chain_moves_a_job_and_repeating_changes_nothing(scene: Scene) -> None:
    with scene.house.context.database.write() as session:
        jobs.mark_opened(session, scene.job, at=5, block=9, block_hash=bytes(32), transaction=bytes(32))
        jobs.mark_closing(session, scene.job, at=6, closes_at=100)
        jobs.mark_closing(session, scene.job, at=6, closes_at=100)
        jobs.mark_closed(session, scene.job, at=7)
        jobs.mark_closed(session, scene.job, at=7)
    job = await scene.requester.get(f"/v1/jobs/{to_hex(scene.job)}")
    assert (job["state"], job["openedBlock"]) == ("closed", 9)
    logs = await scene.requester.get(f"/v1/jobs/{to_hex(scene.job)}/logs")
    assert sum("closed on chain" in line["text"] for line in logs) == 1


async def test_unknown_job_is_said_so(house: House) -> None:
    for path in ("", "/spec", "/terms", "/logs", "/rounds", "/nodes", "/events"):
        response = await house.client.get(f"/v1/jobs/{to_hex(b'j' * 32)}{path}")
        assert (response.status_code, response.json()["error"]) == (404, "UnknownJob"), path


async def test_info_and_health(house: House) -> None:
    info = (await house.client.get("/v1/info")).json()
    assert (info["protocol"], info["chainId"]) == (1, 31_337)
    assert (await house.client.get("/healthz")).json() == {"status": "ok"}
    assert (await house.client.get("/readyz")).status_code == 200
