"""What the compute child does: one function for each kind of question, over files by content address.

What is read again in the next round (task, validation set, model) is kept warm; files never change under their address.
"""

from __future__ import annotations

import time
from functools import lru_cache, singledispatch
from pathlib import Path

from coordinator.compute.messages import Evaluation, JobFiles, Judged, RevealedPayload, RoundResult, RoundWork
from coordinator.storage.blobs import BlobStore
from learning.evidence import write_evidence
from learning.parameters import Vector32
from learning.rehearsal import rehearse, verify_positions
from learning.round import RevealedContribution, RoundInputs, RoundOutcome, run_round
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task, get_task
from learning.tensors import read_model
from ledger.entry import Verdict
from ledger.evidence import OUTCOME
from ledger.spec import JobSpec

_EVALUATION_SEED = 0


@singledispatch
def answer(question: object) -> object:
    """Answer a question of `coordinator.compute.messages`; None is the question that only warms up."""
    if question is None:
        return None
    raise TypeError(f"no such question: {type(question).__name__}")


@answer.register
def _(question: JobFiles) -> int:
    """Read a job's files strictly, rehearse a round; answer with the model's number of parameters. Raises Malformed."""
    rules = LearningRules.of(JobSpec.from_bytes(question.spec))
    task = _load_task(question.spec)
    model = _load_model(question.spec, question.initial_model)
    if question.validation is not None:
        rehearse(task, rules, model, _load_examples(question.spec, question.validation))
    if question.holdout is not None:
        verify_positions(task, _load_examples(question.spec, question.holdout))
    return task.layout.size


@answer.register
def _(question: RoundWork) -> RoundResult:
    """Compute a round's outcome and stage its files."""
    began = time.perf_counter()
    inputs = _build_inputs(question)
    loaded = time.perf_counter()
    outcome = run_round(inputs)
    computed = time.perf_counter()
    result = _stage(outcome, _load_blobs(question.blobs))
    staged = time.perf_counter()
    seconds = {"loadSeconds": loaded - began, "computeSeconds": computed - loaded, "stageSeconds": staged - computed}
    result.seconds.update({name: round(value, 4) for name, value in seconds.items()})
    return result


@answer.register
def _(question: Evaluation) -> dict[str, float]:
    """Measure a model on examples that decide nothing."""
    examples = _load_examples(question.spec, question.holdout)
    model = _load_model(question.spec, question.model)
    return dict(_load_task(question.spec).evaluate(model, examples, _EVALUATION_SEED))


def _build_inputs(question: RoundWork) -> RoundInputs:
    spec = JobSpec.from_bytes(question.spec)
    task, rules = _load_task(question.spec), LearningRules.of(spec)
    validation = None if question.validation is None else _load_examples(question.spec, question.validation)
    if question.state is None:
        positions = 0 if validation is None else task.count_positions(validation)
        state = RoundState.initial(task.layout.size, rules, positions)
    else:
        state = RoundState.from_bytes(question.state.read_bytes(), task.layout.size)
    return RoundInputs(
        task=task,
        rules=rules,
        base=_load_model(question.spec, question.base_model),
        state=state,
        validation=validation,
        beacon=question.beacon,
        contributions=[_build_revealed(payload) for payload in question.payloads],
        read_earlier=_load_blobs(question.blobs).load,
    )


def _build_revealed(payload: RevealedPayload) -> RevealedContribution:
    path = payload.payload or Path()
    return RevealedContribution(
        payload.seq, payload.weight, Verdict(payload.verdict), path.read_bytes, payload.node, payload.digest
    )


def _stage(outcome: RoundOutcome, blobs: BlobStore) -> RoundResult:
    files = write_evidence(outcome)
    account = files.pop(OUTCOME)
    model, state, *digests = blobs.stage(outcome.model_bytes, outcome.state.to_bytes(), *files.values())
    return RoundResult(
        judged=tuple(Judged(one.seq, int(one.verdict), one.weight, one.score, one.detail) for one in outcome.judged),
        void=None if outcome.void is None else outcome.void.value,
        next_model=model,
        state=state,
        beacon=outcome.beacon,
        next_clip=outcome.state.clip,
        outcome=account,
        files={name: (digest, len(files[name])) for name, digest in zip(files, digests, strict=True)},
        seconds={},
    )


@lru_cache(maxsize=16)
def _load_task(spec: bytes) -> Task:
    choice = JobSpec.from_bytes(spec).task
    return get_task(choice.name, dict(choice.config))


@lru_cache(maxsize=4)
def _load_model(spec: bytes, path: Path) -> Vector32:
    return read_model(_load_task(spec).layout, path.read_bytes())


@lru_cache(maxsize=8)
def _load_examples(spec: bytes, path: Path) -> Examples:
    return _load_task(spec).read_examples(path.read_bytes())


@lru_cache(maxsize=1)
def _load_blobs(root: Path) -> BlobStore:
    return BlobStore(root)
