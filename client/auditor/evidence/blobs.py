"""Models, payloads and validation files while an audit needs them: fetched once, checked, kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from client.auditor.evidence.sources import EvidenceSource
from client.errors import ClientError
from ledger.hashing import sha256
from ledger.hexadecimal import to_hex


class WrongBlob(ClientError):
    """A file was handed out under a digest that it does not have."""

    def __init__(self, digest: bytes, got: bytes) -> None:
        self.digest, self.got = digest, got
        super().__init__(f"expected a file with SHA-256 {to_hex(digest)}, got one with {to_hex(got)}")


class Blobs:
    """Files by SHA-256.

    Args:
        source: who hands them out.
        folder: where they are kept until the audit ends; this process's own.
        spread: applies a function to many values, such as the `map` of a pool of threads.
    """

    def __init__(
        self,
        source: EvidenceSource,
        folder: Path,
        spread: Callable[[Callable[[bytes], bool | WrongBlob], Iterable[bytes]], Iterable[bool | WrongBlob]] = map,
    ) -> None:
        self._source, self._folder, self._spread = source, folder, spread

    def load(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """The file, or None where it is not given. Raises WrongBlob."""
        path = self._path(digest)
        if not path.exists():
            content = self._source.fetch_blob(digest, limit_bytes)
            if content is None:
                return None
            if sha256(content) != digest:
                raise WrongBlob(digest, sha256(content))
            path.write_bytes(content)
        return path.read_bytes()

    def fetch_all(self, digests: Iterable[bytes], limit_bytes: int) -> list[bool | WrongBlob]:
        """Fetches files; says of each, in order, whether it is there, or how it is wrong."""
        return list(self._spread(partial(self._try, limit_bytes=limit_bytes), digests))

    def read(self, digest: bytes) -> bytes:
        """A file that was fetched before."""
        return self._path(digest).read_bytes()

    def keep(self, digest: bytes, content: bytes) -> None:
        """Keeps a file that was made here; `digest` is its own."""
        self._path(digest).write_bytes(content)

    def drop(self, digests: Iterable[bytes]) -> None:
        """Forgets files that are not needed any more."""
        for digest in digests:
            self._path(digest).unlink(missing_ok=True)

    def _try(self, digest: bytes, limit_bytes: int) -> bool | WrongBlob:
        try:
            return self.load(digest, limit_bytes) is not None
        except WrongBlob as error:
            return error

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()
