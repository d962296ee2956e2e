"""A round's accepted updates, held for rules that must see all of them at once: a block of parameters at a time."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from learning.quantise import Update

_MEMORY_BYTES: Final = 1 << 28
"""Updates beyond so many bytes are kept in a temporary file, which goes with the process."""

_BLOCK_BYTES: Final = 1 << 22
_SMALLEST_BLOCK: Final = 1 << 10


class HeldUpdates:
    """Updates `[n] int16` with weights, in the order in which they came.

    `order` lists their places sorted by content, so that what depends on an order depends on no order of arrival.
    """

    def __init__(self, size: int, memory_bytes: int = _MEMORY_BYTES) -> None:
        self.size = size
        self.weights: list[int] = []
        self._digests: list[bytes] = []
        self._rows: list[Update] = []
        self._room = memory_bytes
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def order(self) -> list[int]:
        """Places sorted by the digests of the updates."""
        return sorted(range(len(self)), key=self._digests.__getitem__)

    def add(self, update: Update, weight: int, digest: bytes) -> None:
        """Holds one more update `[n]`, which must not change afterwards, with the digest of its content."""
        self._digests.append(digest)
        self.weights.append(weight)
        self._room -= update.nbytes
        self._rows.append(update if self._room >= 0 else self._spill(update))

    def read(self, place: int) -> Update:
        """One update `[n]`."""
        return self._rows[place]

    def read_blocks(self) -> Iterator[tuple[slice, NDArray[np.int16]]]:
        """All updates, one piece of the parameters after the other: the piece and `[m, b]`, a row for each update.

        The block is the caller's to change until it asks for the next one.
        """
        width = max(_SMALLEST_BLOCK, _BLOCK_BYTES // (2 * max(1, len(self))))
        buffer = np.empty((len(self), width), np.int16)
        for start in range(0, self.size, width):
            piece = slice(start, min(start + width, self.size))
            block = buffer[:, : piece.stop - start]
            for row, update in zip(block, self._rows, strict=True):
                row[:] = update[piece]
            yield piece, block

    def _spill(self, update: Update) -> Update:
        if self._file is None:
            # Unlinked at once where the system can: a killed process leaves nothing behind.
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with this object
            weakref.finalize(self, self._file.close)
        offset = self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(update, "<i2").tobytes())
        self._file.flush()
        return np.memmap(self._file, "<i2", "r", offset, (self.size,))
