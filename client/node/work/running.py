"""Runs the nodes of a process from registration to their last round; ends only for what a person must mend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from client.errors import ClientError, UsageRefused
from client.home import Home
from client.node.data.samples import SampleStore, load_tokens
from client.node.data.sources import FileSource, PlatformSource, Source
from client.node.operator.joining import Enrolment, ensure_registered
from client.node.records.database import JournalUnusable
from client.node.work.agent import Agent
from client.node.work.display import Display, LiveDisplay, Summary
from client.node.work.host import Host
from contracts.errors import ChainError
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address
from ledger.signatures import Signer

PULLS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class DataChoice:
    """Where the nodes' data comes from: a platform and the tokens, or files."""

    platform: str | None
    token_file: Path | None
    files: Path | None
    pull_seconds: float

    def verify(self) -> None:
        """Checks that exactly one of the two was chosen. Raises UsageRefused."""
        if self.files is not None and (self.platform or self.token_file):
            raise UsageRefused("give --data, or --platform with --platform-token-file, not both")
        if self.files is None and not (self.platform and self.token_file):
            raise UsageRefused("what shall be trained on? Give --platform with --platform-token-file, or --data")

    def find_files(self, count: int) -> list[Path]:
        """A file per node: the one file of one node, or the files of a folder in order of name. Raises UsageRefused."""
        if self.files is None:
            return []
        if self.files.is_dir():
            found = sorted(path for path in self.files.iterdir() if path.is_file() and not path.name.startswith("."))
            got = f"one with {len(found)}"
        else:
            found, got = [self.files], "a single file" if self.files.exists() else "nothing of that name"
        if len(found) < count:
            raise UsageRefused(f"{self.files}: expected a folder with {count} files, one a node, got {got}")
        return found[:count]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a node did before it ended; `problem` is empty where it ended as it should."""

    node: bytes
    rounds: int
    problem: str


async def run_nodes(
    host: Host, signers: Sequence[Signer], enrolment: Enrolment, data: DataChoice, version: str
) -> list[Outcome]:
    """Registers the nodes where needed and runs them until each has done its rounds.

    A node that cannot go on ends alone; the others of a fleet work on.

    Raises:
        JournalUnusable: nothing can be kept any more.
        ClientError: what registration raises; and with a single node whatever ended it.
    """
    try:
        sources = create_sources(host, signers, data)
        host.readers = {signer.address: source.read for signer, source in zip(signers, sources, strict=True)}
        await ensure_registered(
            host.api,
            host.pin,
            signers,
            enrolment,
            version=version,
            now=host.now,
            tell=_Registrations(host, signers),
        )
        addresses = [signer.address for signer in signers]
        await host.journal_thread.run(lambda: host.journal.note_nodes(addresses))
        agents = [Agent(host, signer, source) for signer, source in zip(signers, sources, strict=True)]
        return await asyncio.gather(*(_run(agent, alone=len(agents) == 1) for agent in agents))
    finally:
        await host.close()


def create_sources(host: Host, signers: Sequence[Signer], data: DataChoice) -> list[Source]:
    """One source a node. Raises UsageRefused."""
    data.verify()
    if data.platform is None or data.token_file is None:
        return [FileSource(path) for path in data.find_files(len(signers))]
    api, turn = host.create_api(data.platform), asyncio.Semaphore(PULLS_AT_ONCE)
    tokens = load_tokens(data.token_file, len(signers))
    return [
        PlatformSource(api, token, load_store(host.home, signer), turn, data.pull_seconds, time.monotonic)
        for signer, token in zip(signers, tokens, strict=True)
    ]


def load_store(home: Home, signer: Signer) -> SampleStore:
    """What this node has pulled before."""
    return SampleStore.load(home.samples / f"{to_address(signer.address)}.jsonl")


@contextmanager
def open_display(nodes: int, *, live: bool) -> Iterator[Display]:
    """A live display on a terminal; elsewhere the log lines are all there is."""
    if not live:
        yield Summary(nodes)
        return
    with LiveDisplay(nodes) as display:
        yield display


class _Registrations:
    """Says how far registration is, whenever that changes."""

    def __init__(self, host: Host, signers: Sequence[Signer]) -> None:
        self._host, self._last = host, -1
        for signer in signers:
            host.display.show(signer.address, "joining")

    def __call__(self, registered: int, of: int) -> None:
        if registered != self._last:
            self._last = registered
            structlog.get_logger().info("nodes_registered", registered=registered, of=of)


async def _run(agent: Agent, *, alone: bool) -> Outcome:
    try:
        await agent.run()
    except JournalUnusable:
        raise
    except (ClientError, ChainError, Malformed, VerificationError) as error:
        if alone:
            raise
        structlog.get_logger().error("node_ended", node=to_address(agent.node), problem=str(error))
        return Outcome(agent.node, agent.rounds, str(error))
    return Outcome(agent.node, agent.rounds, "")
