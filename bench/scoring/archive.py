"""A simulated job's contributions as a round takes them: each with its node, and its payload kept for later rounds."""

from collections.abc import Collection, Sequence
from functools import partial

from learning.payload import write_update
from learning.quantise import Update
from learning.round import RevealedContribution
from ledger.hashing import sha256
from ledger.tally import Verdict


def name_node(number: int) -> bytes:
    """An address for a simulated node."""
    return (number + 1).to_bytes(20, "big")


class Archive:
    """Updates by the SHA-256 of their payloads; a payload is written again whenever it is read."""

    def __init__(self) -> None:
        self._updates: dict[bytes, Update] = {}

    def reveal(
        self, updates: Sequence[Update], nodes: Sequence[bytes], weights: Sequence[int] = ()
    ) -> list[RevealedContribution]:
        """Contributions in seq order, all opened; they weigh 1 unless `weights` says more."""
        weights = weights or [1] * len(updates)
        return [self._reveal(seq, *one) for seq, one in enumerate(zip(updates, nodes, weights, strict=True))]

    def read(self, payload: bytes) -> bytes:
        """A payload of this round or of an earlier one that is still kept."""
        return write_update(self._updates[payload])

    def keep(self, payloads: Collection[bytes]) -> None:
        """Forgets all but these."""
        self._updates = {payload: self._updates[payload] for payload in payloads}

    def _reveal(self, seq: int, update: Update, node: bytes, weight: int) -> RevealedContribution:
        payload = sha256(write_update(update))
        self._updates[payload] = update
        return RevealedContribution(seq, weight, Verdict.ACCEPTED, partial(self.read, payload), node, payload)
