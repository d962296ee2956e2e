"""Rounds of screening alone: updates by node in seq order, payloads kept as a coordinator does."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from learning.payload import write_update
from learning.quantise import Update
from learning.round import RevealedContribution
from learning.screening.memory import Memory
from learning.screening.screen import Screen
from ledger.entry import Verdict
from ledger.hashing import sha256
from ledger.screening import Reason
from ledger.spec import Screening
from tests.unit.learning.digits_job import address

SIZE = 6_000


def draw(seed: int) -> Update:
    """An update with heavy tails, another for each seed."""
    return np.rint(np.random.default_rng(seed).laplace(size=SIZE) * 100).astype(np.int16)


def near(update: Update, noise: float, scale: float = 1.0, seed: int = 77) -> Update:
    """An update with so much noise, relative to its norm, and then scaled."""
    random = np.random.default_rng(seed).normal(size=update.size)
    random *= np.linalg.norm(update.astype(float)) / np.linalg.norm(random)
    return np.rint((update + noise * random) * scale).astype(np.int16)


class Rounds:
    """Plays rounds one after another."""

    def __init__(self, screening: Screening, clip: int = 1 << 20) -> None:
        self.screening, self.clip = screening, clip
        self.memory = Memory()
        self.payloads: dict[bytes, bytes] = {}
        self.reasons: list[list[Reason]] = []

    def play(self, updates: Mapping[int, Update]) -> list[Verdict]:
        """The verdicts of a round."""
        revealed = []
        for seq, (node, update) in enumerate(updates.items()):
            payload = write_update(update)
            digest = sha256(payload)
            self.payloads[digest] = payload
            read = partial(self.payloads.__getitem__, digest)
            revealed.append(RevealedContribution(seq, 1, Verdict.ACCEPTED, read, address(node), digest))
        screen = Screen(SIZE, self.clip, self.memory, self.screening, self.payloads.__getitem__)
        judged = list(screen.judge(revealed))
        self.memory = screen.remember()
        self.reasons.append([one.reason for one in judged])
        return [one.verdict for one in judged]

    def address(self, node: int) -> bytes:
        """The address of a node."""
        return address(node)
