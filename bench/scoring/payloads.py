"""Payloads of the last rounds, as a coordinator keeps them: a round is compared with those before it."""

from collections import deque
from collections.abc import Sequence
from functools import partial

from learning.payload import write_update
from learning.quantise import Update
from learning.round import RevealedContribution
from ledger.entry import Verdict
from ledger.hashing import sha256


class Payloads:
    """Keeps those of so many rounds before the present one."""

    def __init__(self, rounds: int) -> None:
        self._rounds: deque[dict[bytes, bytes]] = deque(maxlen=rounds + 1)

    def reveal(
        self, updates: Sequence[Update], nodes: Sequence[int], weights: Sequence[int] = ()
    ) -> list[RevealedContribution]:
        """A new round's contributions, one of each of these nodes; they weigh 1 unless `weights` says more."""
        payloads = [write_update(update) for update in updates]
        digests = [sha256(payload) for payload in payloads]
        self._rounds.append(dict(zip(digests, payloads, strict=True)))
        weights = weights or [1] * len(payloads)
        return [
            RevealedContribution(seq, weight, Verdict.ACCEPTED, partial(bytes, payload), make_address(node), digest)
            for seq, (weight, payload, digest, node) in enumerate(zip(weights, payloads, digests, nodes, strict=True))
        ]

    def read(self, digest: bytes) -> bytes:
        """A payload by its SHA-256."""
        return next(kept[digest] for kept in self._rounds if digest in kept)


def make_address(node: int) -> bytes:
    """The address of the node with this number."""
    return (node + 1).to_bytes(20, "big")
