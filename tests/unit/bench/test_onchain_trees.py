"""The trees that the bench makes for the peers' contracts."""

from collections.abc import Callable, Sequence

import pytest

from bench.onchain.trees import PromotedTree, StandardTree
from ledger.hashing import keccak256
from ledger.tree import Leaf, PaddedTree

Tree = PromotedTree | StandardTree


def hash_leaves(count: int) -> list[bytes]:
    return [keccak256(b"%d" % number) for number in range(count)]


def follow(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Where a proof of sorted pairs leads, as OpenZeppelin's MerkleProof goes."""
    for sibling in proof:
        leaf = keccak256(min(leaf, sibling) + max(leaf, sibling))
    return leaf


@pytest.mark.parametrize("make", [PromotedTree, StandardTree])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 100])
def test_every_proof_leads_to_the_root(make: Callable[[Sequence[bytes]], Tree], count: int) -> None:
    leaves = hash_leaves(count)
    tree = make(leaves)
    for leaf in leaves:
        assert follow(leaf, tree.proof(leaf)) == tree.root
        assert len(tree.proof(leaf)) <= (count - 1).bit_length()


def test_standard_tree_of_full_width_is_the_ledgers() -> None:
    leaves = [Leaf(seq, bytes([seq + 1]) * 20, seq, bytes(32)) for seq in range(8)]
    ledgers = PaddedTree(leaves)
    tree = StandardTree([leaf.hash() for leaf in leaves])
    assert tree.root == ledgers.root
    assert [tree.proof(leaf.hash()) for leaf in leaves] == [ledgers.proof(seq) for seq in range(8)]
