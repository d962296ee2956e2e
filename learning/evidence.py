"""A round's evidence as learning makes it: small accounts in `outcome.json` and `screening.json`, arrays beside them.

All of it is canonical: who recomputes a round writes the same bytes, but for `gradient.safetensors`,
`reference.safetensors` and the losses, which depend on the processor's last digits and are compared with a tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from learning.gradient import PublicGradient
from learning.optimiser import Moments
from learning.round import RoundOutcome, Void
from learning.rules import LearningRules
from learning.tensors import MAX_HEADER_BYTES, ArrayType, read_arrays, write_arrays
from ledger import canonical
from ledger.errors import MalformedJson
from ledger.evidence import AGGREGATE, GRADIENT, MOMENTUM, OUTCOME, REFERENCE, SCREENING
from ledger.hashing import sha256
from ledger.hexadecimal import parse_hex, to_hex
from ledger.screening import encode_reasons

_LOSS_DIGITS: Final = 9
_LOSS_TOLERANCE: Final = 1e-6
_MEMBERS: Final = {"clip", "nextClip", "halvings", "void", "sampleDigest", "scale", "lossBefore", "lossAfter"}


@dataclass(frozen=True, slots=True)
class OutcomeAccount:
    """What `outcome.json` says: clips in units of 2^-f, losses in nats per position, None where no sample was drawn.

    `sample_digest` is the SHA-256 of the drawn positions as little-endian int64, `scale` the public gradient's s.
    """

    clip: int
    next_clip: int
    halvings: int
    void: Void | None
    sample_digest: bytes | None
    scale: int | None
    loss_before: str | None
    loss_after: str | None

    @classmethod
    def of(cls, outcome: RoundOutcome) -> OutcomeAccount:
        """The account of an outcome."""
        drawn = outcome.loss_before is not None
        return cls(
            outcome.clip,
            outcome.state.clip,
            outcome.halvings,
            outcome.void,
            sha256(outcome.positions.astype("<i8").tobytes()) if drawn else None,
            outcome.gradient.scale if outcome.gradient else None,
            _write_loss(outcome.loss_before),
            _write_loss(outcome.loss_after),
        )

    def agrees(self, other: OutcomeAccount) -> bool:
        """Whether two parties saw the same round: all but the last digits of the losses is equal."""
        return self._without_losses() == other._without_losses() and all(
            _is_near(mine, theirs)
            for mine, theirs in ((self.loss_before, other.loss_before), (self.loss_after, other.loss_after))
        )

    def to_bytes(self) -> bytes:
        """`outcome.json`."""
        return canonical.encode(
            {
                "clip": self.clip,
                "nextClip": self.next_clip,
                "halvings": self.halvings,
                "void": None if self.void is None else self.void.value,
                "sampleDigest": None if self.sample_digest is None else to_hex(self.sample_digest),
                "scale": self.scale,
                "lossBefore": self.loss_before,
                "lossAfter": self.loss_after,
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> OutcomeAccount:
        """Reads `outcome.json`. Raises MalformedJson for other members, types or values."""
        value = canonical.decode(content, require_canonical=True)
        if not isinstance(value, dict) or set(value) != _MEMBERS:
            raise MalformedJson(OUTCOME, f"an object with {sorted(_MEMBERS)}", value)
        numbers = {name: _read_integer(name, value[name]) for name in ("clip", "nextClip", "halvings")}
        void, digest, scale = value["void"], value["sampleDigest"], value["scale"]
        if void is not None and (not isinstance(void, str) or void not in set(Void)):
            raise MalformedJson(f"{OUTCOME}: void", f"null or one of {[reason.value for reason in Void]}", void)
        return cls(
            numbers["clip"],
            numbers["nextClip"],
            numbers["halvings"],
            None if void is None else Void(void),
            None if digest is None else parse_hex(digest, 32),
            None if scale is None else _read_integer("scale", scale),
            _read_loss("lossBefore", value["lossBefore"]),
            _read_loss("lossAfter", value["lossAfter"]),
        )

    def _without_losses(self) -> tuple[object, ...]:
        return self.clip, self.next_clip, self.halvings, self.void, self.sample_digest, self.scale


def write_evidence(outcome: RoundOutcome) -> dict[str, bytes]:
    """The files of an outcome by name: the two accounts; sum, gradient, moments and reference where there are any."""
    files = {
        OUTCOME: OutcomeAccount.of(outcome).to_bytes(),
        SCREENING: encode_reasons(outcome.clip, outcome.list_reasons()),
    }
    if outcome.aggregate is not None:
        files[AGGREGATE] = write_arrays({"aggregate": outcome.aggregate})
    if outcome.gradient is not None:
        files[GRADIENT] = write_arrays({"gradient": outcome.gradient.values})
    if outcome.void is None:
        second = {"second": outcome.state.second} if outcome.state.second.size else {}
        files[MOMENTUM] = write_arrays({"momentum": outcome.state.momentum, **second})
    if outcome.reference is not None:
        scale = np.array([outcome.reference.scale], np.int64)
        files[REFERENCE] = write_arrays({"reference": outcome.reference.values, "scale": scale})
    return files


def read_gradient(files: Mapping[str, bytes], size: int) -> PublicGradient | None:
    """The published gradient `[size]` of a round's files, None when the round has none.

    Raises:
        MalformedArrays, MalformedGradient, MalformedJson: for files that no honest round has.
    """
    scale = OutcomeAccount.from_bytes(files[OUTCOME]).scale
    if scale is None or GRADIENT not in files:
        return None
    expected = {"gradient": ArrayType("I32", (size,))}
    arrays = read_arrays(files[GRADIENT], expected, GRADIENT, MAX_HEADER_BYTES + 8 + 4 * size)
    return PublicGradient(arrays["gradient"], scale)


def read_reference(files: Mapping[str, bytes], size: int) -> PublicGradient | None:
    """The published reference `[size]` of a round's files, None when the round has none.

    Raises:
        MalformedArrays, MalformedGradient: for a file that no honest round has.
    """
    if REFERENCE not in files:
        return None
    expected = {"reference": ArrayType("I32", (size,)), "scale": ArrayType("I64", (1,))}
    arrays = read_arrays(files[REFERENCE], expected, REFERENCE, MAX_HEADER_BYTES + 16 + 4 * size)
    return PublicGradient(arrays["reference"], int(arrays["scale"][0]))


def read_moments(content: bytes, size: int, rules: LearningRules) -> Moments:
    """Reads `momentum.safetensors`: `momentum [size] float64`, with Adam `second` too. Raises MalformedArrays."""
    names = ("momentum",) if rules.adam is None else ("momentum", "second")
    expected = {name: ArrayType("F64", (size,)) for name in names}
    arrays = read_arrays(content, expected, MOMENTUM, MAX_HEADER_BYTES + 8 + 8 * size * len(names))
    return Moments(arrays["momentum"], arrays.get("second", np.zeros(0)))


def _write_loss(loss: float | None) -> str | None:
    return None if loss is None or not np.isfinite(loss) else f"{loss:.{_LOSS_DIGITS}f}"


def _is_near(mine: str | None, theirs: str | None) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    return abs(float(mine) - float(theirs)) <= _LOSS_TOLERANCE * max(1.0, abs(float(mine)))


def _read_integer(name: str, value: object) -> int:
    if type(value) is not int:
        raise MalformedJson(f"{OUTCOME}: {name}", "an integer", value)
    return value


def _read_loss(name: str, value: object) -> str | None:
    whole, _, digits = value.partition(".") if isinstance(value, str) else ("", "", "")
    decimal = whole.removeprefix("-").isdecimal() and digits.isdecimal() and f"{whole}{digits}".isascii()
    if value is not None and not (decimal and len(digits) == _LOSS_DIGITS):
        raise MalformedJson(f"{OUTCOME}: {name}", f"null or a decimal string with {_LOSS_DIGITS} digits", value)
    return None if value is None else str(value)
