"""What every way of paying many from one root has in common, and how it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, Self

from bench.onchain.stand import Stand
from ledger.hashing import keccak256
from ledger.signatures import Signer

Costs = dict[str, float]
"""Units of gas by operation."""

TOKEN = 10**18
TEN = 10


class Scheme(Protocol):
    """Two rounds of payments on a chain, 0 and 1, built before anything is measured."""

    def anchor(self, place: int) -> int:
        """Bring a round on chain and wait until it pays; the gas of that, the money it needs included if it moves."""

    def claim(self, place: int, seq: int) -> int:
        """Claim one entry of a round; gas."""

    def claim_many(self, place: int, seqs: Sequence[int]) -> int | None:
        """Claim many entries of a round in one transaction; gas, or None where the scheme has no such thing."""


@dataclass(frozen=True)
class Claimants:
    """Whose places in a round of `count` entries claim: ten spread over it, and three of these one by one."""

    count: int
    ten: tuple[int, ...]

    @classmethod
    def among(cls, count: int) -> Self:
        """Those of a round of this size, at least ten."""
        return cls(count, tuple((2 * place + 1) * count // (2 * TEN) for place in range(TEN)))

    @property
    def singles(self) -> tuple[int, ...]:
        """Three of the ten."""
        return self.ten[1], self.ten[5], self.ten[9]

    def name_node(self, seq: int) -> bytes:
        """The address of the node at a place: of a key where it claims, else any."""
        return sign_as(seq).address if seq in self.ten else keccak256(b"address %d" % seq)[12:]


@cache
def sign_as(seq: int) -> Signer:
    """The key of the node at a place."""
    return Signer(keccak256(b"node %d" % seq))


def name_payout(seq: int) -> bytes:
    """Where the node at a place is paid; nobody paid it before."""
    return keccak256(b"payout %d" % seq)[12:]


def measure(stand: Stand, scheme: Scheme, claimants: Claimants) -> Costs:
    """Gas of a scheme's operations; the chain is as before afterwards.

    "First" finds every slot of the node and its payout address empty, "repeat" is a claim of the next round by the same
    node. Of single claims the dearest of three counts, of ten claims a tenth.
    """
    costs: Costs = {}
    rounds = ((0, "first"), (1, "repeat"))
    with stand.undone():
        for place, kind in rounds:
            costs[f"anchor, {kind}"] = scheme.anchor(place)
            costs[f"claim, {kind}"] = max(scheme.claim(place, seq) for seq in claimants.singles)
    with stand.undone():
        for place, kind in rounds:
            scheme.anchor(place)
            ten = scheme.claim_many(place, claimants.ten)
            if ten is not None:
                costs[f"ten claims, {kind}"] = ten / TEN
    return costs
