"""The end of a round: its step, and the scores of what made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from learning.aggregate import ServerStep
from learning.effect import compute_effect, descend, score_updates
from learning.gradient import PublicGradient
from learning.outcome import JudgedContribution, RoundInputs, RoundOutcome, SaidDescent, Void
from learning.robust.combination import Contributed
from learning.sampling import draw_sample
from learning.score import ScoreRule
from learning.tasks.task import Task
from learning.tensors import write_model
from ledger.entry import SCORE_BITS, Verdict


def finish_by_weight(inputs: RoundInputs, outcome: RoundOutcome, step: ServerStep) -> RoundOutcome:
    """Takes the step; an update scores what it weighs."""
    model = step.compute_model(0)
    judged = tuple(replace(one, score=one.weight << SCORE_BITS) for one in outcome.judged)
    return replace(outcome, judged=judged, model=model, model_bytes=write_model(inputs.task.layout, model))


def finish_as_said(task: Task, outcome: RoundOutcome, step: ServerStep, said: SaidDescent) -> RoundOutcome:
    """Takes the step that the round's account tells of; nothing is drawn or scored."""
    outcome = replace(outcome, halvings=said.halvings)
    if not said.fell:
        return _stop(outcome)
    model = step.compute_model(said.halvings)
    return replace(outcome, model=model, model_bytes=write_model(task.layout, model))


def finish_by_effect(
    inputs: RoundInputs,
    outcome: RoundOutcome,
    step: ServerStep,
    contributions: Iterable[Contributed],
    published: PublicGradient | None,
) -> RoundOutcome:
    """Takes the step at the first rate that brings the loss down, and scores what was taken of each update by it."""
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
        return _stop(outcome)
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


def _stop(outcome: RoundOutcome) -> RoundOutcome:
    """A step that overshot at every rate: the momentum that pointed there goes with it."""
    state = replace(outcome.state, momentum=np.zeros_like(outcome.state.momentum))
    return replace(outcome, void=Void.LOSS_DID_NOT_FALL, state=state)


def _give_scores(judged: Sequence[JudgedContribution], scores: Mapping[int, int]) -> tuple[JudgedContribution, ...]:
    """Gives scores by place: places count the updates that passed screening."""
    passed = (Verdict.ACCEPTED, Verdict.EXCLUDED)
    places = {at: place for place, at in enumerate(at for at, one in enumerate(judged) if one.verdict in passed)}
    return tuple(
        replace(one, score=scores[places[at]]) if one.verdict is Verdict.ACCEPTED else one
        for at, one in enumerate(judged)
    )
