"""One stage for all lies of a module; each is told on a copy of it, on a chain that is put back afterwards."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contracts.deployment import Deployment
from coordinator.compute.supervisor import ComputeChild
from tests.chain.fixtures import TestChain, deployment, dev_chain
from tests.coordination.conftest import compute
from tests.coordination.learning import make_course
from tests.dishonest.stage import NODES, Scene, Stage, prepare
from tests.dishonest.watching import Auditor

__all__ = ["compute", "deployment", "dev_chain"]


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, dev_chain: TestChain, deployment: Deployment, compute: ComputeChild
) -> Stage:
    folder = tmp_path_factory.mktemp("coordinator")
    return asyncio.run(prepare(folder, dev_chain, deployment, compute, make_course(nodes=NODES)))


@pytest.fixture
def stage(tmp_path: Path, prepared: Stage) -> Iterator[Stage]:
    snapshot = prepared.chain.save()
    yield prepared.copy(tmp_path / "coordinator")
    prepared.chain.restore(snapshot)


@pytest.fixture
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    async with stage.open() as scene:
        yield scene


@pytest.fixture
def auditor(tmp_path: Path, scene: Scene) -> Auditor:
    return Auditor(scene, tmp_path / "auditor")
