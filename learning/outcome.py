"""What goes into a round and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from learning.gradient import PublicGradient
from learning.parameters import Vector32
from learning.rules import LearningRules
from learning.score import GradientCheck
from learning.state import RoundState
from learning.tasks.task import Examples, Positions, Task
from ledger.entry import Verdict
from ledger.screening import Reason, Rule


class Void(StrEnum):
    """Why a round ends with the model it began with."""

    TOO_FEW = "too-few"
    NOTHING_ACCEPTED = "nothing-accepted"
    LOSS_DID_NOT_FALL = "loss-did-not-fall"


@dataclass(frozen=True, slots=True)
class RevealedContribution:
    """One receipt's contribution as it stands after the reveal phase.

    `verdict` is ACCEPTED where the opening opens the commitment (screening then decides), else UNREVEALED or
    NOT_OPENED. `read` returns the payload bytes, the same each time; it is called for ACCEPTED only. `node` is who sent
    it and `payload` the SHA-256 of the bytes: needed in jobs that refuse near copies, and to name an original.
    """

    seq: int
    weight: int
    verdict: Verdict
    read: Callable[[], bytes]
    node: bytes = bytes(20)
    payload: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class SaidDescent:
    """What a round's account says of its descent, for whoever has no validation set to measure it on."""

    halvings: int
    fell: bool


@dataclass(frozen=True, slots=True, eq=False)
class RoundInputs:
    """Everything a round's outcome depends on.

    `base [n] float32` is the model trained from, `contributions` are in seq order, `validation` is None for by-weight
    jobs, `beacon` has 32 bytes (computed by the caller from the openings). `read_earlier` returns a payload of an
    earlier round by its SHA-256: one of those that the state's memory lists. With `said`, the descent is taken from the
    round's account, nothing is drawn or scored, and all scores are 0: sum, momentum and next model are all there is.
    """

    task: Task
    rules: LearningRules
    base: Vector32
    state: RoundState
    validation: Examples | None
    beacon: bytes
    contributions: Sequence[RevealedContribution]
    read_earlier: Callable[[bytes], bytes] | None = None
    said: SaidDescent | None = None


@dataclass(frozen=True, slots=True)
class JudgedContribution:
    """A contribution's verdict and why, its weight in the sum (0 unless accepted), its score (units of 2^-40 nats)."""

    seq: int
    verdict: Verdict
    weight: int = 0
    score: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RoundOutcome:
    """What came of a round.

    `aggregate [n] int64` is S, None where no sum was taken; S / (`divisor` · 2^f) is the mean. `model [n] float32` is
    the next model, the base model when `void`. `beacon` is what belongs into the header: zero where no sample was
    drawn. `positions` is the sample; losses are in nats per position. `clip` bounded this round's updates, in units of
    2^-f; the next round's, and the momentum, are in `state`. `reference` is there where the rule took one. `check` and
    `reference_check` are there when a published gradient, or reference, was given and used. `screened` says what
    screening found, before the rule left anyone out and before the round was void.
    """

    judged: tuple[JudgedContribution, ...]
    void: Void | None
    model: Vector32 = field(repr=False)
    model_bytes: bytes = field(repr=False)
    clip: int
    state: RoundState = field(repr=False)
    total_weight: int = 0
    divisor: int = 0
    aggregate: NDArray[np.int64] | None = field(default=None, repr=False)
    beacon: bytes = bytes(32)
    positions: Positions = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    halvings: int = 0
    loss_before: float | None = None
    loss_after: float | None = None
    gradient: PublicGradient | None = field(default=None, repr=False)
    check: GradientCheck | None = None
    reference: PublicGradient | None = field(default=None, repr=False)
    reference_check: GradientCheck | None = None
    screened: tuple[Reason, ...] = field(default=(), repr=False)

    def list_reasons(self) -> list[Reason]:
        """Why each contribution has its verdict, in seq order; screening's own rule stands in a void round too."""
        reasons = []
        for one, reason in zip(self.judged, self.screened, strict=True):
            if one.verdict is Verdict.EXCLUDED:
                reasons.append(replace(reason, verdict=one.verdict, rule=Rule.AGGREGATION, detail=one.detail))
            else:
                reasons.append(replace(reason, verdict=one.verdict))
        return reasons
