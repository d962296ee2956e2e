"""From a job file to what is sent: spec, terms and files, and what they cost. Nothing leaves this machine here."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from client.errors import UsageRefused
from client.pins import Pin
from client.requester.job_file import JobFile, ScreeningPart, VouchersPart
from contracts.amounts import parse_amount
from ledger.errors import Malformed
from ledger.hashing import sha256
from ledger.hexadecimal import parse_address, to_hex
from ledger.spec import Adam, Cohort, JobSpec, Screening, Staleness, TaskChoice, Vouchers
from ledger.statements import Terms
from ledger.wire import JobRequest

if TYPE_CHECKING:
    from learning.tasks import Task

BOND_BUDGETS = 10
"""Default bond in budgets of a round: nine tenths of it can burn, which covers eight rounds without an anchor."""

VALIDATION_POSITIONS = 2_500

UNWEIGHTED_RULES = ("median", "trimmed-mean")
"""Aggregation rules that count every update once, whatever its weight."""

ADAM_RATE = "0.01"
"""Default server rate with Adam, whose steps have about that size in each parameter; a task's is for plain means."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job ready to be sent. `files` maps SHA-256 to content; `escrow` is in base units."""

    spec: JobSpec
    terms: Terms
    holdout: bytes | None
    files: Mapping[bytes, bytes]

    @property
    def job(self) -> bytes:
        """The job's id."""
        return self.terms.job_id()

    @property
    def escrow(self) -> int:
        """What `openJob` takes from the requester."""
        return self.terms.rounds * self.terms.budget_per_round

    def list_notes(self) -> list[str]:
        """What a requester should know before the money moves: whom these rules cannot hold to account."""
        notes = []
        if self.spec.scoring_rule == "by-weight":
            notes.append("by-weight: no effect is measured, whoever takes part and passes screening is paid by weight")
        if self.spec.vouchers is not None and self.spec.aggregation_rule in UNWEIGHTED_RULES:
            notes.append(
                f"[vouchers] weigh nothing under {self.spec.aggregation_rule}, which counts every update once: one "
                'operator may count as many, as "Whose data" in docs/requesters.md says; another rule weighs them'
            )
        if self.terms.min_stake or self.spec.vouchers is not None:
            return notes
        many = "no stake and no vouchers: a key costs nothing, so one operator may count as many"
        debts = "" if self.spec.validation is None else ", and throwaway keys escape debt"
        whose = '"Whose data" in docs/requesters.md says what minStake and [vouchers] do about it'
        return [*notes, f"{many}{debts}; {whose}"]

    def request(self) -> JobRequest:
        """The body of POST /v1/jobs."""
        return JobRequest(spec=dict(self.spec.to_json()), terms=self.terms, holdout=self.holdout)

    def to_json(self) -> dict[str, object]:
        """What would be sent, for --dry-run."""
        return {
            "job": to_hex(self.job),
            "spec": self.spec.to_json(),
            "terms": self.terms.to_json(),
            "holdout": None if self.holdout is None else to_hex(self.holdout),
            "files": [{"sha256": to_hex(digest), "bytes": len(content)} for digest, content in self.files.items()],
            "escrow": str(self.escrow),
            "bond": str(self.terms.bond),
            "notes": self.list_notes(),
        }


def plan_job(
    job: JobFile,
    pin: Pin,
    requester: bytes,
    decimals: int,
    *,
    randbits: Callable[[int], int] = secrets.randbits,
) -> JobPlan:
    """Builds spec and terms and reads the files, each by the task that will use it; `decimals` are the token's.

    Raises:
        MalformedSpec: naming the field that the job cannot have.
        MalformedAmount: an amount is finer than the token's base unit.
        UsageRefused: a file is missing, or not one of the task.
    """
    from learning.tasks import get_task  # noqa: PLC0415 -- with torch, two seconds of imports

    task = get_task(job.task.name, job.task.config)
    model = _load_model(job, task)
    validation = None if job.validation is None else load_examples(job.validation, task)
    holdout = None if job.holdout is None else load_examples(job.holdout, task)
    spec = _compose_spec(job, task, model, validation)
    contents = [content for content in (model, validation, holdout) if content is not None]
    return JobPlan(
        spec,
        _compose_terms(job, pin, requester, spec, decimals, randbits(53)),
        None if holdout is None else sha256(holdout),
        {sha256(content): content for content in contents},
    )


def load_examples(path: Path, task: Task) -> bytes:
    """An examples file of the task: as it is, or made of JSON records. Raises what the task raises, or UsageRefused."""
    import json  # noqa: PLC0415

    from learning.rehearsal import verify_positions  # noqa: PLC0415 -- with numpy

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageRefused(f"{path} cannot be read: {error.strerror}") from None
    try:
        if path.suffix == ".json":
            content = task.write_examples(task.read_records(json.loads(content)))
        verify_positions(task, task.read_examples(content))
    except Malformed as error:
        raise UsageRefused(f"{path} holds no examples of the task {task.name}: {error}") from None
    except ValueError as error:
        raise UsageRefused(f"{path}: not JSON: {error}") from None
    return content


def _load_model(job: JobFile, task: Task) -> bytes:
    from learning.tensors import read_model, write_model  # noqa: PLC0415

    if job.initial_model is None:
        return write_model(task.layout, task.initial_model(job.model_seed))
    try:
        content = job.initial_model.read_bytes()
    except OSError as error:
        raise UsageRefused(f"{job.initial_model} cannot be read: {error.strerror}") from None
    try:
        read_model(task.layout, content)
    except Malformed as error:
        raise UsageRefused(f"{job.initial_model} is no model of the task {task.name}: {error}") from None
    return content


def _compose_spec(job: JobFile, task: Task, model: bytes, validation: bytes | None) -> JobSpec:
    rules = task.suggested_rules()
    scoring = job.scoring_rule or ("by-weight" if validation is None else rules.scoring_rule)
    return JobSpec(
        title=job.title,
        description=job.description,
        task=TaskChoice(task.name, dict(task.config)),
        initial_model=sha256(model),
        validation=None if validation is None else sha256(validation),
        validation_positions=job.validation_positions or VALIDATION_POSITIONS,
        cohort=Cohort(job.cohort.minimum, job.cohort.maximum, job.cohort.closes_at),
        commit_seconds=job.commit_seconds,
        reveal_seconds=job.reveal_seconds,
        weight_rule="equal" if job.vouchers is None else "vouched-samples",
        clip_norm=job.clip_norm or rules.clip_norm,
        fraction_bits=rules.fraction_bits if job.fraction_bits is None else job.fraction_bits,
        server_rate=job.server_rate or (rules.server_rate if job.adam is None else ADAM_RATE),
        server_momentum=job.server_momentum or rules.server_momentum,
        aggregation_rule=job.aggregation_rule,
        aggregation_tolerance=job.aggregation_tolerance,
        scoring_rule=scoring,
        evidence_readers=job.evidence_readers,
        retention_seconds=job.retention_seconds,
        verifiable=False,
        vouchers=_compose_vouchers(job.vouchers),
        adam=None if job.adam is None else Adam(job.adam.second_momentum, job.adam.epsilon),
        screening=_compose_screening(job.screening, rules.screening),
        staleness=Staleness(job.staleness.max_age, job.staleness.discount),
        validation_holders=_compose_holders(job.validation_holders),
    )


def _compose_vouchers(part: VouchersPart | None) -> Vouchers | None:
    return (
        None if part is None else Vouchers(parse_address(part.platform, "vouchers.platform"), part.samples_per_viewer)
    )


def _compose_screening(part: ScreeningPart, suggested: Screening) -> Screening:
    given = {name: value for name, value in part.model_dump().items() if value is not None}
    return replace(suggested, **given)


def _compose_holders(holders: tuple[str, ...] | None) -> tuple[bytes, ...] | None:
    return None if holders is None else tuple(parse_address(holder, "validationHolders") for holder in holders)


def _compose_terms(job: JobFile, pin: Pin, requester: bytes, spec: JobSpec, decimals: int, drawn: int) -> Terms:
    budget = parse_amount(job.budget_per_round, decimals)
    return Terms(
        spec_digest=spec.digest(),
        requester=requester,
        coordinator=pin.coordinator,
        token=pin.token,
        rounds=job.rounds,
        budget_per_round=budget,
        price_per_nat=budget if job.price_per_nat is None else parse_amount(job.price_per_nat, decimals),
        window=job.window,
        anchor_seconds=job.anchor_seconds,
        bond=BOND_BUDGETS * budget if job.bond is None else parse_amount(job.bond, decimals),
        min_stake=parse_amount(job.min_stake, decimals),
        witnesses=bytes(32),
        threshold=0,
        nonce=drawn if job.nonce is None else job.nonce,
    )
