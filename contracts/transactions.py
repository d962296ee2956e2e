"""Transactions as bytes: what is called, what it may cost, and the signed form that any provider accepts.

EIP-1559 where the chain has a base fee, EIP-155 legacy where it has not. Hashes are made with the ledger's keccak, so a
transaction's hash is known, and can be made durable, before anything is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import rlp

from ledger.errors import MalformedSignature
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import recover

DYNAMIC_FEE = b"\x02"


class MalformedTransaction(Exception):
    """Bytes that are not a signed transaction of ours."""

    def __init__(self, raw: bytes, reason: str) -> None:
        self.raw = raw
        self.reason = reason
        super().__init__(f"expected an EIP-1559 or EIP-155 transaction, got {len(raw)} bytes that are none: {reason}")


class TransactionSigner(Protocol):
    """Holds a key that signs digests; `ledger.signatures.Signer` is one."""

    @property
    def address(self) -> bytes:
        """The 20-byte address of the key."""

    def sign(self, digest: bytes) -> bytes:
        """Return r‖s‖v over a 32-byte digest, 65 bytes, v 27 or 28."""


@dataclass(frozen=True)
class Call:
    """A call of one contract function, ready to be signed by anyone.

    Attributes:
        target: the contract, 20 bytes; empty for a deployment.
        data: calldata, or creation code.
        value: native coin sent along, in wei.
        label: contract and function, for messages.
    """

    target: bytes
    data: bytes
    value: int
    label: str


@dataclass(frozen=True)
class Fees:
    """What a unit of gas may cost, in wei; `priority` is None on chains without a base fee."""

    limit: int
    priority: int | None

    def raise_by(self, percent: int) -> Fees:
        """Return fees higher by at least one wei and that many percent, rounded up."""
        priority = None if self.priority is None else _raise(self.priority, percent)
        return Fees(_raise(self.limit, percent), priority)

    def at_least(self, other: Fees) -> Fees:
        """Return the higher of both, part by part."""
        if self.priority is None or other.priority is None:
            return Fees(max(self.limit, other.limit), self.priority)
        return Fees(max(self.limit, other.limit), max(self.priority, other.priority))


@dataclass(frozen=True)
class SignedTransaction:
    """A signed transaction: `raw` is what is broadcast, `hash` names it; the rest is what a replacement needs.

    Persist it before broadcasting: the same bytes may be broadcast any number of times and take effect once.
    """

    hash: bytes
    raw: bytes
    sender: bytes
    nonce: int
    gas: int
    fees: Fees
    call: Call

    @property
    def most_cost(self) -> int:
        """The most it can take from the sender, in wei."""
        return self.gas * self.fees.limit + self.call.value

    def __str__(self) -> str:
        return f"{self.call.label} {to_hex(self.hash)} (nonce {self.nonce} of {to_address(self.sender)})"


def sign_transaction(
    signer: TransactionSigner, chain_id: int, nonce: int, call: Call, gas: int, fees: Fees
) -> SignedTransaction:
    """Return the signed transaction; equal arguments give equal bytes, since signatures are deterministic."""
    raw = (
        _sign_legacy(signer, chain_id, nonce, call, gas, fees.limit)
        if fees.priority is None
        else _sign_dynamic(signer, chain_id, nonce, call, gas, fees.limit, fees.priority)
    )
    return SignedTransaction(keccak256(raw), raw, signer.address, nonce, gas, fees, call)


def parse_transaction(raw: bytes, label: str) -> SignedTransaction:
    """Return what persisted bytes say, so that a restarted program can go on with them; the label is not in them.

    Raises:
        MalformedTransaction: not a transaction that `sign_transaction` makes.
    """
    try:
        return _parse_dynamic(raw, label) if raw[:1] == DYNAMIC_FEE else _parse_legacy(raw, label)
    except (rlp.exceptions.RLPException, MalformedSignature, ValueError, TypeError) as error:
        raise MalformedTransaction(raw, str(error)) from None


def compute_create_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that the sender's transaction with this nonce creates."""
    return keccak256(rlp.encode([sender, nonce]))[12:]


def _sign_dynamic(
    signer: TransactionSigner, chain_id: int, nonce: int, call: Call, gas: int, limit: int, priority: int
) -> bytes:
    fields = [chain_id, nonce, priority, limit, gas, call.target, call.value, call.data, []]
    r, s, parity = _split(signer.sign(keccak256(DYNAMIC_FEE + rlp.encode(fields))))
    return DYNAMIC_FEE + bytes(rlp.encode([*fields, parity, r, s]))


def _sign_legacy(signer: TransactionSigner, chain_id: int, nonce: int, call: Call, gas: int, price: int) -> bytes:
    fields = [nonce, price, gas, call.target, call.value, call.data]
    r, s, parity = _split(signer.sign(keccak256(rlp.encode([*fields, chain_id, 0, 0]))))
    return bytes(rlp.encode([*fields, chain_id * 2 + 35 + parity, r, s]))


def _parse_dynamic(raw: bytes, label: str) -> SignedTransaction:
    fields = rlp.decode(raw[1:])
    _, nonce, priority, limit, gas, target, value, data, _, parity, r, s = fields
    sender = _recover(keccak256(DYNAMIC_FEE + rlp.encode(fields[:9])), r, s, _number(parity))
    call, fees = Call(target, data, _number(value), label), Fees(_number(limit), _number(priority))
    return SignedTransaction(keccak256(raw), raw, sender, _number(nonce), _number(gas), fees, call)


def _parse_legacy(raw: bytes, label: str) -> SignedTransaction:
    fields = rlp.decode(raw)
    nonce, price, gas, target, value, data, v, r, s = fields
    chain_id, parity = divmod(_number(v) - 35, 2)
    sender = _recover(keccak256(rlp.encode([*fields[:6], chain_id, 0, 0])), r, s, parity)
    call, fees = Call(target, data, _number(value), label), Fees(_number(price), None)
    return SignedTransaction(keccak256(raw), raw, sender, _number(nonce), _number(gas), fees, call)


def _recover(digest: bytes, r: bytes, s: bytes, parity: int) -> bytes:
    return recover(digest, r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([27 + parity]))


def _number(content: bytes) -> int:
    return int.from_bytes(content, "big")


def _split(signature: bytes) -> tuple[int, int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64] - 27


def _raise(amount: int, percent: int) -> int:
    return amount + max(1, -(-amount * percent // 100))
