"""Files by content address: whole or not there at all."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coordinator.storage.blobs import BlobStore, BlobTooLarge, Received
from ledger.hashing import sha256


async def pour(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def list_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def accept(_digest: bytes, _size: int) -> None:
    """Anything goes."""


def refuse(_digest: bytes, _size: int) -> None:
    raise PermissionError


def test_saved_twice_is_there_once(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    assert blobs.save(b"one", b"two", b"one") == [sha256(b"one"), sha256(b"two"), sha256(b"one")]
    assert blobs.load(sha256(b"one")) == b"one"
    assert blobs.size_bytes(sha256(b"two")) == 3
    assert not blobs.has(sha256(b"three"))
    assert len(list_files(tmp_path)) == 2


async def test_received_in_parts_is_whole(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    for _ in range(2):
        assert await blobs.receive(pour(b"ab", b"", b"cd"), 4, accept) == Received(sha256(b"abcd"), 4, b"abcd")
    assert blobs.load(sha256(b"abcd")) == b"abcd"
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_refused_or_too_large_leaves_nothing(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    with pytest.raises(BlobTooLarge):
        await blobs.receive(pour(b"abc", b"de"), 4, accept)
    with pytest.raises(PermissionError):
        await blobs.receive(pour(b"abc"), 4, refuse)
    assert list_files(tmp_path) == []


def test_leftovers_of_a_crash_are_removed_after_a_while(tmp_path: Path) -> None:
    BlobStore(tmp_path)
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (1, 1))
    BlobStore(tmp_path)
    assert not old.exists()
    assert young.exists()
