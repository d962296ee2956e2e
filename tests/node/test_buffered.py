"""Buffered rounds with real nodes: nobody waits for a slow one, and its work is taken late, at its age, and paid."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.api import Api
from client.auditor import Report, Sources, audit
from client.auditor.checks import ALL_CHECKS
from client.auditor.evidence.coordinator import CoordinatorEvidence
from client.node.records.journal import Kept
from client.node.work.agent import Agent
from client.node.work.host import Host
from client.node.work.training import HonestTrainer, Trained, Work
from coordinator.compute.supervisor import ComputeChild
from coordinator.rounds import store
from coordinator.rounds.service import load_entry, load_header
from coordinator.rounds.tables import RoundRow
from ledger.entry import SCORE_BITS, Entry, Verdict
from ledger.hexadecimal import to_hex
from ledger.spec import Cohort, Staleness
from ledger.verify.results import Outcome
from ledger.wire import ContributionRequest
from tests.coordination.learning import Course, make_course
from tests.coordination.premises import House, Premises
from tests.coordination.serving import serve
from tests.coordination.test_audit import build_facts
from tests.node.premises import RULES, Stage, Wire, open_host, set_stage
from tests.node.test_node_at_work import PATIENCE_SECONDS, wait_for
from tests.simulated.audit import find
from tests.simulated.sources import SimulatedChain

FAST, SLOW = 3, 3
PATIENT = replace(RULES, rounds=None, max_ahead=100)


class BriskTrainer(HonestTrainer):
    """Trains long enough for who needs not train to be first."""

    def train(self, work: Work) -> Trained:
        time.sleep(0.1)
        return super().train(work)


@dataclass
class GatedTrainer(HonestTrainer):
    """Trains for as long as the test wants it to."""

    began: int = 0
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        super().__init__("test", "cpu")

    def train(self, work: Work) -> Trained:
        self.began += 1
        self.gate.acquire()
        return super().train(work)


@pytest.fixture
async def house(tmp_path: Path, compute: ComputeChild) -> AsyncIterator[House]:
    premises = Premises(tmp_path, compute=compute, options={"max_unanchored_rounds": 100})
    async with premises.open(worker=True) as house:
        yield house


@pytest.fixture(scope="session")
def course() -> Course:
    """The slow node, the last, has the digits that nobody else has."""
    whole = make_course(nodes=1, hidden=8)
    labels = whole.shares[0]["labels"]
    common, rare = np.flatnonzero(labels >= 3), np.flatnonzero(labels < 3)
    chosen = [*(common[node::FAST] for node in range(FAST)), rare]
    shares = tuple({name: array[places] for name, array in whole.shares[0].items()} for places in chosen)
    return replace(whole, shares=shares)


@dataclass
class Fleet:
    """Three brisk nodes and a slow one at work, each with a process's parts of its own; the slow one is the last."""

    stage: Stage
    hosts: list[Host]
    trainer: GatedTrainer
    tasks: list["asyncio.Task[None]"]

    @property
    def slow(self) -> bytes:
        return self.stage.signer(SLOW).address

    def rounds(self) -> list[RoundRow]:
        with self.stage.house.context.database.read() as session:
            return list(store.list_rounds(session, self.stage.job))

    def count_sealed(self) -> int:
        return sum(row.header_digest is not None for row in self.rounds())

    def contributions(self) -> list[Kept]:
        return self.hosts[SLOW].journal.find_all(self.slow)

    def find_revealed(self) -> list[Kept]:
        return [kept for kept in self.contributions() if kept.state == "revealed"]

    def entry(self, number: int) -> Entry:
        with self.stage.house.context.database.read() as session:
            return load_entry(session, self.stage.job, number, self.slow)[0]

    async def until(self, *conditions: Any) -> None:
        """Until all hold, while no node has died."""

        def holds() -> bool:
            for task in self.tasks:
                if task.done():
                    task.result()
            return all(condition() for condition in conditions)

        await asyncio.wait_for(wait_for(holds), PATIENCE_SECONDS)


def read_report(kept: Kept) -> dict[str, str]:
    return ContributionRequest.model_validate_json(kept.request).report


@asynccontextmanager
async def employ(
    house: House,
    course: Course,
    folder: Path,
    *,
    max_age: int = 8,
    closes_at: int = FAST,
    rounds: int = 12,
    scored: bool = True,
) -> AsyncIterator[Fleet]:
    rules = {
        "cohort": Cohort(2, 100, closes_at),
        "staleness": Staleness(max_age, "0.5" if max_age else "1"),
        "evidence_readers": "public",
    }
    stage = await set_stage(house, course, folder, nodes=4, scored=scored, rules=rules, rounds=rounds)
    trainer = GatedTrainer()
    hosts = [
        open_host(
            house,
            folder / f"home {number}",
            Wire(stage.app),
            rules=PATIENT,
            trainer=trainer if number == SLOW else BriskTrainer("test", "cpu"),
        )
        for number in range(4)
    ]
    agents: list[Agent] = [stage.agent(host, number) for number, host in enumerate(hosts)]
    fleet = Fleet(stage, hosts, trainer, [])
    with ended(fleet):
        fleet.tasks += [asyncio.create_task(agent.run()) for agent in reversed(agents)]
        await fleet.until(lambda: trainer.began == 1)
        yield fleet
    await asyncio.gather(*fleet.tasks, return_exceptions=True)
    for host in hosts:
        await host.close()


@contextmanager
def ended(fleet: Fleet) -> Iterator[None]:
    try:
        yield
    finally:
        fleet.trainer.gate.release(1_000)
        for task in fleet.tasks:
            task.cancel()


async def audit_job(fleet: Fleet) -> Report:
    headers = [load_header(row) for row in fleet.rounds()]
    statements = [header.statement for header in headers if header is not None]
    nodes = [fleet.stage.signer(number).address for number in range(SLOW + 1)]
    facts = build_facts(fleet.stage.terms, statements, nodes)
    async with serve(fleet.stage.house) as url:

        def work() -> Report:
            with Api(url) as api:
                return audit(fleet.stage.job, Sources(CoordinatorEvidence(api, None), SimulatedChain(facts)))

        return await asyncio.to_thread(work)


@pytest.mark.parametrize("scored", [False, True], ids=["by weight", "by effect"])
async def test_slow_node_is_not_waited_for_and_its_late_work_is_paid_and_audited(
    house: House, course: Course, tmp_path: Path, *, scored: bool
) -> None:
    """The clock stands still here: a round that waited for the slow node would never end.

    By weight, late work is paid its discounted weight; by effect what it does, which may be nothing.
    """
    async with employ(house, course, tmp_path, scored=scored) as fleet:
        before = fleet.count_sealed()
        await fleet.until(lambda: fleet.count_sealed() >= before + 2)
        assert fleet.contributions() == []
        fleet.trainer.gate.release()
        await fleet.until(lambda: len(fleet.find_revealed()) == 1)
        assert fleet.trainer.began == 1, "it trained once, for a round that closed without it"
        await fleet.until(lambda: fleet.count_sealed() == 12)
        refused, *_ = fleet.contributions()
        (late,) = fleet.find_revealed()
        assert refused.state == "ended"
        assert "RoundClosed" in refused.detail
        rows, report = {row.round: row for row in fleet.rounds()}, read_report(late)
        trained_from = rows[refused.round].base_model
        bases = [rows[number].base_model for number in range(late.round, 0, -1)]
        age = bases.index(trained_from)
        assert (report["age"], report["trainedFrom"]) == (str(age), to_hex(trained_from))
        entry = fleet.entry(late.round)
        assert (entry.body.verdict, entry.body.weight) == (Verdict.ACCEPTED, 1024 >> age)
        if not scored:  # by effect, void rounds may leave model and clip as they were
            assert age >= 2
            assert rows[late.round].clip != rows[refused.round].clip, "it was rounded anew under the round's own clip"
            assert entry.body.score == entry.body.weight << SCORE_BITS
            assert entry.body.reward > 0
        found = await audit_job(fleet)
        # Who was registered, only a chain's registry tells, and here is none.
        assert [str(result) for result in found.results if result.outcome is Outcome.FAIL] == []
        assert find(found.results, Outcome.UNKNOWN) <= {"cohort-population"}
        assert find(found.results, Outcome.PASS) >= set(ALL_CHECKS) - {"cohort-population"}


async def test_move_that_is_too_old_is_dropped_and_the_node_trains_anew(
    house: House, course: Course, tmp_path: Path
) -> None:
    async with employ(house, course, tmp_path, max_age=1, rounds=30) as fleet:
        before = fleet.count_sealed()
        await fleet.until(lambda: fleet.count_sealed() >= before + 3)
        fleet.trainer.gate.release()
        await fleet.until(lambda: fleet.trainer.began == 2)
        assert [kept.state for kept in fleet.contributions()] == ["ended"]


async def test_job_that_takes_none_gets_no_stale_move(house: House, course: Course, tmp_path: Path) -> None:
    async with employ(house, course, tmp_path, max_age=0, rounds=30) as fleet:
        before = fleet.count_sealed()
        await fleet.until(lambda: fleet.count_sealed() >= before + 2)
        fleet.trainer.gate.release()
        await fleet.until(lambda: fleet.trainer.began == 2)
        (refused,) = fleet.contributions()
        assert "age" not in read_report(refused)


async def test_node_that_died_with_its_move_trains_anew(house: House, course: Course, tmp_path: Path) -> None:
    """A stale move is nowhere but in memory; the journal still knows what was signed, and nothing is signed twice."""
    async with employ(house, course, tmp_path, rounds=60) as fleet:
        before = fleet.count_sealed()
        await fleet.until(lambda: fleet.count_sealed() >= before + 2)
        fleet.tasks.pop(0).cancel()
        fleet.trainer.gate.release()
        again = open_host(house, tmp_path / "home again", Wire(fleet.stage.app), rules=PATIENT)
        fleet.hosts.append(again)
        fleet.tasks.append(asyncio.create_task(fleet.stage.agent(again, SLOW).run()))
        await fleet.until(lambda: any(kept.state == "revealed" for kept in again.journal.find_all(fleet.slow)))
        first = again.journal.find_all(fleet.slow)[0]
        assert read_report(first)["age"] == "0"
        numbers = [kept.round for kept in again.journal.find_all(fleet.slow)]
        assert len(set(numbers)) == len(numbers)
