"""Recomputes the learning of a job round by round.

The auditor carries its own state (momentum, clip, drawn positions, public directions, digests of updates) from round to
round. A round without its payloads is unknown, and one that is contradicted is told once: either way the state then
goes on as published, so that later rounds are judged from what they state themselves, and their results say so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from client.auditor.checks import RECOMPUTED_CHECKS
from client.auditor.evidence.blobs import Blobs, WrongBlob
from client.auditor.learning.blind import BLIND_CHECKS, PRIVATE_SET, compare_clips, compare_verdicts, read_descent
from client.auditor.learning.compare import (
    compare_accounts,
    compare_files,
    compare_gradients,
    compare_judgements,
    compare_reasons,
    compare_references,
)
from client.auditor.learning.learned import Learning, Unknown
from client.auditor.learning.published import take_over
from client.auditor.learning.revealed import Revealed, find_beacon
from client.auditor.learning.stated import list_stated
from learning.aggregate import InexactArithmetic
from learning.evidence import read_gradient, read_reference
from learning.gradient import PublicGradient
from learning.parameters import Vector32
from learning.round import RoundInputs, RoundOutcome, run_round
from learning.rules import TRUST_WEIGHTED
from learning.screening.memory import Memory
from learning.state import RoundState
from ledger import evidence
from ledger.errors import Malformed
from ledger.hashing import sha256
from ledger.verify.bundle import AuditedJob, RoundEvidence
from ledger.verify.results import Findings, Outcome, Result


class Recomputation:
    """Recomputes rounds in order.

    Args:
        job: whose spec says how.
        blobs: where models, payloads and the validation file come from.
    """

    def __init__(self, job: AuditedJob, blobs: Blobs) -> None:
        self._job, self._blobs = job, blobs
        self._revealed = Revealed(job.spec, blobs)
        self._learning: Learning | None = None
        self._state: RoundState | None = None
        self._lost = ""
        self._remark = ""
        self.scores: list[tuple[bytes, int]] | None = None
        """Node and score of every contribution of the round recomputed last, by the auditor's own gradient if the
        published one is not; None where it could not be recomputed."""

    def recompute(self, read: RoundEvidence, files: Mapping[str, bytes]) -> list[Result]:
        """Recomputes the next round and compares. Every check is answered; unknown where something is missing."""
        findings = Findings(read.round)
        remark, self.scores = self._remark, None
        try:
            learning, state = self._prepare()
            self._state = self._compare(learning, state, read, files, findings)
            if findings.has_failed():
                # The updates themselves were seen: a later copy of one is still recognised.
                self._take_over(read, files, "stated, which is contradicted", (state, self._state.memory))
        except Unknown as gap:
            findings.leave(RECOMPUTED_CHECKS, gap.reason)
            self.skip(read, files)
        return [_remark(result, remark) for result in findings.answer(RECOMPUTED_CHECKS)]

    def skip(self, read: RoundEvidence, files: Mapping[str, bytes]) -> None:
        """Goes past a round without recomputing it: the state goes on as its files publish it."""
        self.scores = None
        self._take_over(read, files, "published")

    def give_up(self, number: int, why: str) -> None:
        """No later round can be judged: what this one left is not known."""
        self.scores = None
        self._lost = self._lost or f"the state after round {number} is not known: {why}"

    def _take_over(
        self,
        read: RoundEvidence,
        files: Mapping[str, bytes],
        how: str,
        seen: tuple[RoundState, Memory] | None = None,
    ) -> None:
        """Goes on as published; `seen` is the state before the round, and the memory after it, where that is known."""
        try:
            learning, state = self._prepare()
            state, memory = seen or (state, None)
            stated = list_stated(read, files) if memory is None else []
            self._state = take_over(learning, state, read, files, memory, stated)
            self._revealed.rely_on(stated)
            self._remark = f"from the state that round {read.round} {how}"
        except (Unknown, Malformed, WrongBlob) as error:
            self._lost = self._lost or f"the state after round {read.round} is not known: {error}"

    def _prepare(self) -> tuple[Learning, RoundState]:
        if self._lost:
            raise Unknown(self._lost)
        if self._learning is None:
            try:
                self._learning = Learning.load(self._job.spec, self._blobs)
            except Unknown as gap:
                self._lost = gap.reason
                raise
        self._state = self._state or self._learning.start()
        return self._learning, self._state

    def _compare(
        self,
        learning: Learning,
        state: RoundState,
        read: RoundEvidence,
        files: Mapping[str, bytes],
        findings: Findings,
    ) -> RoundState:
        """Recomputes one round in four steps and returns the state after it.

        1. Payloads and base model; 2. published reference and gradient; 3. the round; 4. one comparison per check.
        """
        if read.head is None or read.entries is None:
            raise Unknown("header or entries could not be read")
        if learning.blind:
            return self._compare_blindly(learning, state, read, files, findings)
        _require_files(files)
        # 1.
        contributions = self._revealed.load(read, findings)
        base = _load_base(learning, read.head.base_model, findings)
        # 2. Sum and scores follow from them exactly, and the next state carries them.
        reference = _read_published("reference", read_reference, learning, files, findings)
        published = _read_published("gradient", read_gradient, learning, files, findings)
        # 3.
        beacon = find_beacon(read)
        self._revealed.fetch_earlier(state, learning.size, learning.rules.screening.window)
        inputs = RoundInputs(
            learning.task,
            learning.rules,
            base,
            state,
            learning.validation,
            beacon,
            contributions,
            self._blobs.read,
        )
        outcome = _run(inputs, published, reference)
        # 4.
        compare_references(outcome, reference, findings)
        self._keep_scores(inputs, outcome, read)
        compare_judgements(outcome, read.entries, published, findings)
        compare_files(outcome, files, read.head.next_model, findings)
        compare_accounts(outcome, files[evidence.OUTCOME], findings)
        compare_reasons(outcome, files[evidence.SCREENING], findings)
        compare_gradients(outcome, published, findings)
        self._look_at_model(learning, read.head.next_model, outcome.model_bytes, findings)
        self._revealed.drop(read, state, outcome.state)
        return outcome.state

    def _compare_blindly(
        self,
        learning: Learning,
        state: RoundState,
        read: RoundEvidence,
        files: Mapping[str, bytes],
        findings: Findings,
    ) -> RoundState:
        """What can be checked of a round without its validation set: updates, verdicts, sum, step, next model.

        How often the rate was halved, and whether the loss fell at all, is the account's word.
        """
        if read.head is None or read.entries is None:
            raise Unknown("header or entries could not be read")
        _require_files(files, without=evidence.PRIVATE)
        findings.leave(BLIND_CHECKS, PRIVATE_SET)
        contributions = self._revealed.load(read, findings)
        if learning.rules.aggregation_rule == TRUST_WEIGHTED:
            raise Unknown(f"what an update counts follows from the validation set, and {PRIVATE_SET}")
        base = _load_base(learning, read.head.base_model, findings)
        try:
            said = read_descent(files[evidence.OUTCOME])
        except Malformed as error:
            findings.fail("outcome", f"{evidence.OUTCOME} is malformed: {error}")
            raise Unknown(f"{evidence.OUTCOME} is malformed") from error
        beacon = find_beacon(read)
        self._revealed.fetch_earlier(state, learning.size, learning.rules.screening.window)
        inputs = RoundInputs(
            learning.task, learning.rules, base, state, None, beacon, contributions, self._blobs.read, said
        )
        outcome = _run(inputs, None, None)
        compare_references(outcome, None, findings)
        compare_verdicts(outcome, read.entries, findings)
        compare_files(outcome, files, read.head.next_model, findings)
        compare_clips(outcome, files[evidence.OUTCOME], findings)
        compare_reasons(outcome, files[evidence.SCREENING], findings)
        findings.note("next-model", 1, f"with {said.halvings} halvings of the rate, as the account says")
        self._look_at_model(learning, read.head.next_model, outcome.model_bytes, findings)
        self._revealed.drop(read, state, outcome.state)
        return outcome.state

    def _look_at_model(self, learning: Learning, digest: bytes, own: bytes, findings: Findings) -> None:
        """What is handed out as the next model must be it; where it is not, or nothing is, one's own goes on."""
        try:
            self._blobs.load(digest, learning.limit_bytes)
        except WrongBlob as error:
            findings.fail("next-model", f"the next model: {error}")
        if sha256(own) == digest:
            self._blobs.keep(digest, own)

    def _keep_scores(self, inputs: RoundInputs, outcome: RoundOutcome, read: RoundEvidence) -> None:
        """What each node's update was worth: by the published gradient, unless that is not the auditor's own."""
        checks = (outcome.check, outcome.reference_check)
        if any(check is not None and not check.agrees for check in checks):
            outcome = _run(inputs, None, None)
        nodes = [item.signed.statement.node for item in read.contributions or ()]
        self.scores = [(node, one.score) for node, one in zip(nodes, outcome.judged, strict=True)]


def _require_files(files: Mapping[str, bytes], without: Collection[str] = ()) -> None:
    """A file that the manifest lists and nobody handed out is unknown, not missing from the round."""
    try:
        listed = evidence.Manifest.from_bytes(files.get(evidence.MANIFEST, b"")).files
    except Malformed as error:
        raise Unknown(f"the manifest could not be read: {error}") from error
    for name in {evidence.OUTCOME, evidence.SCREENING, *listed} - set(files) - set(without):
        raise Unknown(f"{name} was not given")


def _load_base(learning: Learning, digest: bytes, findings: Findings) -> Vector32:
    try:
        return learning.load_model(digest)
    except (WrongBlob, Malformed) as error:
        # The header names these bytes as the model that nodes trained from.
        findings.fail("next-model", f"the base model: {error}")
        raise Unknown(f"the base model could not be read: {error}") from error


def _read_published(
    check: str,
    read: Callable[[Mapping[str, bytes], int], PublicGradient | None],
    learning: Learning,
    files: Mapping[str, bytes],
    findings: Findings,
) -> PublicGradient | None:
    try:
        return read(files, learning.size)
    except Malformed as error:
        findings.fail(check, f"the published {check} is malformed: {error}")
        return None


def _run(inputs: RoundInputs, published: PublicGradient | None, reference: PublicGradient | None) -> RoundOutcome:
    try:
        return run_round(inputs, published, reference)
    except (InexactArithmetic, OverflowError) as error:
        raise Unknown(str(error)) from error


def _remark(result: Result, remark: str) -> Result:
    if not remark or result.outcome is not Outcome.PASS:
        return result
    return replace(result, detail=f"{result.detail}; {remark}" if result.detail else remark)
