"""The trees of the peers' own scripts; their contracts judge whether they are right."""

from collections.abc import Sequence

from ledger.hashing import keccak256


class PromotedTree:
    """Uniswap's and UMA's: leaves sorted by hash, pairs sorted, an odd one out goes up a level as it is."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hashes the tree over leaf hashes, all different."""
        self._levels = [sorted(leaves)]
        self._places = {leaf: place for place, leaf in enumerate(self._levels[0])}
        while len(self._levels[-1]) > 1:
            self._levels.append(_pair_up(self._levels[-1]))

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._levels[-1][0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """The siblings from the leaf up."""
        place, proof = self._places[leaf], []
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                proof.append(level[place ^ 1])
            place >>= 1
        return proof


class StandardTree:
    """`@openzeppelin/merkle-tree`'s: leaves sorted by hash and laid from the end of a heap, pairs sorted."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Hashes the tree over leaf hashes, all different."""
        order = sorted(leaves, reverse=True)
        self._nodes = [b""] * (len(order) - 1) + order
        self._places = {leaf: place for place, leaf in enumerate(self._nodes) if leaf}
        for place in range(len(order) - 2, -1, -1):
            self._nodes[place] = _hash_pair(self._nodes[2 * place + 1], self._nodes[2 * place + 2])

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._nodes[0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """The siblings from the leaf up."""
        place, proof = self._places[leaf], []
        while place > 0:
            proof.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return proof


def _pair_up(level: list[bytes]) -> list[bytes]:
    pairs = [_hash_pair(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return pairs + level[len(pairs) * 2 :]


def _hash_pair(one: bytes, other: bytes) -> bytes:
    return keccak256(min(one, other) + max(one, other))
