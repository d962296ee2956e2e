"""Sends transactions of one key: one nonce sequence, fees, gas, receipts, replacements.

Signing and broadcasting are two steps on purpose. A program that must never act twice makes the signed transaction
durable in between: after a crash it broadcasts the same bytes again, which the chain applies at most once.
"""

from __future__ import annotations

from contracts.gateway import Gateway
from contracts.state import Mined
from contracts.transactions import Call, Fees, SignedTransaction, TransactionSigner


class Sender:
    """Sends transactions of one key. Only one program may send with a key at a time.

    All methods raise ChainUnreachable when no answer comes.

    Args:
        gateway: what it reads from, and the chain id it signs for.
        signer: holds the key.
        most_fee: the most a unit of gas may cost, in wei, whatever the provider suggests.
    """

    def __init__(self, gateway: Gateway, signer: TransactionSigner, *, most_fee: int = 10**13) -> None: ...

    @property
    def address(self) -> bytes:
        """The sender's 20 bytes."""

    def fetch_next_nonce(self) -> int:
        """Return the next free nonce: after everything mined, waiting in the provider's pool, or signed by this object."""

    def fetch_mined_nonce(self) -> int:
        """Return how many transactions of this key are in blocks: every lower nonce is spent."""

    def suggest_fees(self) -> Fees:
        """Return fees that the next blocks accept, never above `most_fee`."""

    def sign(self, call: Call, *, nonce: int | None = None, gas: int | None = None) -> SignedTransaction:
        """Return a signed transaction; nothing is sent.

        Args:
            call: what to call.
            nonce: its place in the sequence; `fetch_next_nonce` where None.
            gas: limit; estimated on the pending state, plus a margin, where None.

        Raises:
            TransactionReverted: the contract would refuse; no nonce is used up.
            InsufficientFunds: the sender cannot pay for gas and value.
        """

    def broadcast(self, transaction: SignedTransaction) -> None:
        """Hand a signed transaction to the provider. Idempotent: known and mined ones are accepted silently.

        Raises:
            ChainUnreachable: no answer; it may have arrived: broadcast the same bytes again.
            NonceTaken: another transaction with this nonce is in a block: this one can never be mined.
            FeeTooLow: the provider wants a higher fee: `replace` it.
            InsufficientFunds: the sender cannot pay.
        """

    def replace(self, transaction: SignedTransaction) -> SignedTransaction:
        """Return the same call with the same nonce at a higher fee, signed; broadcast it when the old one is stuck.

        Either may be mined, never both: look for receipts of both.
        """

    def fetch_receipt(self, transaction_hash: bytes) -> Mined | None:
        """Return what became of a transaction, or None while it is in no block (waiting or unknown)."""

    def wait(self, transaction_hash: bytes, timeout_seconds: float = 120.0, poll_seconds: float = 0.25) -> Mined:
        """Return the receipt once the transaction is in a block.

        Raises:
            NotMined: it was in no block in time.
        """

    def execute(self, call: Call, *, timeout_seconds: float = 120.0) -> Mined:
        """Sign, broadcast and wait; for programs that hold nothing durable.

        Raises:
            TransactionReverted: the contract refused, before or in the block.
        """
