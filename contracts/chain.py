"""One chain, whatever contracts live on it: its id, its blocks, its accounts."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Self

from contracts.abi import MalformedAnswer
from contracts.artifacts import load_interfaces
from contracts.errors import ChainMoved, NoProvider, ProviderRefused, WrongChain
from contracts.execution import LATEST, Execution
from contracts.rpc import Rpc
from contracts.state import Block
from ledger.hexadecimal import parse_hex, to_hex

QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
MOST_DECIMALS = 36
"""Decimals beyond which amounts do not fit into the 128 bits of the protocol."""


class Chain:
    """Reads a chain. Safe to use from several threads; every method blocks.

    All methods raise ChainUnreachable when no answer comes after all retries.

    Args:
        rpc: connection to the provider; closed by `close`.
        chain_id: the id the chain must have; `verify` asks for it.
        final_depth: how many blocks deep is final, on a chain that does not say so itself.
    """

    def __init__(self, rpc: Rpc, chain_id: int, *, final_depth: int = 32) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self.execution = Execution(rpc, load_interfaces())
        self._final_depth = final_depth

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.rpc.close()

    def verify(self) -> None:
        """Verify that the provider serves the chain that is meant.

        Raises:
            WrongChain: it serves another one.
        """
        got = fetch_chain_id(self.rpc)
        if got != self.chain_id:
            raise WrongChain(self.chain_id, got)

    def fetch_head(self) -> Block:
        """Return the newest block; its timestamp is the chain's clock."""
        head = self._fetch_block(LATEST)
        if head is None:
            raise MalformedAnswer("the newest block", "a block", "none")
        return head

    def fetch_final_block(self) -> Block:
        """Return the newest block that no reorganisation removes, by the chain's word or else `final_depth` deep."""
        try:
            final = self._fetch_block("finalized")
        except ProviderRefused:
            final = None
        if final is not None:
            return final
        head = self.fetch_head()
        return self._fetch_block(hex(max(0, head.number - self._final_depth))) or head

    def fetch_block(self, number: int) -> Block | None:
        """Return the block with this number, or None where the chain is shorter."""
        return self._fetch_block(hex(number))

    def verify_block(self, number: int, block_hash: bytes) -> None:
        """Verify that a block read before is still on the chain.

        Raises:
            ChainMoved: the chain reorganised: what was read at or after this block must be read again.
        """
        block = self.fetch_block(number)
        if block is None or block.hash != block_hash:
            raise ChainMoved(number, to_hex(block_hash), "no such block" if block is None else to_hex(block.hash))

    def fetch_balance(self, address: bytes, at: Block | None = None) -> int:
        """Return an address's native coin, in wei."""
        return int(self.rpc.fetch("eth_getBalance", to_hex(address), _tag(at)), 16)

    def fetch_code(self, address: bytes, number: int | None = None) -> bytes:
        """Return the code at an address, empty where there is none; now, or as of a block by its number.

        Raises:
            ProviderRefused: the provider keeps no state of so old a block.
        """
        return parse_hex(self.rpc.fetch("eth_getCode", to_hex(address), LATEST if number is None else hex(number)))

    def fetch_decimals(self, token: bytes) -> int:
        """Return by how many decimals a token's whole unit differs from its base unit, as it says of itself.

        Raises:
            TransactionReverted, MalformedAnswer: it says no such thing, or more than anyone can mean.
        """
        decimals = int(self.execution.read("TallyToken", token, "decimals"))
        if decimals > MOST_DECIMALS:
            raise MalformedAnswer(f"decimals of token {to_hex(token)}", f"at most {MOST_DECIMALS}", str(decimals))
        return decimals

    def _fetch_block(self, tag: str) -> Block | None:
        block: dict[str, Any] | None = self.rpc.fetch("eth_getBlockByNumber", tag, False)
        if block is None:
            return None
        number, timestamp = int(block["number"], 16), int(block["timestamp"], 16)
        return Block(number, parse_hex(block["hash"], 32), parse_hex(block["parentHash"], 32), timestamp)


def fetch_chain_id(rpc: Rpc) -> int:
    """Return the id of the chain that a provider serves.

    Raises:
        NoProvider: something else answers there.
    """
    try:
        answer = rpc.fetch("eth_chainId")
    except ProviderRefused as refusal:
        raise NoProvider(rpc.url, f"a refusal ({refusal.reason})") from None
    if not isinstance(answer, str) or QUANTITY.fullmatch(answer) is None:
        raise NoProvider(rpc.url, repr(answer)[:80])
    return int(answer, 16)


def _tag(at: Block | None) -> str:
    return LATEST if at is None else hex(at.number)
