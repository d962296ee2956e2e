"""A coordinator's folder, clock and key; opened, abandoned as by a kill, and opened again."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from sqlmodel import Session

from contracts.deployment import Deployment
from coordinator.app import build_context, create_app
from coordinator.compute.supervisor import ComputeChild
from coordinator.context import Context
from coordinator.jobs import service as jobs
from coordinator.nodes import service as nodes
from coordinator.rounds.desk import RoundDesk
from coordinator.rounds.driver import RoundDriver
from coordinator.running.worker import Worker
from coordinator.settings import load_settings
from ledger.hashing import keccak256
from ledger.signatures import Signer

URL = "http://coordinator.test"
START = 1_800_000_000
OPENED_BLOCK = 5


def make_signer(name: str) -> Signer:
    """The key of this name."""
    return Signer(keccak256(name.encode()))


@dataclass
class Clock:
    """Unix seconds that move when told to."""

    now: float = float(START)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def make_deployment() -> Deployment:
    """A deployment on a chain that nobody asks here."""
    return Deployment(
        chain_id=31_337,
        tally_token=b"\x11" * 20,
        node_registry=b"\x22" * 20,
        job_ledger=b"\x33" * 20,
        challenge_court=bytes(20),
        witness_quorum=bytes(20),
        block=1,
        code_hashes={name: bytes(32) for name in ("TallyToken", "NodeRegistry", "JobLedger")},
    )


@dataclass
class Premises:
    """Everything that survives a kill: the folder. The clock and the key go on outside."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    signer: Signer = field(default_factory=lambda: make_signer("coordinator"))
    options: dict[str, object] = field(default_factory=dict)
    compute: ComputeChild | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def build(self) -> Context:
        """The shared parts, anew."""
        deployment = self.folder / "deployment.json"
        if not deployment.exists():
            make_deployment().save(deployment)
        options = {"public_url": URL, "min_window_seconds": 5, **self.options}
        settings = load_settings(dev=True, data_dir=self.folder, deployment=deployment, **options)
        return build_context(
            settings, signer=self.signer, clock=self.clock, randomness=self.dice.randbytes, compute=self.compute
        )

    @asynccontextmanager
    async def open(self, *, worker: bool = False) -> AsyncIterator["House"]:
        """A coordinator that serves until the block ends; nothing is handed over to the next but the folder."""
        context = self.build()
        driver = Worker(context, {}, alone=False) if worker else None
        app = create_app(context, driver)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=60) as client:
                yield House(context, client, app.state.desk, self.clock, driver)


@dataclass
class House:
    """A coordinator that serves: what the chain would tell it is told here."""

    context: Context
    client: httpx.AsyncClient
    desk: RoundDesk
    clock: Clock
    worker: Worker | None = None

    def __post_init__(self) -> None:
        self.driver = RoundDriver(self.context)

    async def fund(self, job: bytes) -> None:
        """The chain reports the job's escrow."""
        await self.context.database.run_write(_fund, job, self.context.now)

    async def admit(self, node: bytes, operator: bytes, block: int = OPENED_BLOCK - 1) -> None:
        """The chain reports the node's registration, before that of jobs unless another block is named."""
        await self.context.database.run_write(_admit, node, operator, self.context.now, block)

    async def stake(self, node: bytes, amount: int) -> None:
        """The chain reports what the node has at stake now."""
        await self.context.database.run_write(nodes.mark_stake, node, amount)

    async def mine(self, block: int) -> None:
        """The chain was read up to this block."""
        await self.context.database.run_write(
            partial(nodes.note_block, next_at=self.context.now), block, hash_block(block)
        )

    async def look(self) -> None:
        """One look of the round driver, and the end of the tallies that it began."""
        await self.driver.look(timely=True)
        await self.driver.finish()


def hash_block(number: int) -> bytes:
    """The hash of a block of the chain that nobody asks."""
    return keccak256(b"block %d" % number)


def _fund(session: Session, job: bytes, now: int) -> None:
    block_hash = hash_block(OPENED_BLOCK)
    jobs.mark_opened(session, job, at=now, block=OPENED_BLOCK, block_hash=block_hash, transaction=bytes(32))


def _admit(session: Session, node: bytes, operator: bytes, now: int, block: int) -> None:
    nodes.mark_registered(
        session, node=node, operator=operator, payout=operator, at=now, block=block, transaction=bytes(32)
    )
