"""One round, computed: what the coordinator does when it tallies and what an auditor does when it recomputes.

A pure function over arrays: the same inputs give the same outcome, integers and the next model to the last bit.
Payloads are read one at a time, twice: first to screen and add them, then to score them.

1. Screen every opened payload and gather the accepted updates.
2. Too few opened, or nothing accepted: the round is void. Else combine what was gathered by the job's rule, exactly; an
update that the rule leaves out is excluded. One rule takes a reference from the validation set, which is published.
3. Step: momentum or Adam, then the rate, halved until the loss on the beacon's sample falls; if it never does, the
round is void.
4. Score what was taken of each accepted update against the public gradient, or by weight.
5. Leave the state for the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from learning.aggregate import ServerStep, verify_arithmetic
from learning.effect import compute_effect, descend, score_updates
from learning.gathering import Gathering, gather
from learning.gradient import PublicGradient
from learning.optimiser import Moments, list_published
from learning.parameters import Vector32
from learning.payload import read_update
from learning.quantise import Update, compute_next_clip
from learning.reference import Reference, find_reference
from learning.robust.combination import Combination, Contributed
from learning.rules import BY_WEIGHT, TRUST_WEIGHTED, LearningRules
from learning.sampling import draw_reference, draw_sample
from learning.score import GradientCheck, ScoreRule
from learning.screening.memory import Memory
from learning.screening.screen import Screen
from learning.state import KEPT, RoundState
from learning.tasks.task import Examples, Positions, Task
from learning.tensors import write_model
from ledger.screening import Reason, Rule
from ledger.tally import SCORE_BITS, Verdict


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


def run_round(
    inputs: RoundInputs, published: PublicGradient | None = None, reference: PublicGradient | None = None
) -> RoundOutcome:
    """Screens, aggregates, steps and scores one round.

    An auditor passes the `published` gradient of the evidence: scores then follow from it exactly, the next state
    carries it, and `check` says how far the auditor's own gradient is from it. So with the published `reference`, from
    which the sum follows.

    Raises:
        InexactArithmetic: this machine cannot compute what everyone else computes.
        OverflowError: the weights together are beyond 2^48.
    """
    verify_arithmetic()
    # 1.
    gathering = gather(inputs.rules, inputs.base.size)
    screening = _screen(inputs, gathering)
    judged, norms_squared = screening.judged, screening.norms_squared
    state = replace(inputs.state, memory=screening.memory)
    outcome = RoundOutcome(
        judged,
        None,
        inputs.base,
        write_model(inputs.task.layout, inputs.base),
        inputs.state.clip,
        state,
        screened=screening.reasons,
    )
    # 2.
    if sum(one.verdict is Verdict.ACCEPTED for one in inputs.contributions) < inputs.rules.cohort_minimum:
        struck = tuple(JudgedContribution(one.seq, Verdict.VOID) for one in judged)
        return replace(outcome, judged=struck, void=Void.TOO_FEW)
    if not any(one.weight for one in judged):
        return replace(outcome, void=Void.NOTHING_ACCEPTED)
    rules, found = inputs.rules, _find_reference(inputs, reference)
    combined = gathering.combine(state.momentum, found.guide if found else None)
    outcome = _combine(outcome, combined)
    if found:
        outcome = _refer(outcome, found, combined, KEPT * rules.published_vectors)
    if not combined.divisor:
        return replace(outcome, void=Void.NOTHING_ACCEPTED, aggregate=None)
    # 3. and 4.
    moments = Moments(state.momentum, state.second).advance(combined.aggregate, combined.divisor, rules)
    step = moments.step(inputs.base, rules)
    if inputs.said is not None:
        outcome = _finish_as_said(inputs.task, outcome, step, inputs.said)
    elif rules.scoring_rule == BY_WEIGHT:
        outcome = _finish_by_weight(inputs, outcome, step)
    else:
        outcome = _finish_by_effect(inputs, outcome, step, combined.contributions(), published)
    if outcome.void:
        return outcome
    # 5.
    norms = [square for place, square in enumerate(norms_squared) if place not in combined.excluded]
    clip = compute_next_clip(outcome.clip, norms, inputs.base.size)
    state = replace(outcome.state, momentum=moments.momentum, second=moments.second, clip=clip)
    if outcome.gradient is not None:
        state = _remember(inputs, state, outcome.model, list_published(outcome.gradient, moments, rules))
    return replace(outcome, state=state)


@dataclass(frozen=True, slots=True)
class _Screening:
    judged: tuple[JudgedContribution, ...]
    reasons: tuple[Reason, ...]
    norms_squared: list[int]
    memory: Memory


def _screen(inputs: RoundInputs, gathering: Gathering) -> _Screening:
    """Judges every contribution and hands on what passes; void rounds too leave what was revealed in them."""
    size = inputs.base.size
    screen = Screen(size, inputs.state.clip, inputs.state.memory, inputs.rules.screening, inputs.read_earlier)
    judged, reasons, norms_squared = [], [], []
    for one, result in zip(inputs.contributions, screen.judge(inputs.contributions), strict=True):
        if result.update is not None:
            gathering.add(result, one.weight, partial(_read, one, size))
            norms_squared.append(result.norm_squared)
        weight = one.weight if result.update is not None else 0
        judged.append(JudgedContribution(one.seq, result.verdict, weight, 0, result.detail))
        reasons.append(result.reason)
    return _Screening(tuple(judged), tuple(reasons), norms_squared, screen.remember())


def _read(contribution: RevealedContribution, size: int) -> Update:
    return read_update(contribution.read(), size)


def _combine(outcome: RoundOutcome, combined: Combination) -> RoundOutcome:
    """Writes down what the rule made of the accepted updates, and whom it left out."""
    judged = list(outcome.judged)
    accepted = [at for at, one in enumerate(judged) if one.verdict is Verdict.ACCEPTED]
    for place, reason in combined.excluded.items():
        at = accepted[place]
        judged[at] = JudgedContribution(judged[at].seq, Verdict.EXCLUDED, detail=reason)
    return replace(
        outcome,
        judged=tuple(judged),
        aggregate=combined.aggregate,
        divisor=combined.divisor,
        total_weight=sum(one.weight for one in judged),
    )


def _finish_by_weight(inputs: RoundInputs, outcome: RoundOutcome, step: ServerStep) -> RoundOutcome:
    model = step.compute_model(0)
    judged = tuple(replace(one, score=one.weight << SCORE_BITS) for one in outcome.judged)
    return replace(outcome, judged=judged, model=model, model_bytes=write_model(inputs.task.layout, model))


def _finish_as_said(task: Task, outcome: RoundOutcome, step: ServerStep, said: SaidDescent) -> RoundOutcome:
    outcome = replace(outcome, halvings=said.halvings)
    if not said.fell:
        return replace(outcome, void=Void.LOSS_DID_NOT_FALL)
    model = step.compute_model(said.halvings)
    return replace(outcome, model=model, model_bytes=write_model(task.layout, model))


def _finish_by_effect(
    inputs: RoundInputs,
    outcome: RoundOutcome,
    step: ServerStep,
    contributions: Iterable[Contributed],
    published: PublicGradient | None,
) -> RoundOutcome:
    if inputs.validation is None:
        raise ValueError("expected a validation set, got none: only by-weight jobs have none")
    count = inputs.task.count_positions(inputs.validation)
    draw = draw_sample(outcome.state.pool, count, inputs.rules.sample_positions, inputs.beacon)
    objective = inputs.task.objective(inputs.validation, draw.sample)
    descent = descend(objective, step)
    outcome = replace(
        outcome,
        beacon=inputs.beacon,
        positions=draw.sample,
        halvings=descent.halvings,
        loss_before=descent.loss_before,
        loss_after=descent.loss_after,
        state=replace(outcome.state, pool=draw.pool),
    )
    if not descent.fell:
        return replace(outcome, void=Void.LOSS_DID_NOT_FALL)
    effect = compute_effect(objective, step, descent.model, inputs.state)
    rule = ScoreRule(step.rate / 2**descent.halvings, outcome.divisor, inputs.rules.fraction_bits)
    scores = score_updates(contributions, effect, rule, published)
    return replace(
        outcome,
        judged=_give_scores(outcome.judged, scores.values),
        model=descent.model,
        model_bytes=write_model(inputs.task.layout, descent.model),
        gradient=scores.gradient,
        check=scores.check,
    )


def _give_scores(judged: Sequence[JudgedContribution], scores: Mapping[int, int]) -> tuple[JudgedContribution, ...]:
    """Gives scores by place: places count the updates that passed screening."""
    passed = (Verdict.ACCEPTED, Verdict.EXCLUDED)
    places = {at: place for place, at in enumerate(at for at, one in enumerate(judged) if one.verdict in passed)}
    return tuple(
        replace(one, score=scores[places[at]]) if one.verdict is Verdict.ACCEPTED else one
        for at, one in enumerate(judged)
    )


def _find_reference(inputs: RoundInputs, published: PublicGradient | None) -> Reference | None:
    rules, validation = inputs.rules, inputs.validation
    if rules.aggregation_rule != TRUST_WEIGHTED or validation is None:
        return None
    count, wanted = inputs.task.count_positions(validation), rules.sample_positions
    sample = draw_sample(inputs.state.pool, count, wanted, inputs.beacon).sample
    positions = draw_reference(sample, count, wanted, inputs.beacon)
    return find_reference(inputs.task.objective(validation, positions), inputs.base, published)


def _refer(outcome: RoundOutcome, found: Reference, combined: Combination, kept: int) -> RoundOutcome:
    """Publishes the reference: from the next round on it earns nothing, whatever becomes of this one."""
    state = replace(outcome.state, gradients=(found.direction, *outcome.state.gradients)[:kept])
    return replace(outcome, reference=found.direction, reference_check=found.compare(combined), state=state)


def _remember(
    inputs: RoundInputs, state: RoundState, model: Vector32, published: Sequence[PublicGradient]
) -> RoundState:
    move = model.astype(np.float64) - inputs.base.astype(np.float64)
    gradients = (*published, *state.gradients)[: KEPT * inputs.rules.published_vectors]
    return replace(state, moves=(move, *state.moves)[:KEPT], gradients=gradients)
