"""Proofs of a contract's storage for people who will have no provider: `eth_getProof` (EIP-1186), the block's header.

What comes back is checked against the block's hash before anyone relies on it: see `ledger.block` and `ledger.trie`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import rlp

from contracts.chain import Chain
from contracts.errors import ChainError
from contracts.state import Block
from ledger.block import Account, BlockHead
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import parse_hex, to_hex
from ledger.trie import TrieProof

SLOTS_PER_REQUEST: Final = 200

# The members of a header in the order of its RLP (Yellow Paper §4.4, then EIP-1559, 4895, 4844, 4788, 7685).
_BYTES: Final = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom")
_NUMBERS: Final = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
_REST: Final = ("extraData", "mixHash", "nonce")
_LATER: Final = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
_LATER_NUMBERS: Final = frozenset({"baseFeePerGas", "blobGasUsed", "excessBlobGas"})


class ProofRefused(ChainError):
    """The provider gives no proof that fits the block."""

    def __init__(self, block: int, problem: str) -> None:
        self.block, self.problem = block, problem
        super().__init__(
            f"expected a proof of the ledger's storage in block {block}, got none that fits its hash: {problem}; "
            "try again, ask a provider that keeps this block's state, or make the bundle without a proof"
        )


@dataclass(frozen=True)
class StorageProof:
    """A block's header (RLP) and every node on the way to an account and its slots, each once, sorted."""

    header: bytes
    nodes: tuple[bytes, ...]


def fetch_proof(chain: Chain, block: Block, address: bytes, slots: Sequence[bytes]) -> StorageProof:
    """Fetches the proof of an account and these storage slots, 32 bytes each, as of a block.

    Raises:
        ProofRefused: what the provider gives does not fit the block's hash.
        ProviderRefused: the provider gives no proofs.
        ChainUnreachable: no answer.
    """
    answer: Mapping[str, Any] | None = chain.rpc.fetch("eth_getBlockByNumber", hex(block.number), False)
    try:
        header = encode_header(answer or {})
        pieces = (slots[at : at + SLOTS_PER_REQUEST] for at in range(0, len(slots), SLOTS_PER_REQUEST))
        nodes = {node for piece in pieces for node in _fetch(chain, block, address, piece)}
        proof = StorageProof(header, tuple(sorted(nodes)))
        _verify(proof, block, address, slots)
    except (VerificationError, Malformed) as error:
        raise ProofRefused(block.number, str(error)) from None
    return proof


def encode_header(answer: Mapping[str, Any]) -> bytes:
    """Returns the RLP of the header in an answer of `eth_getBlockByNumber`. Raises MalformedHex."""
    items = [_read(answer, name) for name in _BYTES]
    items += [_strip(_read(answer, name)) for name in _NUMBERS]
    items += [_read(answer, name) for name in _REST]
    later = [name for name in _LATER if answer.get(name) is not None]
    items += [_strip(_read(answer, name)) if name in _LATER_NUMBERS else _read(answer, name) for name in later]
    encoded: bytes = rlp.encode(items)
    return encoded


def _fetch(chain: Chain, block: Block, address: bytes, slots: Sequence[bytes]) -> Iterator[bytes]:
    answer = chain.rpc.fetch("eth_getProof", to_hex(address), [to_hex(slot) for slot in slots], hex(block.number))
    try:
        proofs = [answer["accountProof"], *(item["proof"] for item in answer["storageProof"])]
        nodes = [node for proof in proofs for node in proof]
    except (TypeError, KeyError) as error:
        raise ProofRefused(block.number, f"an answer of another form ({error})") from None
    return (parse_hex(node) for node in nodes)


def _verify(proof: StorageProof, block: Block, address: bytes, slots: Sequence[bytes]) -> None:
    head, nodes = BlockHead.read(proof.header, block.hash), TrieProof(proof.nodes)
    account = Account.find(head, address, nodes)
    for slot in slots:
        account.read_slot(slot, nodes)
    nodes.verify_used()


def _read(answer: Mapping[str, Any], name: str) -> bytes:
    text = answer.get(name)
    # Quantities are written without a leading zero, so that their digits can be odd.
    if isinstance(text, str) and text.startswith("0x") and len(text) % 2:
        text = "0x0" + text[2:]
    return parse_hex(text, None, f"block.{name}")


def _strip(number: bytes) -> bytes:
    return number.lstrip(b"\0")
