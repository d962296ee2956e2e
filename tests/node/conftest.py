"""A course of three shares and one compute child for all tests of a process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from coordinator.compute.supervisor import ComputeChild
from tests.coordination.conftest import LastingChild
from tests.coordination.learning import Course, make_course
from tests.coordination.premises import House, Premises
from tests.node.premises import Stage, set_stage


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
async def house(tmp_path: Path, compute: ComputeChild) -> AsyncIterator[House]:
    async with Premises(tmp_path, compute=compute).open(worker=True) as house:
        yield house


@pytest.fixture
async def stage(house: House, course: Course, tmp_path: Path) -> Stage:
    return await set_stage(house, course, tmp_path)
