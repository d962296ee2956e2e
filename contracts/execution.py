"""Runs contract code without a transaction: reads, gas estimates, and the reasons for which a contract refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.abi import Interface, decode_revert
from contracts.errors import ProviderRefused
from contracts.refusals import TransactionReverted
from contracts.rpc import Rpc
from contracts.state import Block
from contracts.transactions import Call
from ledger.hexadecimal import to_hex

LATEST = "latest"
PENDING = "pending"
INVALID_PARAMS = -32602

# What providers call a revert, where they do not use code 3 (geth, anvil): Nethermind, Besu, Erigon, older ones.
REVERT_WORDS = re.compile(r"revert|invalid opcode|out ?of ?gas", re.IGNORECASE)
HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class Execution:
    """Runs calls at a provider.

    Args:
        rpc: connection to the provider.
        interfaces: ABI of every contract that may be called, by Solidity name; their errors are decoded in any call.
    """

    def __init__(self, rpc: Rpc, interfaces: Mapping[str, Interface]) -> None:
        self.rpc = rpc
        self.interfaces = interfaces

    def read(
        self, contract: str, address: bytes, function: str, arguments: Sequence[object] = (), at: Block | None = None
    ) -> Any:
        """Return what a view function answers: the value itself where there is one output, else a tuple.

        Args:
            contract: Solidity name, whose interface is used.
            address: where it lives, 20 bytes.
            function: name of the function.
            arguments: structs as tuples.
            at: the block to read at; the newest where None.

        Raises:
            TransactionReverted: the contract refused.
            MalformedAnswer: no code there, or other code.
        """
        values = self.interfaces[contract].decode_result(
            function, self._ask(contract, address, function, arguments, at)
        )
        return values[0] if len(values) == 1 else values

    def read_struct(
        self, contract: str, address: bytes, function: str, arguments: Sequence[object] = (), at: Block | None = None
    ) -> dict[str, Any]:
        """Return the members by name of the struct that a view function answers; see `read`."""
        answer = self._ask(contract, address, function, arguments, at)
        return self.interfaces[contract].decode_struct(function, answer)

    def run(self, label: str, request: Mapping[str, str], block: str) -> bytes:
        """Return what a call answers.

        Raises:
            TransactionReverted: the contract refused.
        """
        try:
            return _parse_data(self.rpc.fetch("eth_call", dict(request), block)) or b""
        except ProviderRefused as refusal:
            raise self.explain(label, refusal) from None

    def _ask(
        self, contract: str, address: bytes, function: str, arguments: Sequence[object], at: Block | None
    ) -> bytes:
        calldata = self.interfaces[contract].encode_call(function, arguments)
        request = {"to": to_hex(address), "data": to_hex(calldata)}
        return self.run(f"{contract}.{function}", request, LATEST if at is None else hex(at.number))

    def estimate_gas(self, call: Call, sender: bytes) -> int:
        """Return the gas a transaction would use on top of everything that waits in the pool.

        Raises:
            TransactionReverted: the contract would refuse.
        """
        request = describe_request(call, sender)
        try:
            try:
                return int(self.rpc.fetch("eth_estimateGas", request, PENDING), 16)
            except ProviderRefused as refusal:
                if refusal.code != INVALID_PARAMS:
                    raise
                # Some chains' adaptors take no block here; they estimate on the newest one.
                return int(self.rpc.fetch("eth_estimateGas", request), 16)
        except ProviderRefused as refusal:
            raise self.explain(call.label, refusal) from None

    def explain(self, label: str, refusal: ProviderRefused) -> ProviderRefused | TransactionReverted:
        """Return the revert behind a provider's error, or the error itself where it is none."""
        data = _find_revert_data(refusal)
        if data is None and refusal.code != 3 and not REVERT_WORDS.search(refusal.reason):
            return refusal
        known = decode_revert(self.interfaces.values(), data or b"")
        error, operands = known or ("", {})
        return TransactionReverted(label, error, operands, data or b"")


def describe_request(call: Call, sender: bytes) -> dict[str, str]:
    """Return the JSON-RPC form of a call by `sender`, without gas and fees."""
    request = {"from": to_hex(sender), "data": to_hex(call.data), "value": hex(call.value)}
    return {**request, "to": to_hex(call.target)} if call.target else request


def _find_revert_data(refusal: ProviderRefused) -> bytes | None:
    """Find revert data where providers put it: `data` as hex, `data.data`, or hex at the end of a text."""
    data = refusal.data.get("data") if isinstance(refusal.data, dict) else refusal.data
    if not isinstance(data, str):
        return None
    found = HEX.search(data)
    return _parse_data(found.group()) if found else None


def _parse_data(text: object) -> bytes | None:
    return bytes.fromhex(text[2:]) if isinstance(text, str) and HEX.fullmatch(text) else None
