"""Where a node's training data comes from: the platform, by cursor, or a file of the operator's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from client.api import AsyncApi
from client.call import Call
from client.errors import ClientError, TransportUnreachable, UsageRefused
from client.node.data.samples import SampleStore, ask_page
from client.node.data.vouching import NoVoucher, VoucherWish
from ledger.statements import Signed, Voucher

if TYPE_CHECKING:
    from learning.tasks import Examples, Task


T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"""How long one answer of a platform is waited for: rounds go on meanwhile, and a node that hangs looks lost."""


class NoSamples(ClientError):
    """There is nothing to train on."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"{source} gave no samples: nothing can be trained; check the token or the file")


class PlatformSilent(ClientError):
    """The platform does not answer now, and without it nothing can be contributed."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"the platform at {url} does not answer ({reason}): it is asked again; check that it runs")


class Source(Protocol):
    """One node's data."""

    async def refresh(self) -> None:
        """Takes in what is new. Raises PlatformSilent, or CoordinatorRefused by the platform."""

    def read(self, task: Task) -> Examples:
        """The data as the task's examples; called in the training thread. Raises MalformedExamples or NoSamples."""

    async def fetch_voucher(self, wish: VoucherWish) -> Signed[Voucher]:
        """What the platform vouches for, not checked yet. Raises NoVoucher, or what `refresh` raises."""


class PlatformSource:
    """Histories from the platform, kept on disk; only what is new is pulled.

    Args:
        api: the platform.
        token: names this node's viewers.
        store: what was pulled before.
        turn: bounds how many nodes pull at once.
        pull_seconds: not more often than this.
        now: seconds, monotonic.
        patience_seconds: how long one answer may take, with all repetitions of the request.
    """

    def __init__(
        self,
        api: AsyncApi,
        token: str,
        store: SampleStore,
        turn: asyncio.Semaphore,
        pull_seconds: float,
        now: Callable[[], float],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._api, self._token, self._store, self._turn = api, token, store, turn
        self._pull_seconds, self._now, self._patience_seconds = pull_seconds, now, patience_seconds
        self._pulled_at: float | None = None
        self._read: tuple[int, str, Examples] | None = None

    async def refresh(self) -> None:
        """Pulls until the platform has no more; with samples on disk, an unreachable platform is no obstacle."""
        if self._pulled_at is not None and self._now() - self._pulled_at < self._pull_seconds:
            return
        async with self._turn:
            try:
                await self._pull()
            except PlatformSilent:
                if not self._store.events:
                    raise
        self._pulled_at = self._now()

    def read(self, task: Task) -> Examples:
        """Each viewer's items, oldest first, as the task reads them."""
        if not self._store.events:
            raise NoSamples(f"the platform at {self._api.url}")
        name = json.dumps([task.name, dict(task.config)])
        if self._read is None or self._read[:2] != (self._store.cursor, name):
            self._read = (self._store.cursor, name, task.read_records(self._store.records()))
        return self._read[2]

    async def fetch_voucher(self, wish: VoucherWish) -> Signed[Voucher]:
        """The voucher as the platform hands it out."""
        async with self._turn:
            return await self._ask(wish.call())

    async def _pull(self) -> None:
        more = True
        while more:
            page = await self._ask(ask_page(self._store.cursor))
            # A page for other viewers than before empties the store: the next one starts from the beginning.
            more = await asyncio.to_thread(self._store.add, page) is False or page.more

    async def _ask(self, call: Call[T]) -> T:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._api.fetch(call, self._token)
        except TimeoutError:
            raise PlatformSilent(self._api.url, f"no answer in {self._patience_seconds:g} seconds") from None
        except TransportUnreachable as error:
            raise PlatformSilent(self._api.url, error.reason) from None


class FileSource:
    """A file: `.safetensors` examples of the task, or `.json` records as the task reads them."""

    def __init__(self, path: Path) -> None:
        if path.suffix not in (".safetensors", ".json"):
            raise UsageRefused(f"{path}: expected a .safetensors or .json file")
        if not path.is_file():
            raise UsageRefused(f"{path}: there is no such file")
        self._path = path
        self._read: tuple[str, Examples] | None = None

    async def refresh(self) -> None:
        """Nothing: a file is read once."""

    def read(self, task: Task) -> Examples:
        """The file's examples."""
        name = json.dumps([task.name, dict(task.config)])
        if self._read is None or self._read[0] != name:
            self._read = (name, self._load(task))
        return self._read[1]

    async def fetch_voucher(self, wish: VoucherWish) -> Signed[Voucher]:  # noqa: ARG002 -- nobody vouches for a file
        """There is none: nobody vouches for a file."""
        raise NoVoucher(
            f"a file such as {self._path} has none; run with --platform and --platform-token-file, or leave this job"
        )

    def _load(self, task: Task) -> Examples:
        content = self._path.read_bytes()
        if self._path.suffix == ".safetensors":
            return task.read_examples(content)
        try:
            records = json.loads(content)
        except ValueError as error:
            raise UsageRefused(f"{self._path}: not JSON: {error}") from None
        if not isinstance(records, list) or not records:
            raise NoSamples(str(self._path))
        return task.read_records(records)
