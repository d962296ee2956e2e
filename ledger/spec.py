"""The job spec: the rules of a job's learning, as canonical JSON whose SHA-256 stands in the terms.

What the chain enforces stands in the terms alone, so they cannot disagree. Fractions are decimal strings, read exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Self

from ledger import canonical
from ledger.canonical import JsonValue
from ledger.errors import Malformed, MalformedSpec
from ledger.hashing import sha256
from ledger.hexadecimal import parse_hex, to_hex
from ledger.structs import read_object

PROTOCOL: Final = 1
MAX_SPEC_BYTES: Final = 65_536

_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,17}[1-9])?")
_TASK_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")

# The rules this version knows; a spec with another is refused with this list.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "weightRule": ("equal",),
        "aggregationRule": (
            "mean",
            "norm-clipped-mean",
            "centred-clipping",
            "median",
            "trimmed-mean",
            "multi-krum",
        ),
        "scoringRule": ("aumann-shapley", "by-weight"),
        "evidenceReaders": ("auditors", "public"),
    }
)

# The aggregation rules that must be told what part of a cohort may be dishonest.
_TOLERANT: Final = ("trimmed-mean", "multi-krum")


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """A task by the name it is installed under, and its configuration: canonical JSON, fractions as decimal strings."""

    name: str
    config: Mapping[str, JsonValue] = field(hash=False)

    def __post_init__(self) -> None:
        _require(
            "task.name",
            type(self.name) is str and _TASK_NAME.fullmatch(self.name) is not None,
            "a name such as 'recommender'",
            self.name,
        )
        _require("task.config", isinstance(self.config, Mapping), "a JSON object", self.config)
        try:
            # A copy of our own: whoever passed the mapping may go on changing it.
            copy = canonical.decode(canonical.encode(dict(self.config)))
        except Malformed as error:
            raise MalformedSpec("task.config", str(error)) from None
        object.__setattr__(self, "config", MappingProxyType(copy))  # type: ignore[arg-type]  # encoded from a dict

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"name", "config"}."""
        return {"name": self.name, "config": canonical.decode(canonical.encode(dict(self.config)))}


@dataclass(frozen=True, slots=True)
class Cohort:
    """How many nodes a round needs and admits."""

    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        _check_int("cohort.minimum", self.minimum, 1, 1_000_000)
        _check_int("cohort.maximum", self.maximum, self.minimum, 1_000_000)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"minimum", "maximum"}."""
        return {"minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The rules of a job's learning; `initial_model` and `validation` are SHA-256 digests of files.

    `validation` is None exactly when the scoring rule is `by-weight` (then `validation_positions` is unused). The unit
    of `clip_norm` is that of the model's parameters. `aggregation_tolerance`, the part of a cohort that may be
    dishonest, is "0" unless the aggregation rule asks for it.

    Raises:
        MalformedSpec: at construction, naming the field.
    """

    title: str
    description: str
    task: TaskChoice
    initial_model: bytes
    validation: bytes | None
    validation_positions: int
    cohort: Cohort
    commit_seconds: int
    reveal_seconds: int
    weight_rule: str
    clip_norm: str
    fraction_bits: int
    server_rate: str
    server_momentum: str
    aggregation_rule: str
    scoring_rule: str
    evidence_readers: str
    retention_seconds: int
    verifiable: bool
    aggregation_tolerance: str = "0"
    protocol: int = PROTOCOL

    def __post_init__(self) -> None:
        _require("protocol", type(self.protocol) is int and self.protocol == PROTOCOL, str(PROTOCOL), self.protocol)
        _check_text("title", self.title, 1, 200)
        _check_text("description", self.description, 0, 10_000)
        _require("task", type(self.task) is TaskChoice, "a TaskChoice", self.task)
        _require("cohort", type(self.cohort) is Cohort, "a Cohort", self.cohort)
        _check_digest("initialModel", self.initial_model)
        _check_int("validationPositions", self.validation_positions, 1, 10_000_000)
        _check_int("commitSeconds", self.commit_seconds, 1, 2_592_000)
        _check_int("revealSeconds", self.reveal_seconds, 1, 2_592_000)
        _check_int("retentionSeconds", self.retention_seconds, 0, 315_360_000)
        _check_int("fractionBits", self.fraction_bits, 1, 14)
        _require("verifiable", type(self.verifiable) is bool, "true or false", self.verifiable)
        self._check_choices()
        self._check_step()

    def _check_choices(self) -> None:
        given = (self.weight_rule, self.aggregation_rule, self.scoring_rule, self.evidence_readers)
        for (name, supported), value in zip(_CHOICES.items(), given, strict=True):
            known = type(value) is str and value in supported
            _require(name, known, "one of " + ", ".join(repr(choice) for choice in supported), value)
        check_aggregation(self.aggregation_rule, self.aggregation_tolerance)
        if self.scoring_rule == "by-weight":
            _require(
                "validation", self.validation is None, "null, since the scoring rule is by-weight", self.validation
            )
        else:
            _check_digest("validation", self.validation)

    def _check_step(self) -> None:
        clip = parse_decimal("clipNorm", self.clip_norm) * 2**self.fraction_bits
        # Norms are compared as Σu² ≤ ⌊C² · 4^f⌋ in int64.
        expected = f"at least 2^-{self.fraction_bits}, and below 2^31.5 in units of it"
        _require("clipNorm", clip >= 1 and clip**2 < 2**63, expected, self.clip_norm)
        _require("serverRate", parse_decimal("serverRate", self.server_rate) > 0, "above 0", self.server_rate)
        momentum = parse_decimal("serverMomentum", self.server_momentum)
        _require("serverMomentum", momentum < 1, "at least 0 and below 1", self.server_momentum)
        _require(
            "spec", len(self.to_bytes()) <= MAX_SPEC_BYTES, f"at most {MAX_SPEC_BYTES} bytes", len(self.to_bytes())
        )

    @property
    def clip(self) -> Fraction:
        """The clip norm C of round 1, exactly."""
        return Fraction(self.clip_norm)

    @property
    def rate(self) -> Fraction:
        """The server rate η, exactly."""
        return Fraction(self.server_rate)

    @property
    def momentum(self) -> Fraction:
        """The server momentum β, exactly."""
        return Fraction(self.server_momentum)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the spec as a JSON object with camelCase keys."""
        values: dict[str, JsonValue] = {}
        for key, name in _FIELDS.items():
            value = getattr(self, name)
            if isinstance(value, (TaskChoice, Cohort)):
                values[key] = value.to_json()
            else:
                values[key] = to_hex(value) if type(value) is bytes else value
        return values

    def to_bytes(self) -> bytes:
        """Returns the canonical bytes that the digest stands on."""
        return canonical.encode(self.to_json())

    def digest(self) -> bytes:
        """Returns the SHA-256 of the canonical bytes: the terms' `specDigest`."""
        return sha256(self.to_bytes())

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes.

        Raises:
            MalformedSpec: naming the field that is missing, unknown, of another type or out of range.
        """
        fields = dict(read_object(value, "spec", list(_FIELDS), MalformedSpec))
        task = read_object(fields["task"], "task", ["name", "config"], MalformedSpec)
        cohort = read_object(fields["cohort"], "cohort", ["minimum", "maximum"], MalformedSpec)
        fields["task"], fields["cohort"] = TaskChoice(**task), Cohort(**cohort)  # type: ignore[arg-type]  # they check
        fields["initialModel"] = _read_digest("initialModel", fields["initialModel"])
        if fields["validation"] is not None:
            fields["validation"] = _read_digest("validation", fields["validation"])
        return cls(**{name: fields[key] for key, name in _FIELDS.items()})  # type: ignore[arg-type]  # checked there

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Reads canonical bytes of at most `MAX_SPEC_BYTES`.

        Raises:
            MalformedJson: when they are not canonical JSON.
            MalformedSpec: as `from_json` does.
        """
        if len(content) > MAX_SPEC_BYTES:
            raise MalformedSpec("spec", f"at most {MAX_SPEC_BYTES} bytes", len(content))
        return cls.from_json(canonical.decode(content, require_canonical=True))


_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {re.sub(r"_(\w)", lambda match: match[1].upper(), name): name for name in JobSpec.__dataclass_fields__}
)


def check_aggregation(rule: object, tolerance: object) -> None:
    """Checks an aggregation rule's name and what it tolerates.

    Raises:
        MalformedSpec: for another rule, or a tolerance that it does not take: above 0 and below 1/2 for `trimmed-mean`
            and `multi-krum`, "0" for the others.
    """
    choices = _CHOICES["aggregationRule"]
    known = type(rule) is str and rule in choices
    _require("aggregationRule", known, "one of " + ", ".join(map(repr, choices)), rule)
    part = parse_decimal("aggregationTolerance", tolerance)
    if rule in _TOLERANT:
        _require("aggregationTolerance", 0 < part < Fraction(1, 2), f"above 0 and below 0.5 for {rule}", tolerance)
    else:
        _require("aggregationTolerance", part == 0, f"'0' for {rule}", tolerance)


def parse_decimal(subject: str, text: object) -> Fraction:
    """Reads a decimal string of at least 0 exactly, in its one form: no sign, exponent, or zeros that say nothing.

    Raises:
        MalformedSpec: for anything else.
    """
    fits = type(text) is str and _DECIMAL.fullmatch(text) is not None
    _require(subject, fits, "a decimal string such as '0.6', without sign, exponent or needless zeros", text)
    return Fraction(str(text))


def _read_digest(subject: str, value: object) -> bytes:
    try:
        return parse_hex(value, 32, subject)
    except Malformed as error:
        raise MalformedSpec(subject, "a SHA-256 digest: 0x and 64 lower-case hex digits", error.got) from None


def _require(subject: str, holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise MalformedSpec(subject, expected, got)


def _check_int(subject: str, value: object, least: int, most: int) -> None:
    _require(subject, type(value) is int and least <= value <= most, f"an integer from {least} to {most}", value)


def _check_text(subject: str, value: object, least: int, most: int) -> None:
    fits = type(value) is str and least <= len(value.strip()) and len(value) <= most
    _require(subject, fits, f"a text of {least} to {most} characters", value)


def _check_digest(subject: str, value: object) -> None:
    _require(subject, type(value) is bytes and len(value) == 32, "a SHA-256 digest of 32 bytes", value)
