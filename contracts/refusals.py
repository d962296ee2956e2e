"""What can go wrong with a transaction: it would revert, it cannot be paid, its place is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.errors import ChainError
from ledger.hexadecimal import to_address, to_hex


class TransactionReverted(ChainError):
    """A contract refused the call, on estimation, on a read, or in a block.

    Attributes:
        label: contract and function that were called.
        error: name of the Solidity error, or "" where the revert data names none we know.
        operands: the error's operands by name; addresses and digests as bytes.
        data: the revert data.
    """

    def __init__(self, label: str, error: str, operands: Mapping[str, Any], data: bytes = b"") -> None:
        self.label = label
        self.error = error
        self.operands = dict(operands)
        self.data = data
        reason = error or (f"unknown error 0x{data.hex()}" if data else "no reason given")
        listed = ", ".join(f"{name} {_show(value)}" for name, value in self.operands.items())
        super().__init__(f"{label} was refused by the contract: {reason}" + (f" ({listed})" if listed else ""))


class InsufficientFunds(ChainError):
    """The sender cannot pay for the transaction's gas and value. Amounts in wei."""

    def __init__(self, address: bytes, needed: int, balance: int, label: str) -> None:
        self.address = address
        self.needed = needed
        self.balance = balance
        self.label = label
        super().__init__(
            f"{label} needs up to {needed} wei for gas and value, got {balance} wei at {to_address(address)}: "
            f"send native coin to that address"
        )


class NonceTaken(ChainError):
    """Another transaction of the same sender already holds this nonce in a block: this one can never be mined."""

    def __init__(self, address: bytes, nonce: int, next_nonce: int, transaction: bytes) -> None:
        self.address = address
        self.nonce = nonce
        self.next_nonce = next_nonce
        self.transaction = transaction
        super().__init__(
            f"transaction {to_hex(transaction)} has nonce {nonce}, but the next of {to_address(address)} is "
            f"{next_nonce}: another program may use the same key"
        )


class FeeTooLow(ChainError):
    """The provider wants a higher fee, for this nonce or at all: sign it again with `replace`."""

    def __init__(self, transaction: bytes, reason: str) -> None:
        self.transaction = transaction
        self.reason = reason
        super().__init__(
            f"the fee of transaction {to_hex(transaction)} is too low ({reason}): replace it with a higher one"
        )


class NotMined(ChainError):
    """A transaction was in no block when the wait ended; it may still be mined later."""

    def __init__(self, transaction: bytes, waited_seconds: float) -> None:
        self.transaction = transaction
        self.waited_seconds = waited_seconds
        super().__init__(f"transaction {to_hex(transaction)} was not mined within {waited_seconds:g} seconds")


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return to_address(value) if len(value) == 20 else to_hex(value)
    return str(value)
