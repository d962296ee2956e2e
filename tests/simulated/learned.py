"""Simulated jobs that really learn: the digits task on scikit-learn's scans, with real payloads, scores, evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from learning.evidence import write_evidence
from learning.parameters import Vector32
from learning.payload import write_update
from learning.quantise import Update, quantise
from learning.round import RevealedContribution, RoundInputs, RoundOutcome, run_round
from learning.tensors import write_model
from ledger.commitment import Opening
from ledger.entry import Verdict
from ledger.hashing import sha256
from ledger.spec import NOTHING_SCREENED, NOTHING_STALE, Adam, JobSpec, Screening, Staleness, TaskChoice, Vouchers
from tests.simulated.job import SimulatedJob
from tests.simulated.judge import Judged
from tests.simulated.terms import Setting, make_spec
from tests.unit.learning.digits_job import DigitsJob, make_job

ADAM_RATE = "0.01"
Twist = Callable[[Update], bytes]
"""What a node sends instead of its update's payload."""


class DigitsJudge:
    """Trains, aggregates and scores for real.

    Args:
        digits: the nodes' scans and the rules.
        twists: payloads of nodes that do not play fair, by (round, node).
    """

    def __init__(self, digits: DigitsJob, twists: Mapping[tuple[int, int], Twist]) -> None:
        self.digits, self.twists = digits, twists
        self.begun = digits.begin()
        self.state = self.begun.state
        self.base: Vector32 = self.begun.base
        self.bases = [self.base]
        self.outcomes: list[RoundOutcome] = []

    def make_payload(self, job: SimulatedJob, node: int) -> bytes:
        number = len(job.rounds) + 1
        base = self.bases[number - 1 - job.ages.get(node, 0)]
        move = self.digits.task.train(base, self.digits.nodes[node], number * 1000 + node).move
        update = quantise(move, self.digits.rules.fraction_bits, self.state.clip)
        return self.twists.get((number, node), write_update)(update)

    def judge(self, job: SimulatedJob, openings: Sequence[Opening | None], beacon: bytes) -> Judged:
        contributions = [self._reveal(job, seq, opening) for seq, opening in enumerate(openings)]
        validation = None if job.spec.validation is None else self.digits.validation
        rules = replace(
            self.digits.rules,
            scoring_rule=job.spec.scoring_rule,
            cohort_minimum=job.spec.cohort.minimum,
            aggregation_rule=job.spec.aggregation_rule,
            aggregation_tolerance=job.spec.aggregation_tolerance,
            screening=job.spec.screening,
            adam=job.spec.adam,
        )
        inputs = RoundInputs(
            self.digits.task,
            rules,
            self.base,
            self.state,
            validation,
            beacon,
            contributions,
            job.blobs.__getitem__,
        )
        outcome = run_round(inputs)
        self.outcomes.append(outcome)
        self.state, self.base = outcome.state, outcome.model
        self.bases.append(self.base)
        job.blobs[sha256(outcome.model_bytes)] = outcome.model_bytes
        verdicts = [(one.verdict, one.weight, one.score) for one in outcome.judged]
        return Judged(verdicts, sha256(outcome.model_bytes), {}, write_evidence(outcome))

    def _reveal(self, job: SimulatedJob, seq: int, opening: Opening | None) -> RevealedContribution:
        node = job.nodes[job.seats[seq]].address
        if opening is None:
            return RevealedContribution(seq, job.weights[seq], Verdict.UNREVEALED, bytes, node)
        digest = opening.payload_sha256
        read = partial(job.blobs.__getitem__, digest)
        return RevealedContribution(seq, job.weights[seq], Verdict.ACCEPTED, read, node, digest)


def make_learned_job(
    nodes: int = 4,
    rounds: int = 3,
    scoring_rule: str = "aumann-shapley",
    server_momentum: str = "0.5",
    twists: Mapping[tuple[int, int], Twist] | None = None,
    setting: Setting | None = None,
    *,
    aggregation: tuple[str, str] = ("mean", "0"),
    screening: Screening = NOTHING_SCREENED,
    holders: tuple[bytes, ...] | None = None,
    adam: Adam | None = None,
    staleness: Staleness = NOTHING_STALE,
    vouchers: Vouchers | None = None,
) -> SimulatedJob:
    """A digits job of which nothing is played yet; `blobs` holds the initial model and the validation file.

    `aggregation` is the rule and its tolerance, `holders` are those of a private validation set, `adam` the server's
    second moment; with `vouchers`, samples weigh.
    """
    digits = make_job(nodes=nodes, server_momentum=server_momentum)
    digits = replace(digits, rules=replace(digits.rules, adam=adam, server_rate="1" if adam is None else ADAM_RATE))
    judge = DigitsJudge(digits, twists or {})
    model = write_model(digits.task.layout, judge.base)
    validation = digits.task.write_examples(digits.validation)
    spec = _write_spec(digits, scoring_rule, sha256(model), sha256(validation))
    spec = replace(spec, aggregation_rule=aggregation[0], aggregation_tolerance=aggregation[1], adam=adam)
    spec = replace(spec, screening=screening, validation_holders=holders, staleness=staleness)
    if vouchers is not None:
        spec = replace(spec, weight_rule="vouched-samples", vouchers=vouchers)
    job = SimulatedJob(nodes=nodes, rounds=rounds, judge=judge, spec=spec, setting=setting)
    job.blobs |= {sha256(model): model, sha256(validation): validation}
    return job


def send_zero(update: Update) -> bytes:
    """A payload of zeros."""
    return write_update(update * 0)


def send_rubbish(update: Update) -> bytes:
    """Bytes that are no payload."""
    return bytes(update.tobytes()[:100])


def _write_spec(digits: DigitsJob, scoring_rule: str, model: bytes, validation: bytes) -> JobSpec:
    rules = digits.rules
    return replace(
        make_spec(Random(1), scoring_rule),
        task=TaskChoice(digits.task.name, dict(digits.task.config)),
        initial_model=model,
        validation=None if scoring_rule == "by-weight" else validation,
        validation_positions=rules.sample_positions,
        clip_norm=rules.clip_norm,
        fraction_bits=rules.fraction_bits,
        server_rate=rules.server_rate,
        server_momentum=rules.server_momentum,
    )
