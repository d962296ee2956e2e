"""Nodes in a job that weighs by vouched samples, with the real platform: who is vouched for works, the rest wait."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from client.api import AsyncApi
from client.demo.platform.app import create_app
from client.demo.platform.catalogue import Catalogue, Event
from client.demo.platform.register import Register
from client.demo.platform.tokens import issue_token
from client.demo.platform.vouchers import VoucherDesk
from client.node.data.samples import SampleStore
from client.node.data.sources import FileSource, PlatformSource, Source
from client.node.work.agent import Agent
from client.node.work.host import Host
from client.transport import Patience
from coordinator.rounds.tables import ContributionRow, EntryRow
from learning.tasks import get_task
from learning.tensors import write_model
from ledger import canonical
from ledger.entry import Entry, Verdict
from ledger.hexadecimal import to_hex
from ledger.signatures import Signer
from ledger.spec import TaskChoice, Vouchers
from ledger.statements import Voucher
from tests.coordination.learning import Course, make_spec, make_terms
from tests.coordination.people import DOMAIN, Requester
from tests.coordination.premises import House, make_signer
from tests.node.premises import RULES, Wire, open_host

KEY = b"\7" * 32
SECRET = b"a platform's secret"
TASK = get_task("recommender", {"items": 30, "dimensions": 4, "recentDimensions": 2, "steps": 2})
CAP = 8
# Two viewers a node: 12 views each, of which 8 count.
VIEWERS = {0: ("a", "b"), 1: ("c", "d")}
PATIENCE_SECONDS = 120


@dataclass
class Notes:
    """A display that keeps why nodes are paused."""

    pauses: list[str] = field(default_factory=list)

    def show(self, node: bytes, phase: str, *, job: bytes = b"", round_number: int = 0, note: str = "") -> None:
        del node, job, round_number
        if phase == "paused":
            self.pauses.append(note)


@dataclass
class Street:
    """A vouched job at a coordinator, and a platform that can be cut off."""

    house: House
    folder: Path
    job: bytes
    app: object
    notes: Notes = field(default_factory=Notes)
    cut: bool = False

    def source(self, number: int, *viewers: str) -> PlatformSource:
        transport = _Cut(self)
        api = AsyncApi("http://platform.test", patience=Patience(attempts=2, first_seconds=0.0), transport=transport)
        store = SampleStore.load(self.folder / f"samples-{number}.jsonl")
        token = issue_token(SECRET, viewers or VIEWERS[number])
        return PlatformSource(api, token, store, asyncio.Semaphore(8), 0.0, lambda: 0.0)

    def open_host(self, name: str = "home", rounds: int | None = 2) -> Host:
        transport = self.house.client._transport
        assert isinstance(transport, httpx.ASGITransport)
        rules = replace(RULES, rounds=rounds)
        host = open_host(self.house, self.folder / name, Wire(transport.app), rules=rules)
        host.display = self.notes
        return host

    def list_entries(self) -> list[Entry]:
        with self.house.context.database.read() as session:
            rows = session.exec(select(EntryRow).order_by("round", "seq")).all()
            return [Entry.from_json(canonical.decode(row.entry)) for row in rows]

    def list_contributions(self) -> list[ContributionRow]:
        with self.house.context.database.read() as session:
            return list(session.exec(select(ContributionRow)).all())


class _Cut(httpx.AsyncBaseTransport):
    def __init__(self, street: Street) -> None:
        self._street = street
        self._inner = httpx.ASGITransport(street.app)  # type: ignore[arg-type]  # an ASGI application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._street.cut:
            raise httpx.ConnectError("the platform is down")
        return await self._inner.handle_async_request(request)


def open_platform(folder: Path, key: bytes = KEY) -> object:
    views = [(viewer, (3 * at + ord(viewer)) % 30) for at in range(12) for viewer in "abcd"]
    events: dict[str, list[Event]] = {}
    for seq, (viewer, item) in enumerate(views, start=1):
        events.setdefault(viewer, []).append(Event(seq, viewer, item, 1_000 + seq))
    catalogue = Catalogue([f"title {item}" for item in range(30)], events)
    return create_app(catalogue, SECRET, VoucherDesk(catalogue, Register(folder / "register.sqlite"), key))


@pytest.fixture
async def street(house: House, course: Course, tmp_path: Path) -> Street:
    requester = Requester(house, make_signer("requester"))
    await requester.enter()
    initial = await requester.upload(write_model(TASK.layout, TASK.initial_model(1)))
    rule = {"weight_rule": "vouched-samples", "vouchers": Vouchers(Signer(KEY).address, CAP)}
    spec = make_spec(course, initial, None, minimum=2, task=TaskChoice(TASK.name, dict(TASK.config)), **rule)  # type: ignore[arg-type]  # by name
    terms = make_terms(spec, requester.address, house.context.signer.address, bond=20 * 10**18)
    asked = await requester.ask(spec, terms)
    assert asked.status_code == 200, asked.text
    for number in VIEWERS:
        address = make_signer(f"node {number}").address
        await house.admit(address, address)
    await house.fund(terms.job_id())
    return Street(house, tmp_path, terms.job_id(), open_platform(tmp_path))


def make_agent(host: Host, number: int, source: Source) -> Agent:
    return Agent(host, make_signer(f"node {number}"), source)


async def wait_for_pause(street: Street, words: str) -> str:
    while not any(words in note for note in street.notes.pauses):  # noqa: ASYNC110 -- a display rings no bell
        await asyncio.sleep(0.01)
    return next(note for note in street.notes.pauses if words in note)


async def run_until(agents: list[Agent], done: Awaitable[str]) -> str:
    tasks = [asyncio.ensure_future(agent.run()) for agent in agents]
    try:
        result = await asyncio.wait_for(done, PATIENCE_SECONDS)
        assert not any(task.done() for task in tasks), "a node that waits has not ended"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return result


async def test_nodes_weigh_by_what_their_platform_vouches_for(street: Street) -> None:
    host = street.open_host()
    agents = [make_agent(host, number, street.source(number)) for number in VIEWERS]
    await asyncio.wait_for(asyncio.gather(*(agent.run() for agent in agents)), PATIENCE_SECONDS)
    await street.house.look()
    entries = street.list_entries()
    assert [entry.body.verdict for entry in entries] == [Verdict.ACCEPTED] * 4
    assert [entry.body.weight for entry in entries] == [2 * CAP] * 4
    for row in street.list_contributions():
        assert row.samples == 24
        assert row.voucher is not None
        voucher = Voucher.from_json(canonical.decode(row.voucher))
        assert (voucher.viewers, voucher.samples) == (2, 24)
        assert row.report["voucher"] == to_hex(voucher.digest(DOMAIN))
    await host.close()


async def test_node_waits_while_its_platform_is_down_and_goes_on_when_it_is_back(street: Street) -> None:
    street.cut = True
    host = street.open_host()
    agents = [make_agent(host, number, street.source(number)) for number in VIEWERS]
    running = [asyncio.ensure_future(agent.run()) for agent in agents]
    reason = await asyncio.wait_for(wait_for_pause(street, "platform at"), PATIENCE_SECONDS)
    assert "http://platform.test does not answer (no connection)" in reason
    assert street.list_contributions() == []
    street.cut = False
    await asyncio.wait_for(asyncio.gather(*running), PATIENCE_SECONDS)
    assert len(street.list_contributions()) == 4
    await host.close()


async def test_platform_that_goes_down_between_samples_and_voucher_is_waited_for(street: Street) -> None:
    """Samples on disk are enough to train on, and not enough to weigh."""
    for number in VIEWERS:
        await street.source(number).refresh()
    street.cut = True
    host = street.open_host()
    agents = [make_agent(host, number, street.source(number)) for number in VIEWERS]
    reason = await run_until(agents, wait_for_pause(street, "platform at"))
    assert "does not answer" in reason
    assert street.list_contributions() == []
    await host.close()


async def test_node_with_a_file_is_told_that_nobody_vouches_for_it(street: Street) -> None:
    path = street.folder / "mine.json"
    path.write_text("[[1, 2, 3, 4, 5, 6, 7, 8]]", encoding="utf-8")
    host = street.open_host(rounds=None)
    agents = [make_agent(host, 0, FileSource(path)), make_agent(host, 1, street.source(1))]
    reason = await run_until(agents, wait_for_pause(street, "vouches for"))
    assert "--platform" in reason
    assert {row.node for row in street.list_contributions()} <= {agents[1].node}
    await host.close()


async def test_second_key_with_the_same_token_is_told_whose_the_viewers_are(street: Street) -> None:
    host = street.open_host(rounds=None)
    agents = [make_agent(host, 0, street.source(0)), make_agent(host, 1, street.source(1, *VIEWERS[0]))]
    reason = await run_until(agents, wait_for_pause(street, "count for another node"))
    assert "NothingToVouch" in reason
    assert len({row.node for row in street.list_contributions()}) <= 1
    await host.close()


async def test_voucher_of_another_platform_is_not_worked_on(street: Street) -> None:
    street.app = open_platform(street.folder, b"\5" * 32)
    host = street.open_host()
    agents = [make_agent(host, number, street.source(number)) for number in VIEWERS]
    reason = await run_until(agents, wait_for_pause(street, "did not sign"))
    assert "voucher" in reason
    assert street.list_contributions() == []
    await host.close()
