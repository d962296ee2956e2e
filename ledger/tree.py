"""The tree of a round's entries: an OpenZeppelin `StandardMerkleTree`, padded to 2^d leaves.

A plain OpenZeppelin tree can hide a leaf that nobody knows of, since its proofs carry no position. So position lives in
the leaf, leaves for seq `count … 2^d − 1` with zero in every other field fill the tree, and a proof has exactly d
elements: 2^d distinct provable leaves leave no room for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct as Layout
from typing import ClassVar, Final

from ledger.canonical import JsonValue
from ledger.eip712 import StructType
from ledger.errors import MalformedTree, VerificationError
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address, to_hex
from ledger.structs import TypedStruct, define_type

FORMAT: Final = "standard-v1"
LEAF_ENCODING: Final = ("uint64", "address", "uint128", "bytes32")

_ZERO_ADDRESS: Final = bytes(20)
_ZERO_WORD: Final = bytes(32)
_THREE_WORDS: Final = bytes(96)
_LEAF: Final = Layout(">24xQ12x20s16x16s32s")


@dataclass(frozen=True, slots=True)
class Leaf(TypedStruct):
    """What a claim needs of an entry: `earned` in token base units, `body` the digest of the rest."""

    TYPE: ClassVar[StructType] = define_type("Leaf(uint64 seq,address node,uint128 earned,bytes32 body)")

    seq: int
    node: bytes
    earned: int
    body: bytes

    def hash(self) -> bytes:
        """Returns keccak256(bytes.concat(keccak256(abi.encode(seq, node, earned, body))))."""
        return _hash_leaf(self.seq, self.node, self.earned, self.body)


def compute_leaf(seq: int, node: bytes, earned: int, body: bytes) -> bytes:
    """Returns the leaf hash of these four fields.

    Raises:
        MalformedStatement: when a field is not exactly of its type and width.
    """
    return Leaf(seq, node, earned, body).hash()


def compute_depth(count: int) -> int:
    """Returns ⌈log2 count⌉, the number of elements of every proof in a tree of `count` entries.

    Raises:
        MalformedTree: when `count` is not an int from 1 to 2^63.
    """
    if type(count) is not int or not 1 <= count <= 1 << 63:
        raise MalformedTree("count", "an int from 1 to 2^63", count)
    return (count - 1).bit_length()


class PaddedTree:
    """The tree over one leaf per entry, given in seq order from 0.

    Raises:
        MalformedTree: when there is no leaf, a leaf's seq is not its position, or its node is the zero address.
    """

    __slots__ = ("_nodes", "_positions", "count", "depth", "leaves")

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self.leaves = tuple(leaves)
        self.count = len(self.leaves)
        self.depth = compute_depth(self.count)
        size = 1 << self.depth
        seqs, nodes = [leaf.seq for leaf in self.leaves], [leaf.node for leaf in self.leaves]
        if seqs != list(range(self.count)):
            wrong = next(seq for seq in range(self.count) if seqs[seq] != seq)
            raise MalformedTree(f"leaves[{wrong}].seq", str(wrong), seqs[wrong])
        if _ZERO_ADDRESS in nodes:
            subject = f"leaves[{nodes.index(_ZERO_ADDRESS)}].node"
            raise MalformedTree(subject, "a node's address (zero marks padding)", _ZERO_ADDRESS)
        hashes = [_hash_leaf(leaf.seq, leaf.node, leaf.earned, leaf.body) for leaf in self.leaves]
        # Padding encodes as its seq and three zero words.
        hashes += [keccak256(keccak256(seq.to_bytes(32, "big") + _THREE_WORDS)) for seq in range(self.count, size)]
        self._nodes, self._positions = lay_out(hashes)

    @property
    def root(self) -> bytes:
        """The 32 bytes that the header's `entriesRoot` signs."""
        return self._nodes[0]

    def proof(self, seq: int) -> list[bytes]:
        """Returns the proof of the leaf with this seq, padding included: exactly `depth` elements of 32 bytes.

        Raises:
            MalformedTree: when the tree has no such leaf.
        """
        if type(seq) is not int or not 0 <= seq < len(self._positions):
            raise MalformedTree("seq", f"an int from 0 to {len(self._positions) - 1}", seq)
        at = self._positions[seq]
        elements = []
        while at > 0:
            elements.append(self._nodes[at + 1 if at & 1 else at - 1])
            at = (at - 1) >> 1
        return elements

    def dump(self) -> dict[str, JsonValue]:
        """Returns the tree in OpenZeppelin's `standard-v1` form, padding included; values in seq order."""
        padding = (Leaf(seq, _ZERO_ADDRESS, 0, _ZERO_WORD) for seq in range(self.count, len(self._positions)))
        values = [_write_leaf(leaf) for leaf in (*self.leaves, *padding)]
        return {
            "format": FORMAT,
            "leafEncoding": list(LEAF_ENCODING),
            "tree": [to_hex(node) for node in self._nodes],
            "values": [{"value": value, "treeIndex": at} for value, at in zip(values, self._positions, strict=True)],
        }

    def dump_bytes(self) -> bytes:
        """Returns the canonical JSON of `dump`, written at once: trees are the largest files of a round."""
        nodes = ",".join([f'"0x{node.hex()}"' for node in self._nodes])
        rows = [(seq, leaf.node, leaf.earned, leaf.body) for seq, leaf in enumerate(self.leaves)]
        rows += [(seq, _ZERO_ADDRESS, 0, _ZERO_WORD) for seq in range(self.count, len(self._positions))]
        values = ",".join(
            [
                f'{{"treeIndex":{at},"value":["{seq}","{to_address(node)}","{earned}","0x{body.hex()}"]}}'
                for (seq, node, earned, body), at in zip(rows, self._positions, strict=True)
            ]
        )
        encoding = ",".join(f'"{kind}"' for kind in LEAF_ENCODING)
        text = f'{{"format":"{FORMAT}","leafEncoding":[{encoding}],"tree":[{nodes}],"values":[{values}]}}'
        return text.encode("ascii")


def lay_out(hashes: Sequence[bytes]) -> tuple[list[bytes], list[int]]:
    """Returns the heap array over 2^d leaf hashes and the place in it of each, as OpenZeppelin lays them out.

    Leaves are sorted by hash and stand from the end of the array; node i has the children 2i + 1 and 2i + 2.
    """
    size = len(hashes)
    order = sorted(range(size), key=hashes.__getitem__, reverse=True)
    positions = [0] * size
    for at, seq in enumerate(order, start=size - 1):
        positions[seq] = at
    return _fold([hashes[seq] for seq in order]), positions


def load_dump(dump: object, count: int) -> PaddedTree:
    """Rebuilds the tree of `count` entries from a `standard-v1` dump and compares the two one to one.

    Raises:
        MalformedTree: when the dump is not exactly the one this tree would write: nothing in it is trusted.
        MalformedStatement, MalformedHex: when a value is no leaf.
    """
    size = 1 << compute_depth(count)
    if not isinstance(dump, Mapping) or not isinstance(dump.get("values"), list):
        raise MalformedTree("tree dump", "an object with a list of values", dump)
    values = dump["values"]
    if len(values) != size:
        raise MalformedTree("tree dump", f"{size} values for {count} entries", len(values))
    tree = PaddedTree([_read_leaf(item, f"values[{at}]") for at, item in enumerate(values[:count])])
    rebuilt = tree.dump()
    for key in sorted({*rebuilt, *dump}, key=str):
        if key not in rebuilt or key not in dump or rebuilt[key] != dump[key]:
            raise MalformedTree(f"tree dump.{key}", "what its values rebuild", _find_difference(rebuilt, dump, key))
    return tree


def verify_proof(root: bytes, leaf_hash: bytes, proof: Sequence[bytes], count: int) -> None:
    """Verifies that a leaf is in the tree of `count` entries with this root.

    Raises:
        VerificationError: `proof-length` when the proof has not exactly ⌈log2 count⌉ elements, `tree-root` when it
            leads to another root.
        MalformedTree: when an element is not 32 bytes.
    """
    depth = compute_depth(count)
    if len(proof) != depth:
        raise VerificationError("proof-length", f"elements of a proof among {count} entries", depth, len(proof))
    node = leaf_hash
    for at, element in enumerate(proof):
        if type(element) is not bytes or len(element) != 32:
            raise MalformedTree(f"proof[{at}]", "bytes of length 32", element)
        node = keccak256(node + element if node < element else element + node)
    if node != root:
        raise VerificationError("tree-root", "the proof leads to another root", to_hex(root), to_hex(node))


def _hash_leaf(seq: int, node: bytes, earned: int, body: bytes) -> bytes:
    return keccak256(keccak256(_LEAF.pack(seq, node, earned.to_bytes(16, "big"), body)))


def _fold(leaves: list[bytes]) -> list[bytes]:
    """Returns the heap array over leaf hashes, largest first; each pair is hashed smaller first."""
    levels = [leaves]
    if len(leaves) > 1:
        levels.append([keccak256(right + left) for left, right in zip(leaves[::2], leaves[1::2], strict=True)])
    while len(levels[-1]) > 1:
        pairs = zip(levels[-1][::2], levels[-1][1::2], strict=True)
        levels.append([keccak256(left + right if left < right else right + left) for left, right in pairs])
    return [node for level in reversed(levels) for node in level]


def _write_leaf(leaf: Leaf) -> list[JsonValue]:
    # OpenZeppelin's own JavaScript reads integers beyond 2^53 only from strings.
    fields = leaf.to_json()
    return [str(fields["seq"]), fields["node"], fields["earned"], fields["body"]]


def _read_leaf(item: object, subject: str) -> Leaf:
    value = item.get("value") if isinstance(item, dict) else None
    if not isinstance(value, list) or len(value) != len(LEAF_ENCODING):
        raise MalformedTree(subject, "a value of four fields", item)
    seq, node, earned, body = value
    if type(seq) is not str or not seq.isascii() or not seq.isdigit() or len(seq) > 16:
        raise MalformedTree(f"{subject}.seq", "a decimal string", seq)
    return Leaf.from_json({"seq": int(seq), "node": node, "earned": earned, "body": body})


def _find_difference(rebuilt: Mapping[str, JsonValue], dump: Mapping[str, object], key: str) -> object:
    """Returns the first element that differs, for a message a person can use."""
    expected, got = rebuilt.get(key), dump.get(key)
    if isinstance(expected, list) and isinstance(got, list):
        return next((theirs for ours, theirs in zip(expected, got, strict=False) if ours != theirs), len(got))
    return got
