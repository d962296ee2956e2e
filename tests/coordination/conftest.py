"""One compute child for all tests of a process: importing torch takes two seconds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coordinator.compute.supervisor import ComputeChild
from ledger.spec import JobSpec
from ledger.statements import Terms
from tests.coordination.learning import Course, make_course, make_spec, make_terms
from tests.coordination.people import Node, Requester
from tests.coordination.premises import House, Premises, make_signer


class LastingChild(ComputeChild):
    """A child that outlives the coordinators that use it."""

    def close(self) -> None:
        """The fixture ends it."""


@pytest.fixture(scope="session")
def compute() -> Iterator[ComputeChild]:
    child = LastingChild(threads=1)
    asyncio.run(child.warm_up())
    yield child
    ComputeChild.close(child)


@pytest.fixture(scope="session")
def course() -> Course:
    return make_course(nodes=3)


@pytest.fixture
def premises(tmp_path: Path, compute: ComputeChild) -> Premises:
    return Premises(tmp_path, compute=compute)


@pytest.fixture
async def house(premises: Premises) -> AsyncIterator[House]:
    async with premises.open() as house:
        yield house


@dataclass
class Scene:
    """A funded by-weight job with a requester and registered, present nodes, in its first round."""

    house: House
    requester: Requester
    nodes: list[Node]
    spec: JobSpec
    terms: Terms

    @property
    def job(self) -> bytes:
        return self.terms.job_id()

    def at(self, house: House) -> "Scene":
        """The same people at a coordinator that was started anew; their tokens still hold."""
        for person in (self.requester, *self.nodes):
            person.house = house
        return Scene(house, self.requester, self.nodes, self.spec, self.terms)


async def set_scene(
    house: House, course: Course, *, nodes: int = 2, rounds: int = 2, scored: bool = False, **changes: object
) -> Scene:
    """Ask for a job, fund it, and let nodes join; with `scored`, updates are scored on the validation set."""
    requester = Requester(house, make_signer("requester"))
    await requester.enter()
    initial = await requester.upload(course.initial)
    validation = await requester.upload(course.validation) if scored else None
    spec = make_spec(course, initial, validation, **changes)  # type: ignore[arg-type]  # fields of the spec by name
    terms = make_terms(spec, requester.address, house.context.signer.address, rounds)
    asked = await requester.ask(spec, terms)
    assert asked.status_code == 200, asked.text
    people = [Node(house, make_signer(f"node {number}")) for number in range(nodes)]
    for node in people:
        await node.join()
    await house.fund(terms.job_id())
    await house.look()
    return Scene(house, requester, people, spec, terms)


@pytest.fixture
async def scene(house: House, course: Course) -> Scene:
    return await set_scene(house, course)
