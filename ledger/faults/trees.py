"""Proofs of published entries under an anchored root, also where a liar's tree is not one that our code would build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger import canonical
from ledger.entry import Entry
from ledger.errors import Malformed, VerificationError
from ledger.hashing import keccak256
from ledger.hexadecimal import parse_hex
from ledger.tree import PaddedTree, compute_depth, verify_proof


def find_proofs(
    root: bytes, count: int, entries: Sequence[Entry], dump: bytes | None
) -> list[tuple[Entry, tuple[bytes, ...]]]:
    """Returns the entries that are in the tree with this root and count, each with its proof.

    1. The padded tree over the entries, when its root is this one. 2. Else the published dump, when its nodes hash up
    to this root: a tree with a doubled or hidden leaf is in no other form.
    """
    # 1.
    try:
        tree = PaddedTree([entry.leaf() for entry in entries])
    except Malformed:
        tree = None
    if tree is not None and tree.root == root and tree.count == count:
        return [(entry, tuple(tree.proof(entry.seq))) for entry in entries]
    # 2.
    proofs = _read_heap(dump, root, count)
    found = ((entry, proofs.get(entry.leaf_hash())) for entry in entries)
    return [(entry, proof) for entry, proof in found if proof is not None]


def is_proven(root: bytes, count: int, leaf_hash: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof leads from the leaf to the root in a tree of `count` entries."""
    try:
        verify_proof(root, leaf_hash, proof, count)
    except (VerificationError, Malformed):
        return False
    return True


def _read_heap(dump: bytes | None, root: bytes, count: int) -> Mapping[bytes, tuple[bytes, ...]]:
    """The proof of every leaf of a heap whose nodes are the hashes of their children; none where it is another heap."""
    nodes = _read_nodes(dump)
    size = 1 << compute_depth(count)
    if len(nodes) != 2 * size - 1 or nodes[0] != root:
        return {}
    for at in range(size - 1):
        left, right = sorted(nodes[2 * at + 1 : 2 * at + 3])
        if keccak256(left + right) != nodes[at]:
            return {}
    return {nodes[at]: _climb(nodes, at) for at in range(size - 1, 2 * size - 1)}


def _climb(nodes: Sequence[bytes], at: int) -> tuple[bytes, ...]:
    elements = []
    while at > 0:
        elements.append(nodes[at + 1 if at & 1 else at - 1])
        at = (at - 1) >> 1
    return tuple(elements)


def _read_nodes(dump: bytes | None) -> list[bytes]:
    try:
        value = canonical.decode(dump or b"{}")
        nodes = value.get("tree") if isinstance(value, dict) else None
        return [parse_hex(node, 32, "tree") for node in nodes] if isinstance(nodes, list) else []
    except Malformed:
        return []
