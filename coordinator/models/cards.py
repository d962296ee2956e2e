"""What a model's card is made of, collected from the job's rows; `learning.card` writes it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import load_agreement
from coordinator.jobs.tables import JobRow
from coordinator.rounds.tables import RoundRow
from coordinator.rounds.views import list_work
from learning.card import ModelCard, Participation, RoundLine
from ledger import wire
from ledger.hexadecimal import to_address, to_hex


def collect_card(session: Session, context: Context, job: JobRow, rounds: Sequence[RoundRow]) -> ModelCard:
    """The card of a job's final model."""
    agreement, deployment = load_agreement(job), context.deployment
    spec, terms = agreement.spec, agreement.terms
    return ModelCard(
        title=spec.title,
        description=spec.description,
        job=to_hex(job.job),
        spec=to_hex(terms.spec_digest),
        model=job.model.hex(),
        initial_model=spec.initial_model.hex(),
        validation=None if spec.validation is None else spec.validation.hex(),
        task=spec.task.name,
        config=spec.task.config,
        parameters=job.parameters,
        participation=_sum_up(list_work(session, job.job)),
        budget=terms.rounds * terms.budget_per_round,
        price=terms.price_per_nat,
        token=to_address(terms.token),
        ledger=f"{to_address(deployment.job_ledger)} on chain {deployment.chain_id}",
        coordinator=context.settings.url,
        rounds=[_describe(row) for row in rounds],
    )


def _describe(row: RoundRow) -> RoundLine:
    return RoundLine(
        round=row.round,
        header=to_hex(row.header_digest or b""),
        next_model=(row.next_model or b"").hex(),
        contributions=row.count,
        accepted=row.accepted or 0,
        reward=row.total_reward or 0,
        void=row.void,
        metrics=row.metrics or {},
    )


def _sum_up(work: Sequence[wire.NodeWork]) -> Participation:
    return Participation(
        nodes=len(work),
        contributions=sum(one.contributions for one in work),
        accepted=sum(one.accepted for one in work),
        samples=sum(one.samples for one in work),
        compute_seconds=sum(one.compute_seconds for one in work),
    )
