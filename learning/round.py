"""One round, computed: what the coordinator does when it tallies and what an auditor does when it recomputes.

A pure function over arrays: the same inputs give the same outcome, integers and the next model to the last bit. Payloads are read one
at a time, twice: first to screen and add them, then to score them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learning.parameters import Vector32
from learning.rules import LearningRules
from learning.score import GradientCheck, PublicGradient
from learning.state import RoundState
from learning.tasks.task import Examples, Positions, Task
from ledger.tally import Verdict

TOO_FEW = "too-few"
NOTHING_ACCEPTED = "nothing-accepted"
LOSS_DID_NOT_FALL = "loss-did-not-fall"
NO_BEACON = bytes(32)


@dataclass(frozen=True, slots=True)
class RevealedContribution:
    """One receipt's contribution as it stands after the reveal phase.

    `verdict` is ACCEPTED where the opening opens the commitment (screening then decides), else UNREVEALED or NOT_OPENED.
    `read` returns the payload bytes; it is called only for ACCEPTED, up to twice, and must return the same bytes.
    """

    seq: int
    weight: int
    verdict: Verdict
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class RoundInputs:
    """Everything a round's outcome depends on.

    `base [n] float32` is the model trained from, `contributions` are in seq order, `validation` is None for by-weight jobs,
    `beacon` has 32 bytes (computed by the caller from the openings).
    """

    task: Task
    rules: LearningRules
    base: Vector32
    state: RoundState
    validation: Examples | None
    beacon: bytes
    contributions: Sequence[RevealedContribution]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A contribution's verdict, its weight in the sum (0 unless accepted) and its score (units of 2^-40 nats)."""

    seq: int
    verdict: Verdict
    weight: int
    score: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """What came of a round.

    `void` is None or the reason (TOO_FEW, NOTHING_ACCEPTED, LOSS_DID_NOT_FALL); then `model` is the base model.
    `aggregate [n] int64` is S (None where nothing was accepted or too few took part), `model [n] float32` the next model.
    `beacon` is what belongs into the header: zero where no sample was drawn. `clip` bounded this round's updates, in units of
    2^-f; the next round's is `state.clip`. `check` is there when a published gradient was given.
    """

    judgements: tuple[Judgement, ...]
    void: str | None
    aggregate: NDArray[np.int64] | None
    total_weight: int
    halvings: int
    model: Vector32
    model_bytes: bytes
    beacon: bytes
    positions: Positions
    loss_before: float | None
    loss_after: float | None
    gradient: PublicGradient | None
    clip: int
    state: RoundState = field(repr=False)
    check: GradientCheck | None = None


def run_round(inputs: RoundInputs, published: PublicGradient | None = None) -> RoundOutcome:
    """Screens, aggregates, steps and scores one round.

    An auditor passes the `published` gradient of the evidence: scores then follow from it exactly, the next state carries it, and
    `check` says how far the auditor's own gradient is from it.

    Raises:
        PayloadsChanged: a payload read twice gave different bytes.
    """
    raise NotImplementedError
