"""Files on disk by content address: written to a temporary name, fsynced, renamed. What is there is whole.

A crash leaves at most a temporary file, which the next start removes. Putting the same bytes twice is the same as once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from coordinator.refusals import RequestRefused
from ledger.hashing import sha256

_STALE_SECONDS = 3_600
_FLUSHERS = 8
# Bodies up to this size are kept from memory, in one turn of a thread.
_SMALL_BYTES = 2**20


class BlobTooLarge(RequestRefused):
    """The body is larger than this route takes."""

    status = 413

    def __init__(self, max_bytes: int, got_bytes: int | None) -> None:
        self.max_bytes = max_bytes
        self.got_bytes = got_bytes
        got = "more" if got_bytes is None else f"{got_bytes}"
        super().__init__(f"expected at most {max_bytes} bytes, got {got}: nothing was kept")


class BlobMismatch(RequestRefused):
    """The bytes have another SHA-256 than the address says."""

    status = 422

    def __init__(self, expected: bytes, got: bytes, size_bytes: int) -> None:
        self.expected = expected
        self.got = got
        self.size_bytes = size_bytes
        detail = f"expected bytes with SHA-256 {expected.hex()}, got {size_bytes} bytes with {got.hex()}"
        super().__init__(f"{detail}: nothing was kept, send them again")


Verify = Callable[[bytes, int], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A body that is kept; `content` is there when it was small."""

    sha256: bytes
    size_bytes: int
    content: bytes | None


class BlobStore:
    """Files in one folder, named by the SHA-256 of what they hold."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._flushers = ThreadPoolExecutor(_FLUSHERS, thread_name_prefix="flusher")
        _remove_stale(self._incoming)

    def path(self, digest: bytes) -> Path:
        """Where the file with this SHA-256 lies, or would lie."""
        name = digest.hex()
        return self.root / name[:2] / name

    def has(self, digest: bytes) -> bool:
        """Whether the file is here."""
        return self.path(digest).is_file()

    def size_bytes(self, digest: bytes) -> int:
        """The file's size. Raises FileNotFoundError."""
        return self.path(digest).stat().st_size

    def load(self, digest: bytes) -> bytes:
        """The file's bytes. Raises FileNotFoundError."""
        return self.path(digest).read_bytes()

    def remove(self, digest: bytes) -> None:
        """Forget a file that nothing needs any more."""
        self.path(digest).unlink(missing_ok=True)

    def save(self, *contents: bytes, staged: Iterable[bytes] = ()) -> list[bytes]:
        """Keep these contents durably, and what another process has `staged`; return the contents' SHA-256, in order.

        Raises:
            FileNotFoundError: something that should be staged is nowhere.
        """
        digests = [sha256(content) for content in contents]
        missing = {d: content for d, content in zip(digests, contents, strict=True) if not self.has(d)}
        waiting = [digest for digest in {*staged} - missing.keys() if not self.has(digest)]
        # Together, because the file system writes flushes that come at one time with one turn of its journal.
        writing = self._flushers.map(self._save, missing, missing.values())
        list(self._flushers.map(self._settle, waiting))
        list(writing)
        list(self._flushers.map(_flush_folder, {self.path(digest).parent for digest in (*digests, *waiting)}))
        return digests

    def stage(self, *contents: bytes) -> list[bytes]:
        """Write these contents for `save` to make durable, perhaps in another process; return their SHA-256.

        Until then a crash may leave nothing of them, or torn bytes, which nothing reads.
        """
        return list(self._flushers.map(self._stage, contents))

    def _stage(self, content: bytes) -> bytes:
        digest = sha256(content)
        if not self.has(digest):
            with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
                file.write(content)
            Path(file.name).replace(self._incoming / digest.hex())
        return digest

    def _save(self, digest: bytes, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._place(Path(file.name), digest)

    def _settle(self, digest: bytes) -> None:
        staged = self._incoming / digest.hex()
        with staged.open("rb+") as file:
            os.fsync(file.fileno())
        self._place(staged, digest)

    async def receive(self, chunks: AsyncIterator[bytes], max_bytes: int, verify: Verify) -> Received:
        """Keep a body durably as it arrives.

        `verify(digest, size)` is asked before anything is kept, and raises to refuse.

        Raises:
            BlobTooLarge: more than `max_bytes` came; nothing is kept.
        """
        first, ended = await _gather(chunks, min(max_bytes, _SMALL_BYTES))
        if not ended:
            return await self._receive_large(first, chunks, max_bytes, verify)
        received = Received(sha256(first), len(first), first)
        verify(received.sha256, received.size_bytes)
        await asyncio.get_running_loop().run_in_executor(self._flushers, self._keep_small, received.sha256, first)
        return received

    async def _receive_large(
        self, first: bytes, chunks: AsyncIterator[bytes], max_bytes: int, verify: Verify
    ) -> Received:
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
            temporary = Path(file.name)
            try:
                digest, size = await _write(file, first, chunks, max_bytes)
                verify(digest, size)
                await asyncio.to_thread(self._move, file, digest)
            except BaseException:
                file.close()
                await asyncio.to_thread(temporary.unlink, missing_ok=True)
                raise
        return Received(digest, size, None)

    def _keep_small(self, digest: bytes, content: bytes) -> None:
        if not self.has(digest):
            self._save(digest, content)
        _flush_folder(self.path(digest).parent)

    def _move(self, file: IO[bytes], digest: bytes) -> None:
        os.fsync(file.fileno())
        file.close()
        temporary = Path(file.name)
        if self.has(digest):
            temporary.unlink()
        else:
            self._place(temporary, digest)
        _flush_folder(self.path(digest).parent)

    def _place(self, temporary: Path, digest: bytes) -> None:
        folder = self.path(digest).parent
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            _flush_folder(self.root)
        temporary.replace(self.path(digest))


async def _gather(chunks: AsyncIterator[bytes], limit_bytes: int) -> tuple[bytes, bool]:
    """What came until the body ended, or until more than `limit_bytes` had come; and whether it ended."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > limit_bytes:
            return b"".join(parts), False
    return b"".join(parts), True


async def _write(file: IO[bytes], first: bytes, chunks: AsyncIterator[bytes], max_bytes: int) -> tuple[bytes, int]:
    if len(first) > max_bytes:
        raise BlobTooLarge(max_bytes, None)
    hasher, size = hashlib.sha256(first), len(first)
    file.write(first)
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise BlobTooLarge(max_bytes, None)
        hasher.update(chunk)
        file.write(chunk)
    file.flush()
    return hasher.digest(), size


def _flush_folder(folder: Path) -> None:
    """Make new names durable, where the system lets a folder be flushed."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    limit = time.time() - _STALE_SECONDS
    for path in folder.iterdir():
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
