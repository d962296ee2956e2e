"""A bundle as an auditor opens it: a job's evidence in one file, read a file at a time, nothing of it believed.

`bundle.json` names job and rounds; `job/`, `rounds/NNNNNN/` and `blobs/` hold what a coordinator hands out, byte for
byte; `chain/` what a provider said (see `proven.py`). A `policy.json` is the maker's own note of what he trusted: it
is never read. No other name is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from client.auditor.evidence.archive import Archive, MalformedBundle
from ledger import canonical, evidence
from ledger.errors import Malformed, MalformedJson
from ledger.hexadecimal import parse_hex, to_hex
from ledger.verify.bundle import JobFiles

FORMAT: Final = "tallystick-bundle"
VERSION: Final = 1
INDEX, POLICY = "bundle.json", "policy.json"
SPEC, TERMS, ACCEPTANCE = "job/spec.json", "job/terms.json", "job/acceptance.json"
CHAIN, PROOF = "chain/chain.json", "chain/proof.json"

MAX_TEXT_BYTES: Final = 256 << 20
"""Limit of every file but blobs: what a coordinator may hand out of a round."""

_ROUND = re.compile(r"rounds/([0-9]{6})/([a-z.]+)")
_BLOB = re.compile(r"blobs/[0-9a-f]{64}")
_ALONE = frozenset({INDEX, POLICY, SPEC, TERMS, ACCEPTANCE, CHAIN, PROOF})
_OF_ROUND = frozenset({*evidence.ALWAYS, *evidence.ARRAYS, evidence.MANIFEST, evidence.HEADER})


@dataclass(frozen=True, slots=True)
class Index:
    """What a bundle says it is: a job's rounds 1 to `rounds`."""

    job: bytes
    rounds: int

    def to_bytes(self) -> bytes:
        """`bundle.json`."""
        value = {"format": FORMAT, "version": VERSION, "job": to_hex(self.job), "rounds": self.rounds}
        return canonical.encode(value)

    @classmethod
    def from_bytes(cls, content: bytes) -> Index:
        """Raises Malformed."""
        value = canonical.decode(content, require_canonical=True)
        if not isinstance(value, dict) or set(value) != {"format", "version", "job", "rounds"}:
            raise MalformedJson(INDEX, "expected an object with format, version, job and rounds")
        if (value["format"], value["version"]) != (FORMAT, VERSION):
            raise MalformedJson(INDEX, f"expected {FORMAT} version {VERSION}, got another: a newer tally may read it")
        rounds = value["rounds"]
        if type(rounds) is not int or not 0 <= rounds < 10**6:
            raise MalformedJson(INDEX, f"expected a number of rounds, got {rounds!r}")
        return cls(parse_hex(value["job"], 32, "bundle.json job"), rounds)


class Bundle:
    """A bundle open for reading.

    Raises:
        MalformedBundle: it is none, or has files that no bundle has.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = Archive(path)
        try:
            self.index = self._read_index()
        except BaseException:
            self._archive.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.__exit__(kind, error, trace)

    def read(self, name: str) -> bytes | None:
        """A file's bytes, None where it is not there."""
        return self._archive.read(name)

    def list_round(self, number: int) -> list[str]:
        """The names of a round's files, without their folder."""
        folder = name_round(number, "")
        return [name.removeprefix(folder) for name in self._archive.names if name.startswith(folder)]

    def _read_index(self) -> Index:
        content = self._archive.read(INDEX)
        if content is None:
            raise MalformedBundle(self.path, f"it has no {INDEX}")
        try:
            index = Index.from_bytes(content)
        except Malformed as error:
            raise MalformedBundle(self.path, str(error)) from None
        for name in self._archive.names:
            if not _is_known(name, index.rounds):
                raise MalformedBundle(self.path, f"no bundle of {index.rounds} rounds has a file {name}")
            if not name.startswith("blobs/") and self._archive.measure(name) > MAX_TEXT_BYTES:
                raise MalformedBundle(self.path, f"{name} is longer than {MAX_TEXT_BYTES} bytes")
        return index


class RoundFolder(Mapping[str, bytes]):
    """A round's files by name, each read when it is asked for, so that never all are held at once."""

    def __init__(self, bundle: Bundle, number: int) -> None:
        self._bundle, self._number = bundle, number
        self._names = bundle.list_round(number)

    def __getitem__(self, name: str) -> bytes:
        content = self._bundle.read(name_round(self._number, name)) if name in self._names else None
        if content is None:
            raise KeyError(name)
        return content

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class BundleEvidence:
    """An `EvidenceSource` over a bundle: another job than its own has no evidence here."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def fetch_job(self, job: bytes) -> JobFiles:
        """The job's own files."""
        if job != self._bundle.index.job:
            return JobFiles(None, None, None)
        return JobFiles(*(self._bundle.read(name) for name in (SPEC, TERMS, ACCEPTANCE)))

    def count_rounds(self, job: bytes) -> int:
        """How many rounds the bundle says it holds."""
        return self._bundle.index.rounds if job == self._bundle.index.job else 0

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        """A round's files, read as they are asked for."""
        return RoundFolder(self._bundle, number) if job == self._bundle.index.job else {}

    def fetch_file(self, job: bytes, number: int, name: str) -> bytes | None:
        """One file of a round by its name."""
        return self._bundle.read(name_round(number, name)) if job == self._bundle.index.job else None

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        """Nothing: a bundle holds the entries, and proofs follow from them."""
        del job, number, node
        return None

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """A model, payload or validation file."""
        content = self._bundle.read(name_blob(digest))
        return content if content is not None and len(content) <= limit_bytes else None


def name_round(number: int, file: str) -> str:
    """Where a round's file lies in a bundle."""
    return f"rounds/{number:06d}/{file}"


def name_blob(digest: bytes) -> str:
    """Where a file lies in a bundle by its SHA-256."""
    return f"blobs/{digest.hex()}"


def _is_known(name: str, rounds: int) -> bool:
    found = _ROUND.fullmatch(name)
    if found:
        return 1 <= int(found[1]) <= rounds and found[2] in _OF_ROUND
    return name in _ALONE or _BLOB.fullmatch(name) is not None
