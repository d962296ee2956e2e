"""The shelf: small files that everyone may fetch, held in memory while they are asked for.

Every node of a round fetches the same model: once it lies here, that costs neither database nor disk. A file never
changes under its address, and what is public stays public.
"""

from __future__ import annotations

from collections import OrderedDict

MOST_BYTES = 2**26


class Shelf:
    """Holds at most `MOST_BYTES`; what was asked for longest ago goes first. Belongs to one event loop."""

    def __init__(self) -> None:
        self._files: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, digest: bytes) -> bytes | None:
        """The file, if it lies here."""
        content = self._files.get(digest)
        if content is not None:
            self._files.move_to_end(digest)
        return content

    def put(self, digest: bytes, content: bytes) -> None:
        """Lay a public file here."""
        if digest not in self._files and len(content) <= MOST_BYTES:
            self._files[digest] = content
            self._bytes += len(content)
        while self._bytes > MOST_BYTES:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest)
