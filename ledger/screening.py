"""`screening.json`: which rule decided each verdict of a round and on what numbers, so that anyone can be told why.

One reason per contribution, in seq order, beside the round's norm bound. Numbers that may be beyond 2^53, and all
fractions, are decimal strings; fractions are rounded towards zero, so that every machine writes the same digits. A
member that a reason does not need is absent. Nothing here is believed by itself: the manifest signs the file, and an
audit that has the payloads writes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from ledger import canonical
from ledger.canonical import JsonValue
from ledger.entry import Verdict
from ledger.errors import MalformedJson
from ledger.evidence import SCREENING
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

SUBJECT: Final = SCREENING
DIGITS: Final = 6
"""Of a cosine or a kurtosis, behind the point."""

_MOST_DIGITS: Final = 40


class Rule(StrEnum):
    """What decided. The first four are about the payload's form: integers are finite, so finiteness needs no rule."""

    FORMAT = "format"
    DTYPE = "dtype"
    SHAPE = "shape"
    RANGE = "range"
    NORM = "norm"
    CONSTANT = "constant"
    NOISE = "noise"
    DUPLICATE = "duplicate"
    RECYCLED = "recycled"
    NEAR_COPY = "near-copy"
    UNREVEALED = "unrevealed"
    NOT_OPENED = "not-opened"
    AGGREGATION = "aggregation"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, order=True)
class Original:
    """Where an update was first seen: round from 1, seq, and the node that sent it."""

    round: int
    seq: int
    node: bytes

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"round", "seq", "node"}."""
        return {"round": self.round, "seq": self.seq, "node": to_address(self.node)}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises Malformed."""
        fields = _object("original", value, {"round", "seq", "node"}, set())
        return cls(_natural(fields["round"]), _natural(fields["seq"]), parse_address(fields["node"]))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contribution got its verdict.

    `update` is the SHA-256 of its elements as little-endian int16, `norm_squared` Σu² (units of 2^-2f), `kurtosis`
    n · Σu⁴ / (Σu²)²: where a payload could be read, the last where the job has a least one. `limit` is what the rule
    compared with: clip², the greatest cosine, the least kurtosis. `detail` is the aggregation rule's own sentence.
    """

    seq: int
    verdict: Verdict
    rule: Rule
    update: bytes | None = None
    norm_squared: int | None = None
    kurtosis: str | None = None
    limit: str | None = None
    original: Original | None = None
    cosine: str | None = None
    detail: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """As it stands in the file."""
        members: dict[str, JsonValue] = {
            "seq": self.seq,
            "verdict": int(self.verdict),
            "rule": self.rule.value,
            "update": None if self.update is None else to_hex(self.update),
            "normSquared": None if self.norm_squared is None else str(self.norm_squared),
            "kurtosis": self.kurtosis,
            "limit": self.limit,
            "original": None if self.original is None else self.original.to_json(),
            "cosine": self.cosine,
            "detail": self.detail,
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises Malformed."""
        fields = _object("reason", value, {"seq", "verdict", "rule"}, _OPTIONAL)
        verdict, rule = fields["verdict"], fields["rule"]
        if type(verdict) is not int or verdict not in set(Verdict):
            raise MalformedJson(SUBJECT, "a verdict", verdict)
        if not isinstance(rule, str) or rule not in set(Rule):
            raise MalformedJson(SUBJECT, f"a rule, one of {[one.value for one in Rule]}", rule)
        return cls(
            seq=_natural(fields["seq"]),
            verdict=Verdict(verdict),
            rule=Rule(rule),
            update=parse_hex(fields["update"], 32) if "update" in fields else None,
            norm_squared=_whole(fields["normSquared"]) if "normSquared" in fields else None,
            kurtosis=_decimal(fields.get("kurtosis")),
            limit=_decimal(fields.get("limit")),
            original=Original.from_json(fields["original"]) if "original" in fields else None,
            cosine=_decimal(fields.get("cosine")),
            detail=_text(fields.get("detail")),
        )


_OPTIONAL: Final = {"update", "normSquared", "kurtosis", "limit", "original", "cosine", "detail"}


def encode_reasons(clip: int, reasons: Sequence[Reason]) -> bytes:
    """`screening.json`; `clip` is the round's norm bound in units of 2^-f."""
    return canonical.encode({"clip": clip, "contributions": [reason.to_json() for reason in reasons]})


def decode_reasons(content: bytes) -> tuple[int, list[Reason]]:
    """Reads `screening.json`: clip and reasons. Raises Malformed unless it is canonical, one reason a seq from 0."""
    fields = _object(SUBJECT, canonical.decode(content, require_canonical=True), {"clip", "contributions"}, set())
    items = fields["contributions"]
    if not isinstance(items, list):
        raise MalformedJson(SUBJECT, "a list of contributions", items)
    reasons = [Reason.from_json(item) for item in items]
    if [reason.seq for reason in reasons] != list(range(len(reasons))):
        raise MalformedJson(SUBJECT, "expected one reason per contribution, in seq order")
    return _natural(fields["clip"]), reasons


def write_fraction(numerator: int, denominator: int) -> str:
    """A fraction of integers from 0 as a decimal, rounded down to six digits."""
    return write_millionths(numerator * 10**DIGITS // denominator)


def write_millionths(millionths: int) -> str:
    """A number of millionths from 0 as a decimal."""
    whole, rest = divmod(millionths, 10**DIGITS)
    return f"{whole}.{rest:0{DIGITS}d}"


def _object(subject: str, value: object, needed: set[str], possible: set[str]) -> Mapping[str, object]:
    if not isinstance(value, dict) or not needed <= set(value) <= needed | possible:
        raise MalformedJson(f"{SUBJECT}: {subject}", f"an object with {sorted(needed)}", value)
    return value


def _natural(value: object) -> int:
    if type(value) is not int or value < 0:
        raise MalformedJson(SUBJECT, "a whole number", value)
    return value


def _whole(value: object) -> int:
    digits = isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isascii() and value.isdecimal()
    if not isinstance(value, str) or not digits or str(int(value)) != value:
        raise MalformedJson(SUBJECT, "a whole number as a decimal string", value)
    return int(value)


def _decimal(value: object) -> str | None:
    text = _text(value)
    if text is not None and not (text.isascii() and text.replace(".", "", 1).isdecimal()):
        raise MalformedJson(SUBJECT, "a decimal string", value)
    return text


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise MalformedJson(SUBJECT, "text", value)
    return value
