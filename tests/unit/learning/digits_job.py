"""A real job on scikit-learn's digits, small enough for a test: scans on nodes, updates, payloads, rounds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from sklearn.datasets import load_digits

from learning.parameters import Vector32
from learning.payload import write_update
from learning.quantise import Update, quantise
from learning.round import RevealedContribution, RoundInputs
from learning.rules import LearningRules
from learning.state import RoundState
from learning.tasks import Examples, Task, get_task
from ledger.entry import Verdict
from ledger.hashing import sha256
from ledger.spec import NOTHING_SCREENED

VALIDATION, HOLDOUT = 300, 300


@cache
def digits_task(hidden: int = 6) -> Task:
    return get_task("digits", {"hidden": hidden, "epochs": 3})


@cache
def load_scans() -> Examples:
    scans = load_digits()
    order = np.random.default_rng(7).permutation(len(scans.target))
    return {"pixels": scans.data[order].astype(np.float32), "labels": scans.target[order].astype(np.int64)}


def take(examples: Examples, chosen: slice | Sequence[int]) -> Examples:
    return {name: array[chosen] for name, array in examples.items()}


@dataclass(frozen=True)
class DigitsJob:
    """Nodes with scans, the validation set, and a hold-out."""

    task: Task
    rules: LearningRules
    nodes: tuple[Examples, ...]

    @property
    def validation(self) -> Examples:
        return take(load_scans(), slice(0, VALIDATION))

    @property
    def holdout(self) -> Examples:
        return take(load_scans(), slice(VALIDATION, VALIDATION + HOLDOUT))

    def begin(self) -> RoundInputs:
        """Round 1 without contributions."""
        base = self.task.initial_model(1)
        state = RoundState.initial(base.size, self.rules, VALIDATION)
        return RoundInputs(self.task, self.rules, base, state, self.validation, beacon(1), ())

    def train(self, base: Vector32, clip: int, seed: int) -> list[Update]:
        moves = [self.task.train(base, scans, seed * 1000 + node).move for node, scans in enumerate(self.nodes)]
        return [quantise(move, self.rules.fraction_bits, clip) for move in moves]


def make_job(
    nodes: int = 5, concentration: float | None = None, hidden: int = 6, server_momentum: str = "0"
) -> DigitsJob:
    """A job whose training scans are dealt out evenly, or by Dirichlet shares of each label."""
    task = digits_task(hidden)
    suggested = replace(task.suggested_rules(), screening=NOTHING_SCREENED)
    rules = replace(suggested, sample_positions=200, server_momentum=server_momentum)
    scans = take(load_scans(), slice(VALIDATION + HOLDOUT, None))
    piles = _deal(scans["labels"].tolist(), nodes, concentration)
    return DigitsJob(task, rules, tuple(take(scans, pile) for pile in piles))


def _deal(labels: Sequence[int], nodes: int, concentration: float | None) -> list[list[int]]:
    generator = np.random.default_rng(3)
    piles: list[list[int]] = [[] for _ in range(nodes)]
    for label in range(10):
        places = [place for place, other in enumerate(labels) if other == label]
        even = np.full(nodes, 1 / nodes)
        shares = even if concentration is None else generator.dirichlet(np.full(nodes, concentration))
        cuts = np.round(np.cumsum(shares)[:-1] * len(places)).astype(int)
        for pile, part in zip(piles, np.split(np.array(places), cuts), strict=True):
            pile.extend(part.tolist())
    return piles


def beacon(round: int) -> bytes:
    return hashlib.sha256(f"round {round}".encode()).digest()


def reveal(payloads: Sequence[bytes | Update | Verdict], weights: Sequence[int] = ()) -> list[RevealedContribution]:
    """Contributions in seq order: payload bytes, updates, or what happened instead of an opening."""
    revealed = []
    for seq, payload in enumerate(payloads):
        weight = weights[seq] if weights else 1
        if isinstance(payload, Verdict):
            revealed.append(RevealedContribution(seq, weight, payload, partial(_fail, seq), address(seq)))
            continue
        content = payload if isinstance(payload, bytes) else write_update(payload)
        read, node = partial(bytes, content), address(seq)
        revealed.append(RevealedContribution(seq, weight, Verdict.ACCEPTED, read, node, sha256(content)))
    return revealed


def address(node: int) -> bytes:
    """The address of the node with this number."""
    return (node + 1).to_bytes(20, "big")


def _fail(seq: int) -> bytes:
    raise AssertionError(f"contribution {seq} has no payload to read")
