"""A bundle's archive: a zip of plain files with one form only, so that equal contents are equal bytes.

Names are sorted, times are zero hour of the format (1980-01-01), every file is stored or deflated, and nothing stands
before, between or after the files. The reader refuses every other zip, however harmless: what two readers could take
for different files is no evidence. It reads a file at a time and never more of one than the archive's list promises.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Final, Self

from client.errors import ClientError

MAX_FILES: Final = 65_534
MAX_FILE_BYTES: Final = 1 << 30
MAX_BYTES: Final = (1 << 32) - 2
MAX_RATIO: Final = 200
"""How many bytes one deflated byte may become; what our own writer deflates stays far below."""

STORED, DEFLATED = 0, 8
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_LISTED = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _MADE_BY = 20, 3 << 8 | 20
_TIME, _DATE = 0, 1 << 5 | 1
_PLAIN_FILE = 0o100644 << 16
_NAME = re.compile(r"(?:[a-z0-9_][a-z0-9_.-]*/)*[a-z0-9_][a-z0-9_.-]*")
_MAX_NAME = 120


class MalformedBundle(ClientError):
    """The file is no bundle: nothing in it was looked at, nothing was found true or false."""

    exit_code = 3

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}; this is no bundle that `tally audit bundle` writes: ask for it again")


class BundleTooLarge(ClientError):
    """More files or bytes than an archive of this form can hold."""

    exit_code = 2

    def __init__(self, what: str, limit: int, got: int) -> None:
        self.what, self.limit, self.got = what, limit, got
        super().__init__(f"expected at most {limit} {what} in a bundle, got {got}: leave the payloads out")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file's bytes lie in the archive."""

    offset: int
    method: int
    crc: int
    packed: int
    size: int


def write_archive(target: BinaryIO, files: Iterable[tuple[str, bytes]], *, deflate: bool = False) -> None:
    """Writes an archive; `files` come sorted by name, and one at a time is held in memory.

    Raises:
        BundleTooLarge: there is too much for this form.
    """
    listed: list[bytes] = []
    offset, listed_bytes, before = 0, 0, ""
    for name, content in files:
        if not before < name or not _NAME.fullmatch(name):
            raise ValueError(f"expected a plain name after {before!r}, got {name!r}")
        before = name
        _limit("bytes in one file", MAX_FILE_BYTES, len(content))
        packed, method = _pack(content) if deflate else (content, STORED)
        sizes = (zlib.crc32(content), len(packed), len(content))
        encoded = name.encode("ascii")
        local = _LOCAL.pack(b"PK\3\4", _VERSION, 0, method, _TIME, _DATE, *sizes, len(encoded), 0) + encoded
        entry = (b"PK\1\2", _MADE_BY, _VERSION, 0, method, _TIME, _DATE, *sizes)
        listed.append(_LISTED.pack(*entry, len(encoded), 0, 0, 0, 0, _PLAIN_FILE, offset) + encoded)
        target.write(local)
        target.write(packed)
        offset += len(local) + len(packed)
        listed_bytes += len(listed[-1])
        _limit("files", MAX_FILES, len(listed))
        _limit("bytes", MAX_BYTES, offset + listed_bytes + _END.size)
    content = b"".join(listed)
    target.write(content)
    target.write(_END.pack(b"PK\5\6", 0, 0, len(listed), len(listed), len(content), offset, 0))


class Archive:
    """An archive open for reading. Safe to use from several threads.

    Raises:
        MalformedBundle: when opened, for any zip that `write_archive` does not write; when read, for bytes that are not
            those of the list.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self._lock = Lock()
        try:
            self._places = self._read_places()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def names(self) -> list[str]:
        """Every file's name, sorted."""
        return list(self._places)

    def measure(self, name: str) -> int:
        """A file's size in bytes."""
        return self._places[name].size

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None where there is no such file."""
        place = self._places.get(name)
        if place is None:
            return None
        content = self._slice(place.offset, place.packed)
        if place.method == DEFLATED:
            content = self._inflate(name, place, content)
        if len(content) != place.size or zlib.crc32(content) != place.crc:
            raise self._refuse(f"the bytes of {name} are not those of the archive's list")
        return content

    def _read_places(self) -> dict[str, _Place]:
        """Reads the list at the end, then compares it with what stands before each file."""
        size = self._file.seek(0, 2)
        if not _END.size <= size <= MAX_BYTES:
            raise self._refuse(f"expected between {_END.size} and {MAX_BYTES} bytes, got {size}")
        mark, disk, first, here, count, length, offset, comment = _END.unpack(self._slice(size - _END.size, _END.size))
        if mark != b"PK\5\6" or (disk, first, comment) != (0, 0, 0) or here != count or count > MAX_FILES:
            raise self._refuse("it does not end as a zip of one part without a comment does")
        if offset + length + _END.size != size or length > count * (_LISTED.size + _MAX_NAME):
            raise self._refuse("its list does not lie between the files and the end")
        listed = self._slice(offset, length)
        places: dict[str, _Place] = {}
        reached, at, before = 0, 0, ""
        for _ in range(count):
            name, place, at = self._read_entry(listed, at)
            if name <= before or any(parent in places for parent in _list_parents(name)):
                raise self._refuse(f"{name!r} after {before!r}: names must be sorted, each once, and no file a folder")
            before = name
            places[name], reached = self._read_local(name, place, reached)
        if at != length or reached != offset:
            raise self._refuse("bytes stand between the files, or between them and the list")
        return places

    def _read_entry(self, listed: bytes, at: int) -> tuple[str, _Place, int]:
        if at + _LISTED.size > len(listed):
            raise self._refuse("its list is shorter than it says")
        fields = _LISTED.unpack_from(listed, at)
        mark, made_by, version, flags, method, time, date, crc, packed, size, length = fields[:11]
        end = at + _LISTED.size + length
        name = self._read_name(listed[at + _LISTED.size : end])
        fixed = (mark, made_by, version, flags, time, date, *fields[11:16])
        if fixed != (b"PK\1\2", _MADE_BY, _VERSION, 0, _TIME, _DATE, 0, 0, 0, 0, _PLAIN_FILE) or end > len(listed):
            raise self._refuse(f"{name!r} is no plain file as bundles have them (links, folders, extras, other times)")
        self._check_size(name, method, packed, size)
        return name, _Place(fields[16], method, crc, packed, size), end

    def _read_local(self, name: str, place: _Place, reached: int) -> tuple[_Place, int]:
        """What stands before a file must say what the list says, and begin where the file before ended."""
        encoded = name.encode("ascii")
        sizes = (place.crc, place.packed, place.size)
        expected = _LOCAL.pack(b"PK\3\4", _VERSION, 0, place.method, _TIME, _DATE, *sizes, len(encoded), 0) + encoded
        if place.offset != reached or self._slice(reached, len(expected)) != expected:
            raise self._refuse(f"the archive's list and the head of {name!r} differ")
        start = reached + len(expected)
        return _Place(start, place.method, *sizes), start + place.packed

    def _read_name(self, encoded: bytes) -> str:
        name = encoded.decode("latin-1")
        if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
            raise self._refuse(f"{name!r} is no name of a file below the bundle (lower case, relative, no dots alone)")
        return name

    def _check_size(self, name: str, method: int, packed: int, size: int) -> None:
        if size > MAX_FILE_BYTES:
            raise self._refuse(f"{name} is {size} bytes long, and the most is {MAX_FILE_BYTES}")
        if method not in (STORED, DEFLATED) or (method == STORED and packed != size):
            raise self._refuse(f"{name} is neither stored nor deflated")
        if size > MAX_RATIO * packed:
            raise self._refuse(f"{name} grows from {packed} to {size} bytes, more than {MAX_RATIO} times")

    def _inflate(self, name: str, place: _Place, packed: bytes) -> bytes:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = stream.decompress(packed, place.size + 1)
        except zlib.error:
            raise self._refuse(f"{name} is not deflated as its head says") from None
        if not stream.eof or stream.unused_data:
            raise self._refuse(f"the bytes of {name} do not end where its head says")
        return content

    def _slice(self, offset: int, length: int) -> bytes:
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)

    def _refuse(self, problem: str) -> MalformedBundle:
        return MalformedBundle(self.path, problem)


def walk_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder as `write_archive` takes them."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(paths):
        yield name, paths[name].read_bytes()


def _list_parents(name: str) -> Iterator[str]:
    return (name[:at] for at, character in enumerate(name) if character == "/")


def _pack(content: bytes) -> tuple[bytes, int]:
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = stream.compress(content) + stream.flush()
    # What is mostly zeros stays as it is: a reader could take it for a trap.
    small = len(packed) < len(content) <= MAX_RATIO * len(packed)
    return (packed, DEFLATED) if small else (content, STORED)


def _limit(what: str, limit: int, got: int) -> None:
    if got > limit:
        raise BundleTooLarge(what, limit, got)
