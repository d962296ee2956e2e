"""Tries built by the book (Yellow Paper, appendix D), to prove from: whole states of chains that do not exist."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rlp

from ledger.hashing import keccak256
from ledger.trie import EMPTY_ROOT

Pairs = Mapping[bytes, bytes]


@dataclass
class Trie:
    """A trie over keys and values that are not empty. `nodes` are all that stand by hash, `root` the root's hash."""

    root: bytes = EMPTY_ROOT
    nodes: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def build(cls, pairs: Pairs) -> "Trie":
        trie = cls()
        if pairs:
            content = rlp.encode(trie._lay({_split(key): value for key, value in pairs.items()}))
            trie.root = trie._keep(content)
        return trie

    @classmethod
    def build_secure(cls, pairs: Pairs) -> "Trie":
        """With hashed keys, as states have them."""
        return cls.build({keccak256(key): value for key, value in pairs.items()})

    def prove(self, key: bytes) -> list[bytes]:
        """The nodes on the way to a key, as `eth_getProof` gives them."""
        found, path, at = [], _split(key), self.root
        while at in self.nodes:
            content = self.nodes[at]
            found.append(content)
            at, path = self._step(rlp.decode(content), path)
        return found

    def _step(self, node: Any, path: bytes) -> tuple[bytes, bytes]:
        """The hash that comes next, through nodes that stand in their parents; nothing at the end."""
        while isinstance(node, list):
            if len(node) == 17:
                if not path:
                    return b"", path
                node, path = node[path[0]], path[1:]
                continue
            part, is_leaf = _read(node[0])
            if is_leaf or not path.startswith(part):
                return b"", path
            node, path = node[1], path[len(part) :]
        return node, path

    def _lay(self, pairs: Pairs) -> list[Any]:
        """The node of these paths, all different."""
        if len(pairs) == 1:
            ((path, value),) = pairs.items()
            return [_write(path, 2), value]
        shared = _share(list(pairs))
        if shared:
            rest = {path[len(shared) :]: value for path, value in pairs.items()}
            return [_write(shared, 0), self._refer(self._lay(rest))]
        branch: list[Any] = [b""] * 17
        branch[16] = pairs.get(b"", b"")
        for step in range(16):
            below = {path[1:]: value for path, value in pairs.items() if path[:1] == bytes([step])}
            if below:
                branch[step] = self._refer(self._lay(below))
        return branch

    def _refer(self, node: list[Any]) -> Any:
        content = rlp.encode(node)
        return node if len(content) < 32 else self._keep(content)

    def _keep(self, content: bytes) -> bytes:
        digest = keccak256(content)
        self.nodes[digest] = content
        return digest


def _share(paths: list[bytes]) -> bytes:
    first, last = min(paths), max(paths)
    at = 0
    while at < min(len(first), len(last)) and first[at] == last[at]:
        at += 1
    return first[:at]


def _split(key: bytes) -> bytes:
    return bytes(half for byte in key for half in (byte >> 4, byte & 15))


def _write(steps: bytes, flag: int) -> bytes:
    odd = len(steps) % 2
    halves = bytes([flag | odd]) + (b"" if odd else b"\0") + steps
    return bytes(halves[at] << 4 | halves[at + 1] for at in range(0, len(halves), 2))


def _read(part: bytes) -> tuple[bytes, bool]:
    halves = _split(part)
    return halves[1 if halves[0] & 1 else 2 :], bool(halves[0] & 2)
