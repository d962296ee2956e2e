"""One round, computed: what the coordinator does when it tallies and what an auditor does when it recomputes.

A pure function over arrays: the same inputs give the same outcome, integers and the next model to the last bit.
Payloads are read one at a time, twice: first to screen and add them, then to score them.

1. Screen every opened payload and gather the accepted updates.
2. Too few opened, or nothing accepted: the round is void. Else combine what was gathered by the job's rule, exactly; an
update that the rule leaves out is excluded. One rule takes a reference from the validation set, which is published.
3. Step: momentum or Adam, then the rate, halved until the loss on the beacon's sample falls; if it never does, the
round is void and the momentum zero: kept, it would carry every later step the way that overshot.
4. Score what was taken of each accepted update against the public gradient, or by weight.
5. Leave the state for the next round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from learning.aggregate import verify_arithmetic
from learning.finishing import finish_as_said, finish_by_effect, finish_by_weight
from learning.gathering import Gathering, gather
from learning.gradient import PublicGradient
from learning.optimiser import Moments, list_published
from learning.outcome import (
    JudgedContribution,
    RevealedContribution,
    RoundInputs,
    RoundOutcome,
    SaidDescent,
    Void,
)
from learning.payload import read_update
from learning.quantise import Update, compute_next_clip
from learning.reference import Reference, find_reference
from learning.robust.combination import Combination
from learning.rules import BY_WEIGHT, TRUST_WEIGHTED, LearningRules
from learning.sampling import draw_reference, draw_sample
from learning.screening.memory import Memory
from learning.screening.screen import Screen
from learning.tensors import write_model
from ledger.entry import Verdict
from ledger.screening import Reason

__all__ = [
    "JudgedContribution",
    "RevealedContribution",
    "RoundInputs",
    "RoundOutcome",
    "SaidDescent",
    "Void",
    "run_round",
]


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
        outcome = _refer(outcome, found, combined, rules)
    if not combined.divisor:
        return replace(outcome, void=Void.NOTHING_ACCEPTED, aggregate=None)
    # 3. and 4.
    moments = Moments(state.momentum, state.second).advance(combined.aggregate, combined.divisor, rules)
    step = moments.step(inputs.base, rules)
    if inputs.said is not None:
        outcome = finish_as_said(inputs.task, outcome, step, inputs.said)
    elif rules.scoring_rule == BY_WEIGHT:
        outcome = finish_by_weight(inputs, outcome, step)
    else:
        outcome = finish_by_effect(inputs, outcome, step, combined.contributions(), published)
    if outcome.void:
        return outcome
    # 5.
    norms = [square for place, square in enumerate(norms_squared) if place not in combined.excluded]
    clip = compute_next_clip(outcome.clip, norms, inputs.base.size)
    state = replace(outcome.state, momentum=moments.momentum, second=moments.second, clip=clip)
    if outcome.gradient is not None:
        published_vectors = list_published(outcome.gradient, moments, rules)
        state = state.with_move(inputs.base, outcome.model, published_vectors, rules)
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


def _find_reference(inputs: RoundInputs, published: PublicGradient | None) -> Reference | None:
    rules, validation = inputs.rules, inputs.validation
    if rules.aggregation_rule != TRUST_WEIGHTED or validation is None:
        return None
    count, wanted = inputs.task.count_positions(validation), rules.sample_positions
    sample = draw_sample(inputs.state.pool, count, wanted, inputs.beacon).sample
    positions = draw_reference(sample, count, wanted, inputs.beacon)
    return find_reference(inputs.task.objective(validation, positions), inputs.base, published)


def _refer(outcome: RoundOutcome, found: Reference, combined: Combination, rules: LearningRules) -> RoundOutcome:
    """Publishes the reference, whatever becomes of this round."""
    state = outcome.state.with_reference(found.direction, rules)
    return replace(outcome, reference=found.direction, reference_check=found.compare(combined), state=state)
