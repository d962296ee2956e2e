"""OpenZeppelin's own JavaScript builds our root from our leaves, loads our dump and verifies our proofs."""

import random

import pytest

from ledger.errors import VerificationError
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.tree import Leaf, PaddedTree, compute_leaf, load_dump, verify_proof
from tests.interop.conftest import RunScript

LEAF_ENCODING = ["uint64", "address", "uint128", "bytes32"]


def draw_leaves(count: int) -> list[Leaf]:
    noise = random.Random(count)
    return [Leaf(seq, noise.randbytes(20), noise.getrandbits(128), noise.randbytes(32)) for seq in range(count)]


def write_values(leaves: list[Leaf]) -> list[list[str]]:
    """The padded list of leaves as OpenZeppelin reads it, padded by the protocol's words and not by our code."""
    size = 1
    while size < len(leaves):
        size *= 2
    values = [[str(leaf.seq), to_address(leaf.node), str(leaf.earned), to_hex(leaf.body)] for leaf in leaves]
    return values + [[str(seq), "0x" + "00" * 20, "0", "0x" + "00" * 32] for seq in range(len(leaves), size)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 100])
def test_openzeppelin_agrees(count: int, run_script: RunScript) -> None:
    leaves = draw_leaves(count)
    tree = PaddedTree(leaves)
    values = write_values(leaves)
    dump = tree.dump()
    theirs = run_script(
        "merkle_tree",
        {
            "values": values,
            "leafEncoding": LEAF_ENCODING,
            "dump": dump,
            "proofs": [[to_hex(element) for element in tree.proof(seq)] for seq in range(len(values))],
        },
    )
    assert theirs["root"] == theirs["loadedRoot"] == to_hex(tree.root)
    assert theirs["dump"] == dump
    assert theirs["loadedValues"] == values
    assert theirs["verified"] == [True] * len(values)
    assert load_dump(theirs["dump"], count).root == tree.root
    for leaf, proof in zip(leaves, theirs["proofs"], strict=False):
        verify_proof(tree.root, leaf.hash(), [parse_hex(element, 32) for element in proof], count)


def test_openzeppelin_refuses_the_proof_of_another_leaf(run_script: RunScript) -> None:
    leaves = draw_leaves(4)
    tree = PaddedTree(leaves)
    proofs = [[to_hex(element) for element in tree.proof((seq + 1) % 4)] for seq in range(4)]
    theirs = run_script(
        "merkle_tree",
        {"values": write_values(leaves), "leafEncoding": LEAF_ENCODING, "dump": tree.dump(), "proofs": proofs},
    )
    assert theirs["verified"] == [False] * 4
    with pytest.raises(VerificationError):
        verify_proof(tree.root, compute_leaf(0, bytes(20), 0, bytes(32)), tree.proof(0), 4)
