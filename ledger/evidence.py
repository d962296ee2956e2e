"""The files of a round that anyone can check: their names, their bytes, and the manifest whose digest the header signs.

A file's bytes are a function of what it holds (canonical JSON, or safetensors written in one order), so that two
parties with the same facts hold the same files. `header.json` and `anchor.json` stand outside the manifest: the header
signs the manifest's digest. Every `decode_…` raises MalformedJson (or another Malformed error) on anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeGuard

from ledger import canonical
from ledger.columns import read_bytes, split_columns
from ledger.commitment import Opening
from ledger.entry import Entry
from ledger.errors import Malformed, MalformedJson, MalformedStatement, VerificationError
from ledger.hashing import sha256
from ledger.hexadecimal import parse_hex, to_hex
from ledger.signatures import SIGNATURE_BYTES
from ledger.statements import Closing, Contribution, Receipt, RoundHeader, Signed, Voucher
from ledger.structs import read_all

CONTRIBUTIONS = "contributions.json"
RECEIPTS = "receipts.json"
CLOSING = "closing.json"
OPENINGS = "openings.json"
ENTRIES = "entries.json"
TREE = "tree.json"
OUTCOME = "outcome.json"
SCREENING = "screening.json"
DRAW = "draw.json"
AGGREGATE = "aggregate.safetensors"
GRADIENT = "gradient.safetensors"
MOMENTUM = "momentum.safetensors"
REFERENCE = "reference.safetensors"
MANIFEST = "manifest.json"
HEADER = "header.json"
ANCHOR = "anchor.json"

PRIVATE = frozenset({GRADIENT, REFERENCE})
"""What tells of the validation set: until the job ends for its holders alone, where the spec names any."""

ALWAYS = (CONTRIBUTIONS, RECEIPTS, CLOSING, OPENINGS, ENTRIES, TREE, OUTCOME, SCREENING, DRAW)
ARRAYS = (AGGREGATE, GRADIENT, MOMENTUM, REFERENCE)
OUTSIDE = (MANIFEST, HEADER, ANCHOR)
FOR_EVERYONE = (MANIFEST, SCREENING, DRAW)
"""What is for everyone, whoever may read the rest: why each verdict is what it is, who was in, and the proof."""


@dataclass(frozen=True, slots=True)
class ReportedContribution:
    """A node's signed contribution with the report its statement commits to, and the voucher the report names."""

    signed: Signed[Contribution]
    report: Mapping[str, str]
    voucher: Signed[Voucher] | None = None

    def to_json(self) -> dict[str, object]:
        """As it stands in `contributions.json`."""
        voucher = None if self.voucher is None else self.voucher.to_json()
        return {**self.signed.to_json(), "report": dict(self.report), "voucher": voucher}

    @classmethod
    def from_json(cls, value: object) -> ReportedContribution:
        """Reads one item. Raises MalformedJson when the report is not an object of strings."""
        fields = _object(CONTRIBUTIONS, value, {"statement", "signature", "report", "voucher"})
        report, voucher = fields.pop("report"), fields.pop("voucher")
        if not _is_report(report):
            raise MalformedJson(CONTRIBUTIONS, "report must be an object of strings")
        return cls(Signed.from_json(Contribution, fields), report, _read_voucher(voucher))

    @classmethod
    def from_json_all(cls, values: Sequence[object]) -> list[Self] | None:
        """Reads many at once: what `from_json` gives for each, or None where it might refuse one."""
        columns = split_columns(values, ["statement", "signature", "report", "voucher"])
        if columns is None or not all(map(_is_report, columns[2])):
            return None
        statements = Contribution.from_json_all(columns[0])
        signatures = read_bytes(columns[1], SIGNATURE_BYTES)
        vouchers = _read_vouchers(columns[3])
        if statements is None or signatures is None or vouchers is None:
            return None
        return list(map(cls, map(Signed, statements, signatures), columns[2], vouchers))


@dataclass(frozen=True, slots=True)
class OpenedClosing:
    """The signed closing and the seed that `seedDigest` promised; `seed` is 32 bytes."""

    signed: Signed[Closing]
    seed: bytes

    def to_json(self) -> dict[str, object]:
        """As it stands in `closing.json`."""
        return {**self.signed.to_json(), "seed": to_hex(self.seed)}

    @classmethod
    def from_json(cls, value: object) -> OpenedClosing:
        """Reads the file's object; the seed is 32 bytes of hex."""
        fields = _object(CLOSING, value, {"statement", "signature", "seed"})
        seed = parse_hex(fields.pop("seed"), 32)
        return cls(Signed.from_json(Closing, fields), seed)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list of a round's files: name to (SHA-256, bytes)."""

    files: Mapping[str, tuple[bytes, int]]

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Manifest:
        """The manifest of these files' contents."""
        return cls({name: (sha256(content), len(content)) for name, content in files.items()})

    def to_bytes(self) -> bytes:
        """`manifest.json`: canonical JSON, sorted by name."""
        rows = sorted(self.files.items())
        listed = [{"name": name, "sha256": to_hex(digest), "bytes": size} for name, (digest, size) in rows]
        return canonical.encode({"files": listed})

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Raises MalformedJson when the list is not canonical, names a file twice or one that no round has."""
        top = _object(MANIFEST, canonical.decode(content), {"files"})["files"]
        if not isinstance(top, list):
            raise MalformedJson(MANIFEST, "files must be a list")
        files: dict[str, tuple[bytes, int]] = {}
        for item in top:
            fields = _object(MANIFEST, item, {"name", "sha256", "bytes"})
            name, size = fields["name"], fields["bytes"]
            if type(name) is not str or name in files or name not in (*ALWAYS, *ARRAYS):
                raise MalformedJson(MANIFEST, f"file {name!r} is unknown or listed twice")
            if type(size) is not int or size < 0:
                raise MalformedJson(MANIFEST, f"size of {name} must be a whole number of bytes, got {size!r}")
            files[name] = (parse_hex(fields["sha256"], 32), size)
        manifest = cls(files)
        if manifest.to_bytes() != content:
            raise MalformedJson(MANIFEST, "expected its canonical form, sorted by name")
        return manifest

    def digest(self) -> bytes:
        """SHA-256 of the manifest's bytes: the header's `evidence`."""
        return sha256(self.to_bytes())


def verify_file(header: RoundHeader, manifest: bytes, name: str, content: bytes) -> None:
    """Verify that a file is the one that a header signs by its manifest.

    Raises:
        VerificationError: evidence-manifest, where manifest or file is another.
        Malformed: the manifest cannot be read.
    """
    if sha256(manifest) != header.evidence:
        detail = f"{MANIFEST} is not the one that the header signs"
        raise VerificationError("evidence-manifest", detail, header.evidence, sha256(manifest))
    listed = Manifest.from_bytes(manifest).files.get(name)
    if listed is None or listed[0] != sha256(content):
        detail = f"{name} is not the one that {MANIFEST} lists"
        raise VerificationError("evidence-manifest", detail, None if listed is None else listed[0], sha256(content))


def encode_contributions(items: Sequence[ReportedContribution]) -> bytes:
    """`contributions.json`: the contributions in seq order."""
    return canonical.encode([item.to_json() for item in items])


def decode_contributions(content: bytes) -> list[ReportedContribution]:
    """Reads `contributions.json`."""
    return read_all(_list(CONTRIBUTIONS, content), ReportedContribution.from_json_all, ReportedContribution.from_json)


def encode_receipts(items: Sequence[Signed[Receipt]]) -> bytes:
    """`receipts.json`: the receipts in seq order."""
    return canonical.encode([item.to_json() for item in items])


def decode_receipts(content: bytes) -> list[Signed[Receipt]]:
    """Reads `receipts.json`."""
    together, one = partial(Signed.from_json_all, Receipt), partial(Signed.from_json, Receipt)
    return read_all(_list(RECEIPTS, content), together, one)


def encode_openings(items: Sequence[Opening | None]) -> bytes:
    """`openings.json`: the openings in seq order, null where a node never revealed."""
    return canonical.encode([None if item is None else item.to_json() for item in items])


def decode_openings(content: bytes) -> list[Opening | None]:
    """Reads `openings.json`."""
    items = _list(OPENINGS, content)
    shown = iter(read_all([item for item in items if item is not None], Opening.from_json_all, Opening.from_json))
    return [None if item is None else next(shown) for item in items]


def encode_entries(items: Sequence[Entry]) -> bytes:
    """`entries.json`: the entries in seq order."""
    return canonical.encode([item.to_json() for item in items])


def decode_entries(content: bytes) -> list[Entry]:
    """Reads `entries.json`."""
    return read_all(_list(ENTRIES, content), Entry.from_json_all, Entry.from_json)


def encode_closing(closing: OpenedClosing) -> bytes:
    """`closing.json`: the signed closing with its seed."""
    return canonical.encode(closing.to_json())


def decode_closing(content: bytes) -> OpenedClosing:
    """Reads `closing.json`."""
    return OpenedClosing.from_json(canonical.decode(content))


def _read_voucher(value: object) -> Signed[Voucher] | None:
    try:
        return None if value is None else Signed.from_json(Voucher, value)
    except Malformed as error:
        # Its members have the names of a contribution's: whose they are must be said.
        raise MalformedStatement("voucher", str(error)) from None


def _read_vouchers(values: Sequence[object]) -> Sequence[Signed[Voucher] | None] | None:
    """Vouchers where there are some, or None where one might be refused. A job has them for all or for none."""
    if all(value is None for value in values):
        return [None] * len(values)
    return Signed.from_json_all(Voucher, values)


def _is_report(value: object) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and all(type(text) is str for text in value.values())


def _list(name: str, content: bytes) -> Sequence[object]:
    value = canonical.decode(content)
    if not isinstance(value, list):
        raise MalformedJson(name, f"expected a list, got {type(value).__name__}")
    return value


def _object(name: str, value: object, keys: set[str]) -> dict[str, object]:
    if not isinstance(value, dict) or set(value) != keys:
        got = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise MalformedJson(name, f"expected an object with {sorted(keys)}, got {got}")
    return dict(value)
