"""What the maker of a bundle says of the chain, and the proof beside it: `chain/chain.json` and `chain/proof.json`.

The first holds what slots alone do not tell: when each round is final (the anchor's word proves it), who has claimed
(the sum of what was paid proves that nobody is left out), and how the token is shown (which decides nothing). The
second holds the block's header, the ledger's code and every trie node on the way to the slots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.auditor.evidence.bundle import CHAIN, PROOF
from client.money import Token
from contracts.proofs import StorageProof
from ledger import canonical
from ledger.canonical import JsonValue
from ledger.errors import MalformedJson
from ledger.hexadecimal import parse_address, parse_hex, to_address, to_hex

_KEYS: Final = frozenset({"chainId", "jobLedger", "block", "blockHash", "rounds", "claimants", "token"})
_FOLDER: Final = "chain"


@dataclass(frozen=True, slots=True)
class SaidChain:
    """`chain/chain.json`. `final_at` and `blocks` are by round from 1, in unix seconds and block numbers."""

    chain_id: int
    job_ledger: bytes
    block: int
    block_hash: bytes
    final_at: tuple[int, ...]
    blocks: tuple[int, ...]
    claimants: tuple[bytes, ...]
    token: Token | None

    def to_bytes(self) -> bytes:
        """The file, canonical."""
        rounds = [{"finalAt": str(at), "block": block} for at, block in zip(self.final_at, self.blocks, strict=True)]
        token = None if self.token is None else {"decimals": self.token.decimals, "symbol": self.token.symbol}
        return canonical.encode(
            {
                "chainId": self.chain_id,
                "jobLedger": to_address(self.job_ledger),
                "block": self.block,
                "blockHash": to_hex(self.block_hash),
                "rounds": rounds,
                "claimants": [to_address(node) for node in self.claimants],
                "token": token,
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> SaidChain:
        """Raises Malformed."""
        value = canonical.decode(content, require_canonical=True)
        if not isinstance(value, dict) or set(value) != _KEYS:
            raise MalformedJson(CHAIN, f"expected an object with {sorted(_KEYS)}")
        rounds, claimants = _read_list(value["rounds"]), _read_list(value["claimants"])
        places = [_read_object(item, "finalAt", "block") for item in rounds]
        return cls(
            _read_natural(value["chainId"]),
            parse_address(value["jobLedger"]),
            _read_natural(value["block"]),
            parse_hex(value["blockHash"], 32),
            tuple(_read_decimal(place["finalAt"]) for place in places),
            tuple(_read_natural(place["block"]) for place in places),
            tuple(parse_address(node) for node in claimants),
            _read_token(value["token"]),
        )


def encode_proof(proof: StorageProof, code: bytes) -> bytes:
    """`chain/proof.json`."""
    nodes = [to_hex(node) for node in proof.nodes]
    return canonical.encode({"header": to_hex(proof.header), "code": to_hex(code), "nodes": nodes})


def decode_proof(content: bytes) -> tuple[StorageProof, bytes]:
    """Reads `chain/proof.json`: the proof, and the ledger's code. Raises Malformed."""
    value = _read_object(canonical.decode(content, require_canonical=True), "header", "code", "nodes")
    nodes = tuple(parse_hex(node) for node in _read_list(value["nodes"]))
    if list(nodes) != sorted(set(nodes)):
        raise MalformedJson(PROOF, "expected sorted nodes, each once")
    return StorageProof(parse_hex(value["header"]), nodes), parse_hex(value["code"])


def _read_list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise MalformedJson(_FOLDER, f"expected a list, got {type(value).__name__}")
    return value


def _read_object(value: JsonValue, *keys: str) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise MalformedJson(_FOLDER, f"expected an object with {', '.join(keys)}")
    return value


def _read_natural(value: JsonValue) -> int:
    if type(value) is not int or value < 0:
        raise MalformedJson(_FOLDER, f"expected a whole number, got {value!r}")
    return value


def _read_decimal(value: JsonValue) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal() or len(value) > 20:
        raise MalformedJson(_FOLDER, f"expected a decimal string, got {value!r}")
    number = int(value)
    if str(number) != value or number >= 1 << 64:
        raise MalformedJson(_FOLDER, f"expected a decimal string below 2^64, got {value!r}")
    return number


def _read_token(value: JsonValue) -> Token | None:
    if value is None:
        return None
    fields = _read_object(value, "decimals", "symbol")
    decimals, symbol = _read_natural(fields["decimals"]), fields["symbol"]
    plain = isinstance(symbol, str) and symbol.isascii() and symbol.isprintable() and len(symbol) <= 20
    if decimals > 36 or not isinstance(symbol, str) or not plain:
        raise MalformedJson(_FOLDER, f"expected a token's decimals and symbol, got {value!r}")
    return Token(decimals, symbol)
