"""Files on disk by content address: written to a temporary name, fsynced, renamed. What is there is whole.

A crash leaves at most a temporary file, which the next start removes. Putting the same bytes twice is the same as once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from coordinator.refusals import RequestRefused
from ledger.hashing import sha256

_STALE_SECONDS = 3_600
_FLUSHERS = 8


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

    def save(self, *contents: bytes) -> list[bytes]:
        """Keep these contents durably and return their SHA-256, in order."""
        digests = [sha256(content) for content in contents]
        missing = {d: content for d, content in zip(digests, contents, strict=True) if not self.has(d)}
        # Together, because the file system writes flushes that come at one time with one turn of its journal.
        list(self._flushers.map(self._save, missing, missing.values()))
        list(self._flushers.map(_flush_folder, {self.path(digest).parent for digest in digests}))
        return digests

    def _save(self, digest: bytes, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._place(Path(file.name), digest)

    async def receive(self, chunks: AsyncIterator[bytes], max_bytes: int, verify: Verify) -> tuple[bytes, int]:
        """Keep a body durably as it arrives and return its SHA-256 and size.

        `verify(digest, size)` is asked before anything is kept, and raises to refuse.

        Raises:
            BlobTooLarge: more than `max_bytes` came; nothing is kept.
        """
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as file:
            temporary = Path(file.name)
            try:
                digest, size = await _write(file, chunks, max_bytes)
                verify(digest, size)
                await asyncio.to_thread(self._move, file, digest)
            except BaseException:
                file.close()
                await asyncio.to_thread(temporary.unlink, missing_ok=True)
                raise
        return digest, size

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


async def _write(file: IO[bytes], chunks: AsyncIterator[bytes], max_bytes: int) -> tuple[bytes, int]:
    hasher, size = hashlib.sha256(), 0
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
