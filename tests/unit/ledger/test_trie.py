"""A trie's proof tells the truth or nothing: missing, spare, repeated and altered nodes are refused."""

import sys
from random import Random
from typing import Any

import pytest
import rlp

from ledger.hashing import keccak256
from ledger.trie import EMPTY_ROOT, LONGEST_BYTES, MalformedProof, TrieProof, decode, read_number
from tests.simulated.trie import Trie

RANDOM = Random(5)
PAIRS = {RANDOM.randbytes(32): RANDOM.randbytes(RANDOM.randrange(1, 40)) for _ in range(200)}
TRIE = Trie.build(PAIRS)


def test_every_key_of_a_state_is_found() -> None:
    for key, value in PAIRS.items():
        assert TrieProof(TRIE.prove(key)).find(TRIE.root, key) == value


def test_key_that_is_not_there_is_proven_absent() -> None:
    for _ in range(200):
        key = RANDOM.randbytes(32)
        proof = TrieProof(TRIE.prove(key))
        assert proof.find(TRIE.root, key) is None
        proof.verify_used()


def test_empty_trie_has_no_keys() -> None:
    assert TrieProof([]).find(EMPTY_ROOT, b"key") is None


def test_missing_node_is_no_answer() -> None:
    for key in list(PAIRS)[:20]:
        nodes = TRIE.prove(key)
        for at in range(len(nodes)):
            with pytest.raises(MalformedProof, match="no such node"):
                TrieProof(nodes[:at] + nodes[at + 1 :]).find(TRIE.root, key)


def test_any_flipped_bit_of_any_node_is_no_answer() -> None:
    key = next(iter(PAIRS))
    nodes = TRIE.prove(key)
    for at, node in enumerate(nodes):
        for bit in range(8 * len(node)):
            changed = bytearray(node)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(MalformedProof, match="no such node"):
                TrieProof([*nodes[:at], bytes(changed), *nodes[at + 1 :]]).find(TRIE.root, key)


def test_spare_node_is_refused_after_the_lookups() -> None:
    key = next(iter(PAIRS))
    proof = TrieProof([*TRIE.prove(key), b"spare"])
    assert proof.find(TRIE.root, key) == PAIRS[key]
    with pytest.raises(MalformedProof, match="1 more"):
        proof.verify_used()


def test_repeated_node_is_refused() -> None:
    node = TRIE.nodes[TRIE.root]
    with pytest.raises(MalformedProof, match="each node once"):
        TrieProof([node, bytes(bytearray(node))])


LONG = b"x" * 40


@pytest.mark.parametrize(
    "node",
    [
        [b"\x20" + bytes(32)],
        [b"\x40" + bytes(32), LONG],
        [b"\x20" + bytes(31), [LONG]],
        [b"\x05", LONG],
        [b"", LONG],
        [[b"\x20"], LONG],
        [b"\x00", LONG],
        [LONG] + [b""] * 16,
        [b"short"] * 17,
        [[b"\x20", LONG]] * 17,
        LONG,
    ],
    ids=[
        "one item", "flag 4", "value that is a list", "even path with a half", "no path", "path that is a list",
        "extension over nothing", "branch to one place", "child that is no hash", "long child in its parent", "bytes",
    ],
)  # fmt: skip
def test_node_that_no_trie_has_is_refused(node: Any) -> None:
    content = rlp.encode(node)
    proof = TrieProof([content])
    key = bytes(32) if node[0] != b"\x20" + bytes(31) else bytes(31)
    with pytest.raises(MalformedProof):
        proof.find(keccak256(content), key)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x81\x05", b"\xb8\x01a", b"\xf8\x01a", b"\x83ab", b"\xc3ab", b"\xc2a", b"aa", b"\xb9\x00\x40" + b"a" * 64],
)
def test_rlp_that_is_not_the_one_form_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedProof):
        decode(content)


@pytest.mark.parametrize("levels", [2_500, 4_000])
def test_rlp_nested_deeply_is_refused_or_read_whatever_the_recursion_limit(levels: int) -> None:
    content = b"\xc0"
    for _ in range(levels):
        content = rlp.codec.length_prefix(len(content), 192) + content
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(100_000)  # what importing py_ecc leaves behind
        assert len(content) > LONGEST_BYTES or decode(content) != []
        sys.setrecursionlimit(1_000)
        _refuse(content)
    finally:
        sys.setrecursionlimit(limit)


def _refuse(content: bytes) -> None:
    with pytest.raises(MalformedProof):
        decode(content)


@pytest.mark.parametrize("item", [b"\0", b"\0\1", [b"\1"], b"\1" * 33])
def test_number_with_leading_zeros_or_too_long_is_refused(item: Any) -> None:
    with pytest.raises(MalformedProof):
        read_number(item, "number")


def test_numbers_are_read_big_end_first() -> None:
    numbers = [read_number(item, "number") for item in (b"", b"\1\0", b"\xff" * 32)]
    assert numbers == [0, 256, 2**256 - 1]
