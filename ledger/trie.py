"""Merkle-Patricia proofs (Ethereum Yellow Paper, appendix D): what a state root says of a key, from its nodes alone.

A proof is a set of nodes, each once, in no order: proofs of many keys share the nodes near the root. Every node is
found by its hash, so nothing but the true trie can be told; nodes that no lookup needed are refused as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import rlp
from rlp.exceptions import RLPException

from ledger.errors import Malformed
from ledger.hashing import keccak256
from ledger.hexadecimal import to_hex

Item: TypeAlias = "bytes | list[Item]"
"""What RLP holds: bytes, or a list of such items."""

EMPTY_ROOT: Final = keccak256(b"\x80")
"""Root of a trie without keys."""

LONGEST_BYTES: Final = 8_192
"""Of a node or a block's header, several times what they are: it bounds how deep the decoder can be led."""

_BRANCH_ITEMS: Final = 17
_HASH_BYTES: Final = 32
_ODD: Final = 1
_LEAF: Final = 2


class MalformedProof(Malformed):
    """Nodes that are no proof of what was asked: one is missing, too many, or none that a trie can have."""


class TrieProof:
    """The nodes of a proof. Answers for any key, under any root of 32 bytes, as far as they reach.

    Args:
        nodes: RLP of every node, in any order.

    Raises:
        MalformedProof: a node stands twice.
    """

    def __init__(self, nodes: Iterable[bytes]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        for node in nodes:
            if self._nodes.setdefault(keccak256(node), node) is not node:
                raise MalformedProof("trie proof", "each node once", to_hex(keccak256(node)))
        self._used: set[bytes] = set()

    def find(self, root: bytes, key: bytes) -> bytes | None:
        """Returns the value of a key in the trie with this root, None where the trie proves that it has none.

        Raises:
            MalformedProof: a node that the key leads to is missing, or is none of a trie.
        """
        if root == EMPTY_ROOT:
            return None
        node, path = self._load(root), _split(key)
        while True:
            child, left, found = _follow(node, path)
            if found:
                return _read_value(child)
            if not child or left is None:
                return None
            node, path = self._enter(child), left

    def verify_used(self) -> None:
        """Verifies that every node was needed. Raises MalformedProof."""
        spare = len(self._nodes) - len(self._used)
        if spare:
            raise MalformedProof("trie proof", "only nodes that were asked for", f"{spare} more")

    def _load(self, digest: bytes) -> list[Item]:
        content = self._nodes.get(digest)
        if content is None:
            raise MalformedProof("trie proof", f"the node {to_hex(digest)}", "no such node")
        self._used.add(digest)
        return _check_node(decode(content))

    def _enter(self, child: Item) -> list[Item]:
        """A child stands in its parent by hash, or itself where it is shorter than a hash."""
        if isinstance(child, bytes):
            if len(child) != _HASH_BYTES:
                raise MalformedProof("trie node", "a child by its hash", child)
            return self._load(child)
        if len(rlp.encode(child)) >= _HASH_BYTES:
            raise MalformedProof("trie node", "a long child by its hash", "the child itself")
        return _check_node(child)


def decode(content: bytes) -> Item:
    """Returns what these bytes are the one RLP of. Raises MalformedProof."""
    if len(content) > LONGEST_BYTES:
        raise MalformedProof("RLP", f"at most {LONGEST_BYTES} bytes", f"{len(content)} bytes")
    try:
        item: Item = rlp.decode(content)
        canonical = rlp.encode(item) == content
    except (RLPException, IndexError, RecursionError) as error:
        raise MalformedProof("RLP", f"one item in canonical form ({type(error).__name__})") from None
    if not canonical:
        raise MalformedProof("RLP", "one item in canonical form", content)
    return item


def read_number(item: Item, subject: str) -> int:
    """Returns an integer that RLP holds without leading zeros. Raises MalformedProof."""
    if not isinstance(item, bytes) or item[:1] == b"\0" or len(item) > _HASH_BYTES:
        raise MalformedProof(subject, "an integer of at most 32 bytes, without leading zeros", item)
    return int.from_bytes(item, "big")


def _check_node(item: Item) -> list[Item]:
    if isinstance(item, list) and len(item) == 2:
        return item
    if isinstance(item, list) and len(item) == _BRANCH_ITEMS:
        if sum(bool(child) for child in item) < 2:
            raise MalformedProof("trie node", "a branch to at least two places", "fewer")
        return item
    raise MalformedProof("trie node", "a list of 2 or 17 items", item)


def _follow(node: Sequence[Item], path: bytes) -> tuple[Item, bytes | None, bool]:
    """What a node leads to: the child, what is left of the path, and whether the child is the value.

    The path is None where a leaf or an extension turns off another way.
    """
    if len(node) == _BRANCH_ITEMS:
        return (node[path[0]], path[1:], False) if path else (node[16], b"", True)
    part, is_leaf = _read_part(node[0])
    if is_leaf:
        return (node[1], b"", True) if part == path else (b"", None, False)
    if not part:
        raise MalformedProof("trie node", "an extension over at least one step", "none")
    if not path.startswith(part):
        return b"", None, False
    return node[1], path[len(part) :], False


def _read_part(item: Item) -> tuple[bytes, bool]:
    """The steps of a leaf (True) or an extension, from their hex-prefix form."""
    if not isinstance(item, bytes) or not item:
        raise MalformedProof("trie node", "a path in hex-prefix form", item)
    flag, low = item[0] >> 4, item[0] & 15
    if flag > (_LEAF | _ODD) or (not flag & _ODD and low):
        raise MalformedProof("trie node", "a path in hex-prefix form", item)
    steps = _split(item[1:])
    return (bytes([low]) + steps if flag & _ODD else steps), bool(flag & _LEAF)


def _read_value(item: Item) -> bytes | None:
    if not isinstance(item, bytes):
        raise MalformedProof("trie node", "a value of bytes", item)
    return item or None


def _split(key: bytes) -> bytes:
    """The half bytes of a key, one in each byte."""
    return bytes(half for byte in key for half in (byte >> 4, byte & 15))
