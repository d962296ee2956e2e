"""A scored job on real scans, round by round with real rounds and tallies: what operators with several keys come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from learning.quantise import LARGEST, Update
from learning.round import RoundInputs, run_round
from ledger.entry import Standing
from ledger.hashing import keccak256
from ledger.tally import Judgement, compute_tally
from tests.unit.learning.digits_job import DigitsJob, beacon, make_job, reveal

BUDGET = 10**18


@dataclass
class Market:
    """Rounds of one job; `earned` is what each key has earned so far, in base units."""

    digits: DigitsJob = field(default_factory=lambda: make_job(nodes=5))
    number: int = 0
    earned: dict[str, int] = field(default_factory=dict)
    standings: dict[bytes, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inputs: RoundInputs = self.digits.begin()

    def train(self, node: int) -> Update:
        """What this node's data gives in the coming round."""
        return self.digits.train(self.inputs.base, self.inputs.state.clip, self.number + 1)[node]

    def draw_noise(self, seed: int) -> Update:
        """An update that nobody trained, as large as the round allows."""
        noise = np.random.default_rng(seed).normal(size=self.inputs.base.size)
        scaled = np.trunc(noise * (self.inputs.state.clip / np.linalg.norm(noise)))
        return np.clip(scaled, -LARGEST, LARGEST).astype(np.int16)

    def play(self, sent: Mapping[str, tuple[Update, int]]) -> dict[str, int]:
        """Plays a round of updates and weights by key; returns what each key was paid for it.

        A key of weight 0 has no receipt, so it is not there at all (`ledger.vouching.find_unfit`).
        """
        self.number += 1
        entered = {key: one for key, one in sent.items() if one[1]}
        updates, weights = zip(*entered.values(), strict=True)
        revealed = reveal(updates, weights)
        outcome = run_round(replace(self.inputs, contributions=revealed, beacon=beacon(self.number)))
        assert outcome.void is None
        judgements = [
            Judgement(address(key), keccak256(key.encode()), bytes(32), one.verdict, one.weight, one.score)
            for key, one in zip(entered, outcome.judged, strict=True)
        ]
        tally = compute_tally(BUDGET, BUDGET, judgements, self.standings, self.number)
        self.standings |= tally.standings()
        self.inputs = replace(self.inputs, state=outcome.state, base=outcome.model)
        paid = {key: entry.body.reward for key, entry in zip(entered, tally.entries, strict=True)}
        for key, reward in paid.items():
            self.earned[key] = self.earned.get(key, 0) + reward
        return paid

    def sum_earned(self, prefix: str) -> int:
        """What all keys whose names begin so have earned."""
        return sum(amount for key, amount in self.earned.items() if key.startswith(prefix))


def address(key: str) -> bytes:
    """The address of a key of this name."""
    return keccak256(key.encode())[12:]


def split(update: Update, count: int) -> list[Update]:
    """The same update for many keys: each differs in one unit of one element, so that none is a duplicate."""
    copies = [update.copy() for _ in range(count)]
    for at, copy in enumerate(copies):
        copy[at] += -1 if copy[at] > 0 else 1
    return copies
