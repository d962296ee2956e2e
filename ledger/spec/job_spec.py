"""The job spec: the rules of a job's learning, as canonical JSON whose SHA-256 stands in the terms.

What the chain enforces stands in the terms alone, so they cannot disagree. Fractions are decimal strings, read exactly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Self

from ledger import canonical
from ledger.canonical import JsonValue
from ledger.errors import Malformed, MalformedSpec
from ledger.hashing import sha256
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.spec.options import NOTHING_SCREENED, NOTHING_STALE, Adam, Screening, Staleness, Vouchers, read_address
from ledger.spec.parts import Cohort, TaskChoice
from ledger.spec.reading import check_address, check_digest, check_int, check_text, parse_decimal, require
from ledger.structs import read_object

PROTOCOL: Final = 1
MAX_SPEC_BYTES: Final = 65_536

# The rules this version knows; a spec with another is refused with this list.
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "weightRule": ("equal", "vouched-samples"),
        "aggregationRule": (
            "mean",
            "norm-clipped-mean",
            "centred-clipping",
            "median",
            "trimmed-mean",
            "multi-krum",
            "trust-weighted",
        ),
        "scoringRule": ("aumann-shapley", "by-weight"),
        "evidenceReaders": ("auditors", "public"),
    }
)

AGGREGATION_RULES: Final = _CHOICES["aggregationRule"]

# The aggregation rules that must be told what part of a cohort may be dishonest.
_TOLERANT: Final = ("trimmed-mean", "multi-krum")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The rules of a job's learning; `initial_model` and `validation` are SHA-256 digests of files.

    `validation` is None exactly when the scoring rule is `by-weight` (then `validation_positions` is unused). The unit
    of `clip_norm` is that of the model's parameters. `aggregation_tolerance`, the part of a cohort that may be
    dishonest, is "0" unless the aggregation rule asks for it. `vouchers` is there exactly with the weight rule
    `vouched-samples`; `adam` None is plain momentum. `validation_holders`: who beside the coordinator may have the
    validation set, and what tells of it, before the job ends (None: whoever may read evidence).

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
    vouchers: Vouchers | None = None
    adam: Adam | None = None
    screening: Screening = NOTHING_SCREENED
    staleness: Staleness = NOTHING_STALE
    validation_holders: tuple[bytes, ...] | None = None
    protocol: int = PROTOCOL

    def __post_init__(self) -> None:
        require("protocol", type(self.protocol) is int and self.protocol == PROTOCOL, str(PROTOCOL), self.protocol)
        check_text("title", self.title, 1, 200)
        check_text("description", self.description, 0, 10_000)
        require("task", type(self.task) is TaskChoice, "a TaskChoice", self.task)
        require("cohort", type(self.cohort) is Cohort, "a Cohort", self.cohort)
        check_digest("initialModel", self.initial_model)
        check_int("validationPositions", self.validation_positions, 1, 10_000_000)
        check_int("commitSeconds", self.commit_seconds, 1, 2_592_000)
        check_int("revealSeconds", self.reveal_seconds, 1, 2_592_000)
        check_int("retentionSeconds", self.retention_seconds, 0, 315_360_000)
        check_int("fractionBits", self.fraction_bits, 1, 14)
        require("verifiable", type(self.verifiable) is bool, "true or false", self.verifiable)
        require("screening", type(self.screening) is Screening, "a Screening", self.screening)
        require("staleness", type(self.staleness) is Staleness, "a Staleness", self.staleness)
        self._check_choices()
        self._check_options()
        self._check_step()

    def _check_choices(self) -> None:
        given = (self.weight_rule, self.aggregation_rule, self.scoring_rule, self.evidence_readers)
        for (name, supported), value in zip(_CHOICES.items(), given, strict=True):
            known = type(value) is str and value in supported
            require(name, known, "one of " + ", ".join(repr(choice) for choice in supported), value)
        check_aggregation(self.aggregation_rule, self.aggregation_tolerance)
        if self.scoring_rule == "by-weight":
            require("validation", self.validation is None, "null, since the scoring rule is by-weight", self.validation)
        else:
            check_digest("validation", self.validation)

    def _check_options(self) -> None:
        vouched = self.weight_rule == "vouched-samples"
        wanted = "platform and samplesPerViewer" if vouched else f"null with the weight rule {self.weight_rule!r}"
        require("vouchers", type(self.vouchers) is (Vouchers if vouched else type(None)), wanted, self.vouchers)
        require("adam", self.adam is None or type(self.adam) is Adam, "null or an Adam", self.adam)
        scored = self.validation is not None
        trusts = self.aggregation_rule == "trust-weighted"
        require(
            "aggregationRule", scored or not trusts, "another rule where there is no validation set", "trust-weighted"
        )
        holders = self.validation_holders
        if holders is not None:
            require("validationHolders", scored, "null where there is no validation set", holders)
            listed = type(holders) is tuple and len(holders) <= 64 and len(set(holders)) == len(holders)
            require("validationHolders", listed, "null, or at most 64 different addresses", holders)
            for holder in holders:
                check_address("validationHolders", holder)

    def _check_step(self) -> None:
        clip = parse_decimal("clipNorm", self.clip_norm) * 2**self.fraction_bits
        # Norms are compared as Σu² ≤ ⌊C² · 4^f⌋ in int64.
        expected = f"at least 2^-{self.fraction_bits}, and below 2^31.5 in units of it"
        require("clipNorm", clip >= 1 and clip**2 < 2**63, expected, self.clip_norm)
        require("serverRate", parse_decimal("serverRate", self.server_rate) > 0, "above 0", self.server_rate)
        momentum = parse_decimal("serverMomentum", self.server_momentum)
        require("serverMomentum", momentum < 1, "at least 0 and below 1", self.server_momentum)
        require("spec", len(self.to_bytes()) <= MAX_SPEC_BYTES, f"at most {MAX_SPEC_BYTES} bytes", len(self.to_bytes()))

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
            if isinstance(value, (TaskChoice, Cohort, Screening, Staleness, Vouchers, Adam)):
                values[key] = value.to_json()
            elif isinstance(value, tuple):
                values[key] = [to_address(holder) for holder in value]
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
        for key, part in _PARTS.items():
            if fields[key] is not None or key not in _OPTIONAL:
                fields[key] = part.from_json(fields[key])
        fields["validationHolders"] = _read_holders(fields["validationHolders"])
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


_PARTS: Final[Mapping[str, type[TaskChoice | Cohort | Screening | Staleness | Vouchers | Adam]]] = MappingProxyType(
    {
        "task": TaskChoice,
        "cohort": Cohort,
        "screening": Screening,
        "staleness": Staleness,
        "vouchers": Vouchers,
        "adam": Adam,
    }
)
_OPTIONAL: Final = ("vouchers", "adam")


def check_aggregation(rule: object, tolerance: object) -> None:
    """Checks an aggregation rule's name and what it tolerates.

    Raises:
        MalformedSpec: for another rule, or a tolerance that it does not take: above 0 and below 1/2 for `trimmed-mean`
            and `multi-krum`, "0" for the others.
    """
    choices = _CHOICES["aggregationRule"]
    known = type(rule) is str and rule in choices
    require("aggregationRule", known, "one of " + ", ".join(map(repr, choices)), rule)
    part = parse_decimal("aggregationTolerance", tolerance)
    if rule in _TOLERANT:
        require("aggregationTolerance", 0 < part < Fraction(1, 2), f"above 0 and below 0.5 for {rule}", tolerance)
    else:
        require("aggregationTolerance", part == 0, f"'0' for {rule}", tolerance)


def _read_holders(value: object) -> tuple[bytes, ...] | None:
    if value is None:
        return None
    require("validationHolders", isinstance(value, list), "null or a list of addresses", value)
    return tuple(read_address("validationHolders", holder) for holder in value)  # type: ignore[attr-defined]  # a list


def _read_digest(subject: str, value: object) -> bytes:
    try:
        return parse_hex(value, 32, subject)
    except Malformed as error:
        raise MalformedSpec(subject, "a SHA-256 digest: 0x and 64 lower-case hex digits", error.got) from None
