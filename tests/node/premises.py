"""Nodes at a real coordinator in one process, over a wire that can be cut: a kill is an exception nothing catches.

What survives a kill is the node's folder. The wire counts requests, so that a test can kill at each one, before the
coordinator sees it or after it has answered and the reply is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx

from client.api import AsyncApi
from client.home import Home
from client.node.data.sources import FileSource
from client.node.work.agent import Agent
from client.node.work.display import Summary
from client.node.work.host import Host, Rules
from client.node.work.training import HonestTrainer, Trainer
from client.pins import Pin
from client.transport import Patience
from ledger.signatures import Signer
from ledger.statements import Terms
from tests.coordination.learning import Course, make_spec, make_terms
from tests.coordination.people import Requester
from tests.coordination.premises import URL, House, make_deployment, make_signer

RULES = Rules(wait_seconds=1, rounds=2, pause_seconds=0.02, max_ahead=8)


class Killed(BaseException):
    """The process is gone: no handler runs."""


@dataclass
class Wire:
    """Counts the requests of one node, telemetry left out, and cuts one of them."""

    app: object
    cut_at: int | None = None
    after: bool = False
    cut_on: str = "never"
    requests: list[str] = field(default_factory=list)

    def transport(self) -> httpx.AsyncBaseTransport:
        return _Transport(self)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inner = httpx.ASGITransport(wire.app)  # type: ignore[arg-type]  # an ASGI application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/telemetry"):
            return await self._inner.handle_async_request(request)
        self._wire.requests.append(f"{request.method} {request.url.path}")
        dying = len(self._wire.requests) - 1 == self._wire.cut_at or self._wire.cut_on in self._wire.requests[-1]
        if dying and not self._wire.after:
            raise Killed
        response = await self._inner.handle_async_request(request)
        if dying:
            raise Killed
        return response


class WiredHost(Host):
    """A host whose requests go over a test's wire."""

    wire: Wire

    def create_api(self, url: str) -> AsyncApi:
        api = AsyncApi(url, patience=self.patience, remarks=self.remarks, transport=self.wire.transport())
        self._apis.append(api)
        return api


def make_pin(house: House) -> Pin:
    deployment = make_deployment()
    return Pin(
        deployment.chain_id,
        deployment.job_ledger,
        deployment.node_registry,
        deployment.tally_token,
        house.context.signer.address,
    )


def open_host(
    house: House, folder: Path, wire: Wire, *, rules: Rules = RULES, trainer: Trainer | None = None, nodes: int = 1
) -> Host:
    """A node's process, just started on its folder."""
    created = WiredHost.__new__(WiredHost)
    created.wire = wire
    created.__init__(  # type: ignore[misc]  # the wire must be there before the parts are made
        url=URL,
        pin=make_pin(house),
        home=Home(folder),
        trainer=trainer or HonestTrainer("test", "cpu"),
        display=Summary(1),
        rules=rules,
        nodes=nodes,
        now=house.clock,
        patience=Patience(attempts=3, first_seconds=0.0),
    )
    return created


@dataclass(frozen=True)
class Stage:
    """A funded job, by weight unless scored, and the data of the nodes that are registered for it."""

    house: House
    terms: Terms
    files: Sequence[Path]

    @property
    def job(self) -> bytes:
        return self.terms.job_id()

    @property
    def app(self) -> object:
        transport = self.house.client._transport
        assert isinstance(transport, httpx.ASGITransport)
        return transport.app

    def agent(self, host: Host, number: int) -> Agent:
        """Node `number`; its salts are fixed, so that a run can be compared with another."""
        signer = make_signer(f"node {number}")
        return Agent(host, signer, FileSource(self.files[number]), lambda size: signer.address.ljust(size, b"\1"))

    def signer(self, number: int) -> Signer:
        return make_signer(f"node {number}")


async def set_stage(
    house: House,
    course: Course,
    folder: Path,
    *,
    nodes: int = 2,
    scored: bool = False,
    rules: Mapping[str, object] = MappingProxyType({}),
    **changes: object,
) -> Stage:
    """Ask for a job, fund it, and let the chain admit the nodes; `rules` are the spec's, `changes` the terms'."""
    requester = Requester(house, make_signer("requester"))
    await requester.enter()
    validation = await requester.upload(course.validation) if scored else None
    initial = await requester.upload(course.initial)
    spec = make_spec(course, initial, validation, minimum=nodes, **rules)  # type: ignore[arg-type]  # by name
    fields = {"bond": 20 * 10**18} | changes
    terms = make_terms(spec, requester.address, house.context.signer.address, **fields)  # type: ignore[arg-type]  # by name
    asked = await requester.ask(spec, terms)
    assert asked.status_code == 200, asked.text
    files = []
    for number in range(nodes):
        files.append(folder / f"share-{number}.safetensors")
        files[-1].write_bytes(course.task.write_examples(course.shares[number]))
        signer = make_signer(f"node {number}")
        await house.admit(signer.address, signer.address)
    await house.fund(terms.job_id())
    return Stage(house, terms, files)
