"""What the nodes of one process share: a coordinator, a journal, a book of jobs, a model cache, a training thread."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog

from client.api import AsyncApi
from client.home import Home
from client.node.jobs.board import Board
from client.node.jobs.book import AnchorReader, JobBook
from client.node.jobs.models import ModelCache
from client.node.records.archive import Archive
from client.node.records.database import Database, DatabaseThread
from client.node.records.journal import Journal
from client.node.work.display import Display
from client.node.work.shortfalls import Shortfalls
from client.node.work.training import Reader, Trained, Trainer, Work
from client.pins import Pin
from client.transport import Patience

FEW_NODES = 4
"""Up to this many nodes in a process speak for themselves; more are summed up."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator lets the nodes do.

    Attributes:
        max_ahead: rounds without an anchor after which a node stops contributing to a job.
        slack_seconds: tolerance for a receipt's anchorBy.
        wait_seconds: how long one poll may take.
        rounds: after how many rounds a node ends; None for never.
        pause_seconds: wait before an assignment that cannot be taken is looked at again.
    """

    max_ahead: int = 8
    slack_seconds: int = 300
    wait_seconds: int = 25
    rounds: int | None = None
    pause_seconds: float = 3.0


class CoordinatorRemarks:
    """Says once when a service stops answering, and once when it answers again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lost_at: dict[str, float] = {}

    def lost(self, url: str, reason: str) -> None:
        """Logged for the first failure in a row."""
        if url not in self._lost_at:
            self._lost_at[url] = self._now()
            structlog.get_logger().warning(
                "service_unreachable", url=url, reason=reason, then="waiting and trying again"
            )

    def found(self, url: str) -> None:
        """Logged when there was a failure before."""
        lost_at = self._lost_at.pop(url, None)
        if lost_at is not None:
            structlog.get_logger().info("service_reached_again", url=url, after_seconds=round(self._now() - lost_at, 1))


@dataclass
class Host:
    """The shared parts. Close it when the nodes have ended. `readers` are its nodes' data, by address."""

    url: str
    pin: Pin
    home: Home
    trainer: Trainer
    display: Display
    rules: Rules
    chain: AnchorReader | None = None
    nodes: int = 1
    readers: Mapping[bytes, Reader] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    patience: Patience = field(default_factory=lambda: Patience(attempts=None))

    def __post_init__(self) -> None:
        self.remarks = CoordinatorRemarks()
        self.tls = ssl.create_default_context()
        self.database = Database(self.home.journal)
        self.journal_thread = DatabaseThread(self.database)
        self.journal = Journal(self.database)
        self.archive = Archive(self.database)
        self._apis: list[AsyncApi] = []
        self.api = self.create_api(self.url)
        self.book = JobBook(
            self.api, self.pin, self.archive, self.journal_thread, self.chain, whole_rounds=self.nodes > FEW_NODES
        )
        self.board = Board(self.api)
        self.shortfalls = Shortfalls(self.api)
        self.models = ModelCache(self.home.models, self.api)
        self._training = ThreadPoolExecutor(1, thread_name_prefix="training")

    def create_api(self, url: str) -> AsyncApi:
        """A client of its own for one node (AsyncApi says why), closed with the host."""
        api = AsyncApi(url, patience=self.patience, remarks=self.remarks, tls=self.tls)
        self._apis.append(api)
        return api

    async def train(self, work: Work) -> Trained:
        """Trains in the one training thread, in the order asked for."""
        return await asyncio.get_running_loop().run_in_executor(self._training, self.trainer.train, work)

    def log(self, event: str, **facts: Any) -> None:
        """One change of state of one node: for people where there are few nodes, for debugging where there are many."""
        logger = structlog.get_logger()
        (logger.info if self.nodes <= FEW_NODES else logger.debug)(event, **facts)

    async def close(self) -> None:
        """Ends threads and connections; what was written is durable already."""
        for api in self._apis:
            await api.close()
        self._training.shutdown(cancel_futures=True)
        self.trainer.close()
        self.journal_thread.close()
        self.database.close()
