"""Acceptance: a job's spec, terms and files are examined before money moves, and the coordinator's word is signed."""

from __future__ import annotations

import structlog
from sqlmodel import Session

from coordinator.compute.messages import JobFiles
from coordinator.context import Context
from coordinator.jobs import store
from coordinator.jobs.agreement import PUBLIC, REQUESTER, load_acceptance
from coordinator.jobs.errors import BondUncovered, JobRefused, UnknownBlob, ValidationPrivate
from coordinator.jobs.files import verify_may_fetch
from coordinator.jobs.privacy import choose_audience, verify_not_kept, verify_unseen
from coordinator.jobs.tables import JobRow
from coordinator.storage.bell import Topic
from coordinator.storage.database import announce
from ledger import canonical, wire
from ledger.hexadecimal import to_address
from ledger.spec import JobSpec
from ledger.statements import Acceptance, Signed, Terms

_log = structlog.get_logger()


async def accept(context: Context, requester: bytes, request: wire.JobRequest) -> wire.JobAcceptance:
    """Examine a job and answer with its id and the signed acceptance; asking again gives the same answer.

    1. spec and terms fit each other and us, and our deposit covers the bond; 2. the files are here; 3. the task reads
    them; 4. the acceptance is kept.

    Raises:
        MalformedSpec: the spec is no spec.
        JobRefused: with the field, what is expected and what there is.
        BondUncovered: the chain says that too little is free; where it says nothing, `openJob` decides.
    """
    spec = JobSpec.from_json(request.spec)
    # 1
    verify_terms(context, requester, spec, request.terms)
    known = await context.database.run_read(store.find_job, request.terms.job_id())
    if known is not None:
        return wire.JobAcceptance(job=known.job, acceptance=load_acceptance(known))
    free = await context.deposits.fetch_free(request.terms.token)
    if free is not None and free < request.terms.bond:
        raise BondUncovered(request.terms.bond, free)
    # 2
    files = await context.database.run_read(_find_files, context, requester, spec, request.holdout)
    # 3
    parameters = await context.compute.ask(files)
    # 4
    row = await context.database.run_write(_keep, context, spec, request, parameters)
    _log.info("job_accepted", job=row.job.hex(), title=spec.title, rounds=request.terms.rounds)
    return wire.JobAcceptance(job=row.job, acceptance=load_acceptance(row))


def verify_terms(context: Context, requester: bytes, spec: JobSpec, terms: Terms) -> None:
    """Verify that terms fit the spec, the requester, this coordinator and its bounds. Raises JobRefused."""
    settings, deployment = context.settings, context.deployment
    tokens = {deployment.tally_token} | settings.allowed_tokens
    for field, expected, got in (
        ("terms.specDigest", spec.digest(), terms.spec_digest),
        ("terms.requester", requester, terms.requester),
        ("terms.coordinator", context.signer.address, terms.coordinator),
    ):
        if expected != got:
            raise JobRefused(field, _show(expected), got)
    if terms.token not in tokens:
        raise JobRefused("terms.token", " or ".join(sorted(map(to_address, tokens))), terms.token)
    phases = spec.commit_seconds + spec.reveal_seconds
    for field, value, least, most in (
        ("terms.rounds", terms.rounds, 1, 1_000_000),
        ("terms.window", terms.window, settings.min_window_seconds, settings.max_anchor_seconds),
        ("terms.anchorSeconds", terms.anchor_seconds, phases, settings.max_anchor_seconds),
        ("terms.threshold", terms.threshold, 0, 0),
    ):
        if not least <= value <= most:
            raise JobRefused(field, f"{least} to {most}" if least < most else str(least), value)
    if terms.witnesses != bytes(32):
        raise JobRefused("terms.witnesses", "32 zero bytes: this coordinator serves no witness quorum", terms.witnesses)
    if spec.verifiable:
        raise JobRefused("spec.verifiable", "false: this coordinator makes no verifiable aggregates", got=True)


def _find_files(session: Session, context: Context, requester: bytes, spec: JobSpec, holdout: bytes | None) -> JobFiles:
    """The files that a job names. What the requester may not read itself it cannot share with others either."""
    named = {"spec.initialModel": spec.initial_model, "spec.validation": spec.validation, "holdout": holdout}
    for field, digest in named.items():
        if digest is not None and not (context.blobs.has(digest) and _may_use(session, context, digest, requester)):
            raise JobRefused(field, "a file uploaded with PUT /v1/blobs/{sha256}", digest)
    if spec.validation is not None and spec.validation_holders is not None:
        verify_unseen(session, spec.validation, spec.validation_holders)
    elif spec.validation is not None:
        verify_not_kept(session, spec.validation, requester, context.now)
    blobs = context.blobs
    return JobFiles(
        spec=spec.to_bytes(),
        initial_model=blobs.path(spec.initial_model),
        validation=None if spec.validation is None else blobs.path(spec.validation),
        holdout=None if holdout is None else blobs.path(holdout),
    )


def _may_use(session: Session, context: Context, digest: bytes, requester: bytes) -> bool:
    try:
        verify_may_fetch(session, context, digest, requester)
    except (UnknownBlob, ValidationPrivate):
        return False
    return True


def _keep(session: Session, context: Context, spec: JobSpec, request: wire.JobRequest, parameters: int) -> JobRow:
    terms, now = request.terms, context.now
    known = store.find_job(session, terms.job_id())
    if known is not None:
        return known
    statement = Acceptance(terms.job_id(), now + context.settings.acceptance_seconds)
    row = JobRow(
        job=statement.job,
        state="accepted",
        detail="accepted; waits for its escrow on chain",
        spec=spec.to_bytes(),
        terms=canonical.encode(terms.to_json()),
        requester=terms.requester,
        holdout=request.holdout,
        parameters=parameters,
        acceptance_deadline=statement.deadline,
        acceptance_signature=Signed.issue(statement, context.domain, context.signer).signature,
        created_at=now,
        model=spec.initial_model,
    )
    session.add(row)
    session.flush()
    store.share(session, [spec.initial_model], row.job, PUBLIC)
    store.share(session, [one for one in (spec.validation,) if one is not None], row.job, choose_audience(row))
    store.share(session, [digest for digest in (request.holdout,) if digest is not None], row.job, REQUESTER)
    store.add_log(session, row.job, now, row.detail)
    announce(session, Topic.JOBS)
    return row


def _show(value: bytes) -> str:
    return to_address(value) if len(value) == 20 else "0x" + value.hex()
