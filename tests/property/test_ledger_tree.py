"""Laws of the padded tree: every leaf is provable, nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed, VerificationError
from ledger.hashing import keccak256
from ledger.tree import Leaf, PaddedTree, compute_depth, load_dump, verify_proof
from tests.property.ledger_values import addresses, bytes32

leaf_fields = st.tuples(addresses, st.integers(0, (1 << 128) - 1), bytes32)
trees = st.lists(leaf_fields, min_size=1, max_size=40).map(
    lambda rows: PaddedTree([Leaf(seq, *fields) for seq, fields in enumerate(rows)])
)


def flip(content: bytes, bit: int) -> bytes:
    return (int.from_bytes(content, "big") ^ 1 << bit % (8 * len(content))).to_bytes(len(content), "big")


@given(tree=trees)
def test_every_seq_below_the_power_of_two_is_provable(tree: PaddedTree) -> None:
    """∀ seq < 2^d: proof(seq) has d elements and leads to the root."""
    for seq in range(1 << compute_depth(tree.count)):
        leaf = tree.leaves[seq] if seq < tree.count else Leaf(seq, bytes(20), 0, bytes(32))
        verify_proof(tree.root, leaf.hash(), tree.proof(seq), tree.count)


@given(tree=trees, data=st.data())
def test_any_flipped_bit_breaks_the_proof(tree: PaddedTree, data: st.DataObject) -> None:
    """A proof with one flipped bit in root, leaf or any element is refused."""
    seq = data.draw(st.integers(0, tree.count - 1))
    parts = [tree.root, tree.leaves[seq].hash(), *tree.proof(seq)]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = flip(parts[at], data.draw(st.integers(0, 255)))
    root, leaf, *proof = parts
    with pytest.raises(VerificationError) as caught:
        verify_proof(root, leaf, proof, tree.count)
    assert caught.value.check == "tree-root"


@given(tree=trees, data=st.data())
def test_proof_of_another_length_is_refused(tree: PaddedTree, data: st.DataObject) -> None:
    """Longer or shorter proofs are refused by their length alone, whatever they lead to."""
    seq = data.draw(st.integers(0, tree.count - 1))
    proof = tree.proof(seq)
    longer = [*proof, data.draw(bytes32)]
    shorter = proof[:-1] if proof else longer
    for other in (longer, shorter):
        with pytest.raises(VerificationError, match="proof-length"):
            verify_proof(tree.root, tree.leaves[seq].hash(), other, tree.count)


@given(tree=trees, fields=leaf_fields)
def test_leaf_that_is_not_in_the_tree_has_no_proof_in_it(tree: PaddedTree, fields: tuple[Any, ...]) -> None:
    """No proof of the tree proves a hidden leaf, under the seq of an entry or beyond."""
    for seq in (0, tree.count - 1, tree.count, 1 << tree.depth):
        hidden = Leaf(seq, *fields)
        if hidden in tree.leaves:
            continue
        for own in range(1 << tree.depth):
            with pytest.raises(VerificationError):
                verify_proof(tree.root, hidden.hash(), tree.proof(own), tree.count)


@given(tree=trees, fields=leaf_fields)
def test_hidden_leaf_beside_the_whole_tree_shows(tree: PaddedTree, fields: tuple[Any, ...]) -> None:
    """A root over the honest tree and one leaf more is not theirs, and makes every honest proof too long."""
    hidden = Leaf(0, *fields).hash()
    on_top = keccak256(b"".join(sorted((tree.root, hidden))))
    assert on_top != tree.root
    for leaf in tree.leaves:
        with pytest.raises(VerificationError, match="proof-length"):
            verify_proof(on_top, leaf.hash(), [*tree.proof(leaf.seq), hidden], tree.count)


@given(tree=trees)
def test_dump_there_and_back_is_the_identity(tree: PaddedTree) -> None:
    """load_dump(dump(t)) = t."""
    assert load_dump(tree.dump(), tree.count).dump() == tree.dump()


@given(tree=trees, data=st.data())
def test_dump_with_any_changed_digit_is_refused(tree: PaddedTree, data: st.DataObject) -> None:
    """One changed hex digit anywhere in the dump is an error, never another tree."""
    dump: Any = tree.dump()
    node = data.draw(st.integers(0, len(dump["tree"]) - 1))
    digit = data.draw(st.integers(2, 65))
    text = dump["tree"][node]
    dump["tree"][node] = text[:digit] + ("0" if text[digit] != "0" else "1") + text[digit + 1 :]
    with pytest.raises(Malformed):
        load_dump(dump, tree.count)


@given(rows=st.lists(leaf_fields, min_size=2, max_size=20), data=st.data())
def test_root_depends_on_every_field(rows: list[Any], data: st.DataObject) -> None:
    """One flipped bit of one field of one leaf gives another root."""
    root = PaddedTree([Leaf(seq, *fields) for seq, fields in enumerate(rows)]).root
    at = data.draw(st.integers(0, len(rows) - 1))
    node, earned, body = rows[at]
    bit = data.draw(st.integers(0, 127))
    for changed in ((flip(node, bit), earned, body), (node, earned ^ 1 << bit, body), (node, earned, flip(body, bit))):
        if any(changed[0]):
            others = [*rows[:at], changed, *rows[at + 1 :]]
            assert PaddedTree([Leaf(seq, *fields) for seq, fields in enumerate(others)]).root != root
