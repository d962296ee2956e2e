"""How alike honest nodes are, and how unlike noise: what the thresholds of screening are chosen by.

`python -m bench.scoring.honest CACHE` prints the table of docs/decisions/0026-screening.md; CACHE is where
MovieLens-100K is kept.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.scoring.grounds import Ground, lay_out_digits, lay_out_recommender
from bench.scoring.payloads import Payloads
from learning.parameters import Vector64
from learning.quantise import Update
from learning.round import RoundInputs, run_round
from learning.screening.measures import compute_dot, compute_fourth_powers
from learning.state import RoundState
from ledger.entry import Verdict

_EARLIER = 3
_SEEDS = (1, 2, 3)


@dataclass
class Likeness:
    """Cosines with other nodes in the same round, in the three before, with the own update before; kurtoses.

    `refused` counts updates that screening by the task's own thresholds refuses, of `looked` in all.
    """

    same: list[float] = field(default_factory=list)
    earlier: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    kurtosis: list[float] = field(default_factory=list)
    refused: int = 0
    looked: int = 0

    def look(self, rounds: Sequence[Sequence[Update]]) -> None:
        """Takes in the newest of these rounds."""
        now = _normalise(rounds[-1])
        cosines = now @ now.T
        self.same += cosines[np.triu_indices(len(now), 1)].tolist()
        self.kurtosis += [one.size * compute_fourth_powers(one) / compute_dot(one, one) ** 2 for one in rounds[-1]]
        for back, before in enumerate(reversed(rounds[-1 - _EARLIER : -1])):
            cosines = now @ _normalise(before).T
            self.own += np.diag(cosines).tolist() if back == 0 else []
            self.earlier += cosines[~np.eye(len(now), dtype=bool)].tolist()

    def tell(self, name: str) -> str:
        """A row of the table."""
        highest = [f"{np.median(one):.2f}, {max(one):.3f}" for one in (self.same, self.earlier, self.own)]
        return f"| {name} | {' | '.join(highest)} | {min(self.kurtosis):.2f} | {self.refused} of {self.looked} |"


def train(ground: Ground, rounds: int) -> Iterator[tuple[list[Update], int]]:
    """Each round's updates of honest nodes, and how many of them are refused."""
    model = ground.task.initial_model(1)
    state = RoundState.initial(model.size, ground.rules, ground.task.count_positions(ground.validation))
    payloads = Payloads(ground.rules.screening.window)
    for number in range(1, rounds + 1):
        updates = ground.train(model, state.clip, number)
        revealed = payloads.reveal(updates, range(len(updates)))
        beacon = number.to_bytes(32, "big")
        inputs = RoundInputs(
            ground.task, ground.rules, model, state, ground.validation, beacon, revealed, payloads.read
        )
        outcome = run_round(inputs)
        model, state = outcome.model, outcome.state
        yield updates, sum(one.verdict is not Verdict.ACCEPTED for one in outcome.judged)


def measure(name: str, grounds: Sequence[Ground], rounds: int) -> None:
    """Prints a row."""
    found = Likeness()
    for ground in grounds:
        seen: list[list[Update]] = []
        for updates, refused in train(ground, rounds):
            found.refused, found.looked = found.refused + refused, found.looked + len(updates)
            seen = [*seen, updates][-1 - _EARLIER :]
            found.look(seen)
    sys.stdout.write(f"{found.tell(name)}\n")
    sys.stdout.flush()


def _normalise(updates: Sequence[Update]) -> Vector64:
    rows = np.array(updates, np.float64)
    rows /= np.sqrt(np.sum(rows * rows, axis=1))[:, None]
    return rows


def main() -> None:
    """Prints the table."""
    sys.stdout.write("| nodes | same round | three before | own, one before | kurtosis | refused |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
    for nodes in (3, 10, 30):
        for concentration, kind in ((1e3, "evenly"), (1.0, "by Dirichlet 1"), (0.1, "by Dirichlet 0.1")):
            grounds = [lay_out_digits(concentration, seed, nodes) for seed in _SEEDS]
            measure(f"digits, {nodes} nodes, dealt {kind}", grounds, 15)
    for nodes in (20, 200):
        measure(f"recommender, {nodes} nodes", [lay_out_recommender(Path(sys.argv[1]), 1, nodes)], 12)


if __name__ == "__main__":
    main()
