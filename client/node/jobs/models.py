"""Base models, downloaded once a machine: kept under TALLY_HOME by SHA-256, and checked whenever they are read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from client import calls
from client.api import AsyncApi
from ledger.hashing import sha256

KEPT_FILES = 4


class ModelCache:
    """Model files by digest; the newest in memory, a few on disk."""

    def __init__(self, folder: Path, api: AsyncApi) -> None:
        self._folder = folder
        self._api = api
        self._newest: tuple[bytes, bytes] = (b"", b"")
        self._lock = asyncio.Lock()
        self._saving: asyncio.Future[None] | None = None

    async def fetch(self, digest: bytes) -> bytes:
        """The file with this digest. Raises what `AsyncApi.fetch` raises."""
        # One download for all nodes of the process.
        async with self._lock:
            if self._newest[0] != digest:
                content = self._load(digest)
                if content is None:
                    content = await self._api.fetch(calls.blob(digest))
                    # On the side, and not durably: a file that a crash tore is seen by its digest, and fetched again.
                    self._saving = asyncio.get_running_loop().run_in_executor(None, self._save, digest, content)
                self._newest = (digest, content)
            return self._newest[1]

    def _path(self, digest: bytes) -> Path:
        return self._folder / f"{digest.hex()}.safetensors"

    def _load(self, digest: bytes) -> bytes | None:
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if sha256(content) == digest else None

    def _save(self, digest: bytes, content: bytes) -> None:
        with suppress(OSError):  # what a full disk does not keep is fetched again
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path(digest).write_bytes(content)
            files = sorted(self._folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
            for file in files[:-KEPT_FILES]:
                file.unlink(missing_ok=True)
