"""A real coordinator in this process, on a real chain: round 1 is final, round 2 is sealed and not posted yet.

It is played once; every lie begins from a copy of the coordinator's folder and a snapshot of the chain.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contracts.chain import Chain
from contracts.deployment import Deployment
from contracts.escrow import deposit_bond, open_job
from contracts.gateway import Gateway
from contracts.rpc import Rpc
from contracts.sender import Sender
from coordinator.compute.supervisor import ComputeChild
from coordinator.settlement.settlement import Settlement
from ledger.signatures import Signer
from ledger.spec import JobSpec
from ledger.statements import Acceptance, Receipt, Signed, Terms
from tests.chain.fixtures import TestChain, wait_mined
from tests.coordination.learning import Course, make_spec, make_terms
from tests.coordination.people import Node, Requester
from tests.coordination.premises import House, Premises, make_signer
from tests.coordination.serving import serve

NODES = 3
WINDOW = 600
ANCHOR_SECONDS = 3_600
TOKEN = 10**18
HOLDER, REQUESTER, COORDINATOR, AUDITOR = range(4)


@dataclass
class ChainClock:
    """The newest block's time: it stands still until somebody mines."""

    rpc: Rpc

    def __call__(self) -> float:
        block = self.rpc.fetch("eth_getBlockByNumber", "latest", False)
        return float(int(block["timestamp"], 16))

    def advance(self, seconds: float) -> None:
        self.rpc.send("evm_increaseTime", hex(int(seconds)))
        self.rpc.send("anvil_mine", "0x1")


@dataclass
class Stage:
    """What survives a kill, and what is on chain.

    Attributes:
        folder: the coordinator's.
        receipts: of round 2, as its nodes hold them.
    """

    folder: Path
    chain: TestChain
    deployment: Deployment
    compute: ComputeChild
    spec: JobSpec
    terms: Terms
    receipts: list[Signed[Receipt]] = field(default_factory=list)

    @property
    def job(self) -> bytes:
        return self.terms.job_id()

    def signer(self, number: int) -> Signer:
        return Signer(self.chain.chain.accounts[number].private_key)

    def copy(self, folder: Path) -> "Stage":
        """The same coordinator, elsewhere: what it does there leaves this one as it is."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Stage(folder, self.chain, self.deployment, self.compute, self.spec, self.terms, list(self.receipts))

    def sender(self, gateway: Gateway, number: int) -> Sender:
        return Sender(gateway, self.signer(number), poll_seconds=0.01)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Scene"]:
        """The coordinator runs, and its API is served on loopback."""
        with Rpc(self.chain.url) as clock_rpc, Gateway.connect(self.chain.url, self.deployment) as gateway:
            premises = Premises(
                self.folder,
                clock=ChainClock(clock_rpc),  # type: ignore[arg-type]  # a clock, as the premises' own is
                signer=self.signer(COORDINATOR),
                options={"rpc_url": self.chain.url, "confirmations": 0},
                compute=self.compute,
            )
            async with premises.open() as house, serve(house) as url:
                settlement = Settlement(house.context, gateway)
                yield Scene(self, house, gateway, settlement, url)


@dataclass
class Scene:
    """A stage that is open."""

    stage: Stage
    house: House
    gateway: Gateway
    settlement: Settlement
    url: str

    async def settle(self, times: int = 2) -> None:
        """Looks of the settlement worker."""
        for _ in range(times):
            assert await asyncio.to_thread(self.settlement.look)
            await asyncio.to_thread(wait_mined, self.gateway.rpc)

    def pass_time(self, seconds: int) -> None:
        self.stage.chain.pass_time(seconds)


async def prepare(
    folder: Path, chain: TestChain, deployment: Deployment, compute: ComputeChild, course: Course
) -> Stage:
    """Plays the job up to the sealed second round."""
    deployment.save(folder / "deployment.json")
    requester, coordinator = (Signer(chain.chain.accounts[number].private_key) for number in (REQUESTER, COORDINATOR))
    with Rpc(chain.url) as rpc:
        holder = Sender(Chain(rpc, 31337), Signer(chain.chain.accounts[HOLDER].private_key), poll_seconds=0.01)
        with Gateway.connect(chain.url, deployment) as gateway:
            for address in (requester.address, coordinator.address):
                holder.execute(gateway.calls.transfer(address, 1_000 * TOKEN))
            deposit_bond(gateway, Sender(gateway, coordinator, poll_seconds=0.01), 100 * TOKEN)
    placeholder = make_spec(course, bytes(32), None)
    terms = make_terms(placeholder, requester.address, coordinator.address)
    stage = Stage(folder, chain, deployment, compute, placeholder, terms)
    async with stage.open() as scene:
        nodes = await _begin(scene, course)
        await _play(scene, nodes, 1)
        await scene.settle(3)
        stage.receipts = await _play(scene, nodes, 2)
        scene.pass_time(WINDOW + 1)
    return stage


async def _begin(scene: Scene, course: Course) -> list[Node]:
    """A by-weight job, accepted, funded and joined."""
    stage, house = scene.stage, scene.house
    person = Requester(house, stage.signer(REQUESTER))
    await person.enter()
    initial = await person.upload(course.initial)
    stage.spec = make_spec(course, initial, None, evidence_readers="public")
    stage.terms = make_terms(
        stage.spec,
        person.address,
        stage.signer(COORDINATOR).address,
        rounds=4,
        token=stage.deployment.tally_token,
        window=WINDOW,
        anchor_seconds=ANCHOR_SECONDS,
        budget_per_round=10 * TOKEN,
        price_per_nat=TOKEN,
        bond=100 * TOKEN,
    )
    asked = await person.ask(stage.spec, stage.terms)
    assert asked.status_code == 200, asked.text
    acceptance = Signed.from_json(Acceptance, asked.json()["acceptance"])
    sender = stage.sender(scene.gateway, REQUESTER)
    await asyncio.to_thread(open_job, scene.gateway, sender, stage.terms, acceptance)
    nodes = [Node(house, make_signer(f"node {number}")) for number in range(NODES)]
    for node in nodes:
        assert (await node.register()).status_code == 202
    await scene.settle(3)
    for node in nodes:
        await node.enter()
        await node.poll(0)
    await house.look()
    return nodes


async def _play(scene: Scene, nodes: list[Node], number: int) -> list[Signed[Receipt]]:
    """Everyone commits and reveals; the round is sealed. Returns the receipts."""
    from tests.coordination.playing import make_payload  # noqa: PLC0415

    receipts = []
    for place, node in enumerate(nodes):
        assignment = await node.poll(0)
        assert assignment is not None
        assert (assignment["kind"], assignment["round"]) == ("commit", number)
        body = node.sign(assignment, make_payload(10 * number + place))
        answer = await node.house.client.post("/v1/contributions", json=body)
        assert answer.status_code == 200, answer.text
        receipts.append(Signed.from_json(Receipt, answer.json()))
    for node in nodes:
        assignment = await node.poll(0)
        assert assignment is not None
        assert (await node.reveal(assignment)).status_code == 200
    await scene.house.look()
    return receipts
