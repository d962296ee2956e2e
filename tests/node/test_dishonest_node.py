"""Dishonest nodes at a real coordinator over real HTTP: they see what is there, and what is missing stops nobody."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from client.api import Api
from client.home import Home
from client.identity import Identity
from client.node.data.sources import FileSource
from client.node.work.agent import Agent
from client.node.work.dishonest import AdversaryTrainer, MixedTrainer
from client.node.work.display import Summary
from client.node.work.eyes import Eyes
from client.node.work.host import Host
from client.node.work.training import HonestTrainer, TrainingFailed, Work
from client.transport import Patience
from coordinator.compute.supervisor import ComputeChild
from coordinator.rounds import store
from learning.adversaries import ADVERSARIES, Sight
from learning.evidence import read_gradient
from learning.payload import write_update
from learning.quantise import Update
from learning.tasks import get_task
from learning.tensors import read_model, write_model
from ledger.hashing import sha256
from ledger.hexadecimal import to_address
from tests.coordination.learning import Course, make_course, make_spec
from tests.coordination.premises import House, Premises, make_signer
from tests.coordination.serving import listen, name_url, serve_app
from tests.node.premises import RULES, Stage, make_pin, set_stage

NODES = 3
ROUNDS = 3
PATIENCE_SECONDS = 120


@dataclass
class Witness:
    """A strategy that sends zeros and remembers all it saw."""

    sights: list[Sight] = field(default_factory=list)

    def __call__(self, sight: Sight) -> Update:
        self.sights.append(sight)
        # Looks at everything while the round is on.
        assert len(sight.models) >= len(sight.gradients)
        assert all(len(earlier) for earlier in sight.updates)
        assert len(sight.accomplices) >= 1
        return sight.nothing()


@dataclass
class Ground:
    """A coordinator that serves on loopback, a scored job, two honest nodes and one that plays a strategy."""

    stage: Stage
    url: str
    folder: Path

    @property
    def house(self) -> House:
        return self.stage.house

    def create_eyes(self, patience: Patience | None = None) -> Eyes:
        api = Api(self.url, patience=patience)
        return Eyes(Identity(api, self.stage.signer(2), make_pin(self.house).chain_id, self.house.clock))

    def create_host(self, behave: Witness) -> Host:
        nodes = [self.stage.signer(number).address for number in range(NODES)]
        honest = HonestTrainer("test", "cpu")
        cheat = AdversaryTrainer("witness", behave, self.create_eyes(), nodes[1:], "test", "cpu")
        readers = {node: FileSource(file).read for node, file in zip(nodes, self.stage.files, strict=True)}
        return Host(
            url=self.url,
            pin=make_pin(self.house),
            home=Home(self.folder / "home"),
            trainer=MixedTrainer({nodes[0]: honest, nodes[1]: honest, nodes[2]: cheat}),
            display=Summary(NODES),
            rules=replace(RULES, rounds=ROUNDS),
            nodes=NODES,
            readers=readers,
            now=self.house.clock,
            patience=Patience(attempts=3, first_seconds=0.0),
        )

    async def run(self, behave: Witness) -> None:
        """All three nodes, to the end of their rounds."""
        host = self.create_host(behave)
        agents = [
            Agent(host, self.stage.signer(number), FileSource(self.stage.files[number])) for number in range(NODES)
        ]
        try:
            await asyncio.wait_for(asyncio.gather(*(agent.run() for agent in agents)), PATIENCE_SECONDS)
        finally:
            await host.close()

    async def read(self, number: int) -> tuple[dict[str, bytes], set[bytes], bytes]:
        """Evidence files, payload digests and the base model of a round, from the coordinator's own folder."""
        return await self.house.context.database.run_read(_read_round, self.house, self.stage.job, number)


def _read_round(session: Session, house: House, job: bytes, number: int) -> tuple[dict[str, bytes], set[bytes], bytes]:
    blobs = house.context.blobs
    files = {name: blobs.load(row.sha256) for name, row in store.list_evidence(session, job, number).items()}
    (row,) = [row for row in store.list_rounds(session, job) if row.round == number]
    return files, store.list_payloads(session, job, number), blobs.load(row.base_model)


@asynccontextmanager
async def open_ground(
    folder: Path, compute: ComputeChild, course: Course, auditors: Sequence[bytes] = ()
) -> AsyncIterator[Ground]:
    """Everything over one socket: texts to sign name its address."""
    listener = listen()
    url = name_url(listener)
    options: dict[str, object] = {"public_url": url, "auditors": ",".join(map(to_address, auditors)) or None}
    async with Premises(folder, compute=compute, options=options).open(worker=True) as house:
        terms: dict[str, Any] = {"rounds": ROUNDS, "bond": 100 * 10**18}
        stage = await set_stage(house, course, folder, nodes=NODES, scored=True, **terms)
        async with serve_app(stage.app, listener):
            yield Ground(stage, url, folder)


async def test_what_a_node_sees_is_what_was_published(tmp_path: Path, compute: ComputeChild, course: Course) -> None:
    witness = Witness()
    async with open_ground(tmp_path, compute, course) as ground:
        await ground.run(witness)
        files, payloads, models = {}, {}, []
        for number in range(1, ROUNDS + 1):
            files[number], payloads[number], model = await ground.read(number)
            models.append(read_model(course.task.layout, model))
    assert [len(sight.models) for sight in witness.sights] == [1, 2, 3]
    assert [len(sight.updates) for sight in witness.sights] == [0, 1, 2]
    last = witness.sights[-1]
    assert all(np.array_equal(seen, real) for seen, real in zip(last.models, models, strict=True))
    for number, updates in enumerate(last.updates, start=1):
        assert {sha256(write_update(update)) for update in updates} == payloads[number]
    size = course.task.layout.size
    published = [read_gradient(files[number], size) for number in (1, 2)]
    assert [seen.values.tolist() for seen in last.gradients] == [real.values.tolist() for real in published if real]
    assert len(last.gradients) >= 1
    shares = [course.task.write_examples(examples) for examples in last.accomplices]
    assert shares == [file.read_bytes() for file in ground.stage.files[1:]]


async def test_node_that_may_not_read_evidence_goes_on_with_what_it_has(
    tmp_path: Path, compute: ComputeChild, course: Course
) -> None:
    witness = Witness()
    async with open_ground(tmp_path, compute, course, auditors=[make_signer("an auditor").address]) as ground:
        await ground.run(witness)
    assert [len(sight.models) for sight in witness.sights] == [1, 2, 3]
    assert [(len(sight.updates), len(sight.gradients)) for sight in witness.sights] == [(0, 0)] * ROUNDS


async def test_payload_that_is_gone_is_not_seen_and_the_others_are(
    tmp_path: Path, compute: ComputeChild, course: Course
) -> None:
    async with open_ground(tmp_path, compute, course) as ground:
        await ground.run(Witness())
        payloads = (await ground.read(1))[1]
        idle = sha256(write_update(np.zeros(course.task.layout.size, np.int16)))
        gone = min(payloads - {idle})
        ground.house.context.blobs.remove(gone)
        eyes = ground.create_eyes()
        seen = eyes.see_updates(ground.stage.job, 2, course.task.layout.size)
        updates = await asyncio.to_thread(lambda: seen[0])
        eyes.close()
    assert {sha256(write_update(update)) for update in updates} == payloads - {gone}


async def test_round_that_nobody_has_heard_of_is_not_seen(
    tmp_path: Path, compute: ComputeChild, course: Course
) -> None:
    async with open_ground(tmp_path, compute, course) as ground:
        eyes, size = ground.create_eyes(), course.task.layout.size
        unknown = bytes(32)
        looks = (eyes.see_updates(unknown, 4, size), eyes.see_gradients(unknown, 4, size))
        assert await asyncio.to_thread(lambda: [len(look) for look in looks]) == [0, 0]
        eyes.close()


async def test_node_that_cannot_look_waits_like_any_other(tmp_path: Path, stage: Stage) -> None:
    """No coordinator listens where this node looks: it sends nothing, tells why, and does not end."""
    api = Api("http://127.0.0.1:9", patience=Patience(attempts=1))
    eyes = Eyes(Identity(api, stage.signer(0), make_pin(stage.house).chain_id, stage.house.clock))
    cheat = AdversaryTrainer("replayed-move", ADVERSARIES["replayed-move"], eyes, (), "test", "cpu")
    task = get_task("digits", {"hidden": 1, "epochs": 1})
    model = write_model(task.layout, task.initial_model(1))
    spec = make_spec(make_course(2), bytes(32), None)
    read = FileSource(stage.files[0]).read
    work = Work(stage.job, 2, stage.signer(0).address, spec, model, read, 4_096, 1, {})
    with pytest.raises(TrainingFailed, match="`replayed-move` sees nothing: expected an answer from"):
        await asyncio.to_thread(cheat.train, work)
    cheat.close()
