"""OpenZeppelin's own dumps: the same leaf hashes and nodes, proofs of the padded length only; no dump is trusted."""

from typing import Any

import pytest
from eth_abi.abi import encode

from ledger.errors import MalformedTree, VerificationError
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_hex, to_hex
from ledger.tree import compute_depth, load_dump, verify_proof
from tests.vectors import outside

pytestmark = outside.absent

DUMPS = [f"{kind}.{order}.1_0_6" for kind in ("simple-v1", "standard-v1") for order in ("sorted", "unsorted")]


def load(name: str) -> Any:
    return outside.load("openzeppelin-merkle-tree", "test", "dumps", f"{name}.json")


def climb(nodes: list[bytes], at: int) -> list[bytes]:
    """The proof of the node at this place of the heap array."""
    proof = []
    while at > 0:
        proof.append(nodes[at + 1 if at % 2 else at - 1])
        at = (at - 1) // 2
    return proof


@pytest.mark.parametrize("name", DUMPS)
def test_proofs_of_the_padded_length_lead_to_the_root(name: str) -> None:
    dump = load(name)
    nodes = [parse_hex(node, 32) for node in dump["tree"]]
    count = len(dump["values"])
    lengths = set()
    for value in dump["values"]:
        proof = climb(nodes, value["treeIndex"])
        lengths.add(len(proof) == compute_depth(count))
        if len(proof) == compute_depth(count):
            verify_proof(nodes[0], nodes[value["treeIndex"]], proof, count)
        else:
            with pytest.raises(VerificationError, match="proof-length"):
                verify_proof(nodes[0], nodes[value["treeIndex"]], proof, count)
    assert True in lengths


@pytest.mark.parametrize("name", [name for name in DUMPS if name.startswith("standard")])
def test_leaves_are_hashed_twice(name: str) -> None:
    dump = load(name)
    for value in dump["values"]:
        leaf = keccak256(keccak256(encode(dump["leafEncoding"], value["value"])))
        assert to_hex(leaf) == dump["tree"][value["treeIndex"]]


@pytest.mark.parametrize("name", DUMPS)
def test_a_dump_that_is_no_tally_is_refused(name: str) -> None:
    dump = load(name)
    with pytest.raises(MalformedTree):
        load_dump(dump, len(dump["values"]))
