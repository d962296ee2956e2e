"""What a block's hash proves of a contract: header, account and storage, from the answers of `eth_getProof` (EIP-1186).

The block's hash is the only thing taken on trust. Keys are hashed once more, as in every Ethereum state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.errors import VerificationError
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address
from ledger.trie import MalformedProof, TrieProof, decode, read_number

_LEAST_HEADER_ITEMS: Final = 15
_STATE_ROOT, _NUMBER, _TIMESTAMP = 3, 8, 11


@dataclass(frozen=True, slots=True)
class BlockHead:
    """The members of a block's header that an audit needs; `timestamp` in unix seconds."""

    hash: bytes
    number: int
    timestamp: int
    state_root: bytes

    @classmethod
    def read(cls, content: bytes, block_hash: bytes) -> BlockHead:
        """Reads a header's RLP.

        Raises:
            VerificationError: its hash is not `block_hash`.
            MalformedProof: it is no header.
        """
        got = keccak256(content)
        if got != block_hash:
            raise VerificationError("anchor", "the block header is that of another block", block_hash, got)
        items = decode(content)
        if not isinstance(items, list) or len(items) < _LEAST_HEADER_ITEMS:
            raise MalformedProof("block header", f"a list of at least {_LEAST_HEADER_ITEMS} items")
        root = items[_STATE_ROOT]
        if not isinstance(root, bytes) or len(root) != 32:
            raise MalformedProof("block header.stateRoot", "32 bytes", root)
        number = read_number(items[_NUMBER], "block header.number")
        return cls(block_hash, number, read_number(items[_TIMESTAMP], "block header.timestamp"), root)


@dataclass(frozen=True, slots=True)
class Account:
    """An account in a block's state: the root of its storage and the hash of its code."""

    storage_root: bytes
    code_hash: bytes

    @classmethod
    def find(cls, head: BlockHead, address: bytes, proof: TrieProof) -> Account:
        """Finds an account.

        Raises:
            VerificationError: the state has no such account.
            MalformedProof: the nodes do not reach it, or it is none.
        """
        content = proof.find(head.state_root, keccak256(address))
        if content is None:
            detail = f"there is no account {to_address(address)} in block {head.number}"
            raise VerificationError("trust", detail)
        items = decode(content)
        if not isinstance(items, list) or len(items) != 4:
            raise MalformedProof("account", "nonce, balance, storage root and code hash", items)
        root, code_hash = items[2], items[3]
        if not isinstance(root, bytes) or not isinstance(code_hash, bytes) or not len(root) == len(code_hash) == 32:
            raise MalformedProof("account", "a storage root and a code hash of 32 bytes", items)
        return cls(root, code_hash)

    def read_slot(self, slot: bytes, proof: TrieProof) -> int:
        """Returns the word in a storage slot (its key, 32 bytes), 0 where the state has none. Raises MalformedProof."""
        content = proof.find(self.storage_root, keccak256(slot))
        # Anvil keeps slots that were set back to zero in its trie; the word is the same.
        return 0 if content is None else read_number(decode(content), "storage slot")
