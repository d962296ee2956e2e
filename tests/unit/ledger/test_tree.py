import copy
from typing import Any

import pytest
from eth_abi.abi import encode

from ledger import canonical
from ledger.errors import Malformed, MalformedStatement, MalformedTree, VerificationError
from ledger.hashing import keccak256
from ledger.tree import Leaf, PaddedTree, compute_depth, compute_leaf, load_dump, verify_proof
from tests.vectors.golden_job import derive, derive_address

COUNTS = [1, 2, 3, 4, 5, 8, 9, 33]


def make_leaves(count: int) -> list[Leaf]:
    return [Leaf(seq, derive_address(f"n{seq}"), 10**20 + seq, derive(f"b{seq}")) for seq in range(count)]


def hash_naively(leaves: list[Leaf], count: int) -> bytes:
    """The root as the definition reads: padded, sorted leaves, sorted pairs, from the end of the heap."""
    size = 1
    while size < count:
        size *= 2
    padded = leaves + [Leaf(seq, bytes(20), 0, bytes(32)) for seq in range(count, size)]
    level = sorted((compute_leaf(*leaf.values()) for leaf in padded), reverse=True)
    while len(level) > 1:
        level = [keccak256(b"".join(sorted(level[at : at + 2]))) for at in range(0, len(level), 2)]
    return level[0]


def test_leaf_is_the_double_hash_of_its_abi_encoding() -> None:
    encoded = encode(["uint64", "address", "uint128", "bytes32"], [7, "0x" + "ab" * 20, 10**30, b"\x05" * 32])
    assert compute_leaf(7, b"\xab" * 20, 10**30, b"\x05" * 32) == keccak256(keccak256(encoded))


@pytest.mark.parametrize(
    "fields",
    [
        (-1, bytes(20), 0, bytes(32)),
        (1 << 64, bytes(20), 0, bytes(32)),
        (True, bytes(20), 0, bytes(32)),
        (0, bytes(32), 0, bytes(32)),
        (0, bytes(20), 1 << 128, bytes(32)),
        (0, bytes(20), -1, bytes(32)),
        (0, bytes(20), 0, bytes(31)),
    ],
)
def test_inexact_leaf_is_refused(fields: Any) -> None:
    with pytest.raises(MalformedStatement, match=r"^Leaf\."):
        compute_leaf(*fields)


@pytest.mark.parametrize(
    ("count", "depth"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (1 << 20, 20), ((1 << 20) + 1, 21)]
)
def test_depth_is_the_logarithm_rounded_up(count: int, depth: int) -> None:
    assert compute_depth(count) == depth


@pytest.mark.parametrize("count", [0, -1, True, 2.0, "2", (1 << 63) + 1])
def test_depth_of_no_count_is_refused(count: Any) -> None:
    with pytest.raises(MalformedTree):
        compute_depth(count)


@pytest.mark.parametrize("count", COUNTS)
def test_root_is_the_one_the_definition_gives(count: int) -> None:
    leaves = make_leaves(count)
    assert PaddedTree(leaves).root == hash_naively(leaves, count)


@pytest.mark.parametrize("count", COUNTS)
def test_every_leaf_has_a_proof_of_the_tree_s_depth_padding_included(count: int) -> None:
    leaves = make_leaves(count)
    tree = PaddedTree(leaves)
    for seq in range(1 << tree.depth):
        leaf = leaves[seq] if seq < count else Leaf(seq, bytes(20), 0, bytes(32))
        proof = tree.proof(seq)
        assert len(proof) == tree.depth
        verify_proof(tree.root, leaf.hash(), proof, count)


def test_single_entry_is_its_own_root() -> None:
    (leaf,) = make_leaves(1)
    tree = PaddedTree([leaf])
    assert (tree.root, tree.depth, tree.proof(0)) == (leaf.hash(), 0, [])


@pytest.mark.parametrize("seq", [-1, 8, 1 << 70, True, "0"])
def test_proof_of_a_seq_the_tree_lacks_is_refused(seq: Any) -> None:
    with pytest.raises(MalformedTree):
        PaddedTree(make_leaves(5)).proof(seq)


def test_leaves_out_of_order_are_refused() -> None:
    leaves = make_leaves(3)
    for wrong in ([], leaves[1:], [leaves[0], leaves[0]], [leaves[1], leaves[0], leaves[2]]):
        with pytest.raises(MalformedTree):
            PaddedTree(wrong)


def test_entry_that_looks_like_padding_is_refused() -> None:
    with pytest.raises(MalformedTree, match="zero marks padding"):
        PaddedTree([*make_leaves(3), Leaf(3, bytes(20), 0, bytes(32))])


@pytest.mark.parametrize("claimed", [1, 2, 4, 9, 16])
def test_proof_of_another_length_is_refused(claimed: int) -> None:
    leaves = make_leaves(5)
    tree = PaddedTree(leaves)
    with pytest.raises(VerificationError) as caught:
        verify_proof(tree.root, leaves[2].hash(), tree.proof(2), claimed)
    assert caught.value.check == "proof-length"


def test_inner_node_is_no_leaf() -> None:
    """The classic second preimage: a node one level up with a shorter proof."""
    leaves = make_leaves(4)
    tree = PaddedTree(leaves)
    first, *rest = tree.proof(0)
    pair = keccak256(b"".join(sorted((leaves[0].hash(), first))))
    with pytest.raises(VerificationError, match="proof-length"):
        verify_proof(tree.root, pair, rest, 4)
    verify_proof(tree.root, pair, rest, 2)  # a claimed count of 2 would let it in: the count is signed and anchored


@pytest.mark.parametrize("element", [b"", bytes(31), bytes(33), "00", None])
def test_proof_of_malformed_elements_is_refused(element: Any) -> None:
    leaves = make_leaves(2)
    with pytest.raises(MalformedTree, match=r"proof\[0\]"):
        verify_proof(PaddedTree(leaves).root, leaves[0].hash(), [element], 2)


@pytest.mark.parametrize("count", COUNTS)
def test_dump_loads_as_the_same_tree(count: int) -> None:
    tree = PaddedTree(make_leaves(count))
    dump = canonical.decode(canonical.encode(tree.dump()))
    loaded = load_dump(dump, count)
    assert (loaded.root, loaded.leaves, loaded.dump()) == (tree.root, tree.leaves, tree.dump())


def test_dump_has_the_form_of_openzeppelin() -> None:
    dump: Any = PaddedTree(make_leaves(3)).dump()
    assert set(dump) == {"format", "leafEncoding", "tree", "values"}
    assert dump["format"] == "standard-v1"
    assert dump["leafEncoding"] == ["uint64", "address", "uint128", "bytes32"]
    assert len(dump["tree"]) == 7
    assert dump["tree"][3:] == sorted(dump["tree"][3:], reverse=True)
    assert [item["value"][0] for item in dump["values"]] == ["0", "1", "2", "3"]
    for item in dump["values"]:
        seq, node, earned, body = item["value"]
        leaf = compute_leaf(int(seq), bytes.fromhex(node[2:]), int(earned), bytes.fromhex(body[2:]))
        assert dump["tree"][item["treeIndex"]] == "0x" + leaf.hex()


def change(dump: Any, *path: Any) -> Any:
    """A copy of the dump with the last step of the path set to the value at its end."""
    *steps, last, value = path
    changed = copy.deepcopy(dump)
    place = changed
    for step in steps:
        place = place[step]
    place[last] = value
    return changed


def test_dump_with_any_difference_is_refused() -> None:
    tree = PaddedTree(make_leaves(3))
    dump: Any = tree.dump()
    address = dump["values"][0]["value"][1]
    wrong = [
        change(dump, "format", "standard-v2"),
        change(dump, "leafEncoding", ["uint256", "address", "uint128", "bytes32"]),
        change(dump, "tree", 0, "0x" + "00" * 32),
        change(dump, "tree", dump["tree"][:-1]),
        change(dump, "tree", [*dump["tree"], dump["tree"][0]]),
        change(dump, "tree", 6, dump["tree"][5]),
        change(dump, "values", dump["values"][:3]),
        change(dump, "values", [*dump["values"], dump["values"][0]]),
        change(dump, "values", 0, "treeIndex", dump["values"][1]["treeIndex"]),
        change(dump, "values", 0, "value", 0, "1"),
        change(dump, "values", 0, "value", 0, "00"),
        change(dump, "values", 0, "value", 0, 0),
        change(dump, "values", 0, "value", 1, address.lower()),
        change(dump, "values", 0, "value", 2, "1"),
        change(dump, "values", 3, "value", 2, "1"),
        change(dump, "values", 3, "value", 1, address),
        change(dump, "values", 0, "value", ["0"]),
        change(dump, "values", 0, "hash", "0x"),
        change(dump, "extra", 1),
        {key: dump[key] for key in dump if key != "tree"},
        [dump],
        None,
    ]
    for bad in wrong:
        with pytest.raises(Malformed):
            load_dump(bad, 3)
    for count in (1, 2, 4, 5):
        with pytest.raises(Malformed):
            load_dump(dump, count)
