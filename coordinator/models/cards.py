"""The card of a model: lineage to every header, participation, metrics, spend, and how to verify it all. Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from coordinator.context import Context
from coordinator.jobs.agreement import Agreement, load_agreement
from coordinator.jobs.tables import JobRow
from coordinator.rounds.tables import RoundRow
from coordinator.rounds.views import list_work
from ledger import wire
from ledger.hexadecimal import to_address


def write_card(session: Session, context: Context, job: JobRow, rounds: Sequence[RoundRow]) -> str:
    """The card of a job's final model."""
    agreement = load_agreement(job)
    sections = (
        _describe_model(job, agreement, rounds),
        _describe_rounds(rounds),
        _describe_nodes(list_work(session, job.job)),
        _describe_spend(job, agreement),
        _describe_checks(context, job),
    )
    return "\n\n".join((f"# {agreement.spec.title}", agreement.spec.description or "No description.", *sections)) + "\n"


def _describe_model(job: JobRow, agreement: Agreement, rounds: Sequence[RoundRow]) -> str:
    spec = agreement.spec
    validation = "none" if spec.validation is None else f"`{spec.validation.hex()}`"
    return "\n".join(
        (
            "## Model",
            "",
            f"- SHA-256 `{job.model.hex()}`, after {len(rounds)} rounds; {job.parameters} float32 parameters",
            f"- task `{spec.task.name}`, configuration `{dict(spec.task.config)}`",
            f"- began from `{spec.initial_model.hex()}`; validation set {validation}",
            f"- intended use: what its task serves (`{spec.task.name}`), for people like those who trained it",
        )
    )


def _describe_rounds(rounds: Sequence[RoundRow]) -> str:
    names = sorted({name for row in rounds for name in row.metrics or {}})
    head = ["round", "contributions", "accepted", "paid", *names, "header"]
    lines = ["## Lineage and metrics on the hold-out", "", _write_row(head), _write_row(["---"] * len(head))]
    for row in rounds:
        metrics = [f"{row.metrics[name]:.4f}" if row.metrics and name in row.metrics else "" for name in names]
        digest = (row.header_digest or b"").hex()
        paid = f"void: {row.void}" if row.void else str(row.total_reward)
        lines.append(_write_row([str(row.round), str(row.count), str(row.accepted), paid, *metrics, f"`0x{digest}`"]))
    return "\n".join(lines)


def _describe_nodes(work: Sequence[wire.NodeWork]) -> str:
    return "\n".join(
        (
            "## Participation",
            "",
            f"- {len(work)} nodes with {sum(one.samples for one in work)} samples in all, by their own word",
            f"- {sum(one.contributions for one in work)} contributions, {sum(one.accepted for one in work)} accepted",
            f"- {sum(one.compute_seconds for one in work):.1f} s of computing, by their own word",
            "- histories stayed on the nodes; updates are in the evidence, and an update can reveal what moved it",
        )
    )


def _describe_spend(job: JobRow, agreement: Agreement) -> str:
    terms = agreement.terms
    return "\n".join(
        (
            "## Spend",
            "",
            f"- {job.spent} of {terms.rounds * terms.budget_per_round} base units of token {to_address(terms.token)}",
            f"- {terms.price_per_nat} base units for each nat of fall in validation loss",
        )
    )


def _describe_checks(context: Context, job: JobRow) -> str:
    deployment = context.deployment
    command = f"tally audit verify 0x{job.job.hex()} --coordinator {context.settings.url}"
    contract = f"{to_address(deployment.job_ledger)} on chain {deployment.chain_id}"
    return "\n".join(
        ("## How to verify", "", f"`{command}` recomputes every round from public bytes and compares with {contract}.")
    )


def _write_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
