"""Sends transactions of one key: one nonce sequence, fees, gas, receipts, replacements.

Signing and broadcasting are two steps on purpose. A program that must never act twice makes the signed transaction
durable in between: after a crash it broadcasts the same bytes again, which the chain applies at most once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from contracts.chain import Chain
from contracts.errors import ProviderRefused
from contracts.execution import LATEST, PENDING
from contracts.fees import FeeAboveLimit, fetch_fees
from contracts.pool import Outcome, classify
from contracts.refusals import FeeTooLow, InsufficientFunds, NonceTaken, NotMined, TransactionReverted
from contracts.state import Mined
from contracts.transactions import Call, Fees, SignedTransaction, TransactionSigner, sign_transaction
from ledger.hexadecimal import parse_hex, to_hex

GAS_MARGIN_PERCENT = 20
"""Between estimation and mining the state may change: a slot that was warm or set may not be."""

REPLACEMENT_PERCENT = 15
"""Pools want 10 % (geth, Reth, Nethermind) to 12.5 % more for a nonce they hold."""


class Sender:
    """Sends transactions of one key. Only one program may send with a key at a time. Safe to use from several threads.

    All methods raise ChainUnreachable when no answer comes.

    Args:
        chain: what it reads from and signs for: a Gateway, or any chain.
        signer: holds the key.
        most_fee: the most a unit of gas may cost, in wei, whatever the provider suggests.
        poll_seconds: pause between looks at a receipt.
        clock: monotonic seconds, for `wait`.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        chain: Chain,
        signer: TransactionSigner,
        *,
        most_fee: int = 10**13,
        poll_seconds: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.chain = chain
        self._rpc = chain.rpc
        self._signer = signer
        self._most_fee = most_fee
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_nonce = 0

    @property
    def address(self) -> bytes:
        """The sender's 20 bytes."""
        return self._signer.address

    def fetch_next_nonce(self) -> int:
        """Return the next free nonce: after everything mined or waiting in the provider's pool.

        A pool may have forgotten what was broadcast: a program with durable transactions takes the highest of its own.
        """
        return int(self._rpc.fetch("eth_getTransactionCount", to_hex(self.address), PENDING), 16)

    def fetch_mined_nonce(self) -> int:
        """Return how many transactions of this key are in blocks: every lower nonce is spent."""
        return int(self._rpc.fetch("eth_getTransactionCount", to_hex(self.address), LATEST), 16)

    def suggest_fees(self) -> Fees:
        """Return fees that the next blocks accept, never above `most_fee`.

        Raises:
            FeeAboveLimit: the chain asks for more.
        """
        return fetch_fees(self._rpc, self._most_fee)

    def sign(self, call: Call, *, nonce: int | None = None, gas: int | None = None) -> SignedTransaction:
        """Return a signed transaction; nothing is sent.

        Args:
            call: what to call.
            nonce: its place in the sequence; where None, after everything mined, pooled or signed by this object.
            gas: limit; estimated on the pending state, plus a margin, where None.

        Raises:
            TransactionReverted: the contract would refuse; no nonce is used up.
            InsufficientFunds: the sender cannot pay for gas and value.
            FeeAboveLimit: the chain asks for more than `most_fee`.
        """
        limit = self._estimate(call) if gas is None else gas
        fees = self.suggest_fees()
        self._check_funds(call, limit * fees.limit + call.value)
        with self._lock:
            place = max(self._next_nonce, self.fetch_next_nonce()) if nonce is None else nonce
            transaction = self._sign(call, place, limit, fees)
            self._next_nonce = max(self._next_nonce, place + 1)
        return transaction

    def broadcast(self, transaction: SignedTransaction) -> None:
        """Hand a signed transaction to the provider. Idempotent: known and mined ones are accepted silently.

        Raises:
            ChainUnreachable: no answer; it may have arrived: broadcast the same bytes again.
            NonceTaken: another transaction with this nonce is in a block: this one can never be mined.
            FeeTooLow: the provider wants a higher fee: `replace` it.
            InsufficientFunds: the sender cannot pay.
            ProviderRefused: for any other reason.
        """
        try:
            # Repeating is safe: the same bytes take effect once.
            self._rpc.fetch("eth_sendRawTransaction", to_hex(transaction.raw))
        except ProviderRefused as refusal:
            self._settle_refusal(transaction, refusal)

    def replace(self, transaction: SignedTransaction) -> SignedTransaction:
        """Return the same call with the same nonce at a higher fee, signed; broadcast it when the old one is stuck.

        Either may be mined, never both: keep both hashes and look for receipts of both.

        Raises:
            FeeAboveLimit: the raised fee exceeds `most_fee`.
        """
        fees = transaction.fees.raise_by(REPLACEMENT_PERCENT).at_least(self.suggest_fees())
        if fees.limit > self._most_fee:
            raise FeeAboveLimit(fees.limit, self._most_fee)
        return self._sign(transaction.call, transaction.nonce, transaction.gas, fees)

    def fetch_receipt(self, transaction_hash: bytes) -> Mined | None:
        """Return what became of a transaction, or None while it is in no block (waiting or unknown)."""
        receipt = self._rpc.fetch("eth_getTransactionReceipt", to_hex(transaction_hash))
        if receipt is None or receipt.get("blockHash") is None:
            return None
        block = int(receipt["blockNumber"], 16)
        succeeded = int(receipt["status"], 16) == 1
        return Mined(
            hash=transaction_hash,
            block=block,
            block_hash=parse_hex(receipt["blockHash"], 32),
            gas_used=int(receipt["gasUsed"], 16),
            gas_price=int(receipt.get("effectiveGasPrice", "0x0"), 16),
            revert=None if succeeded else self._find_revert(transaction_hash, block),
        )

    def wait(self, transaction_hash: bytes, timeout_seconds: float = 120.0) -> Mined:
        """Return the receipt once the transaction is in a block.

        Raises:
            NotMined: it was in no block in time.
        """
        deadline = self._clock() + timeout_seconds
        while True:
            mined = self.fetch_receipt(transaction_hash)
            if mined is not None:
                return mined
            if self._clock() >= deadline:
                raise NotMined(transaction_hash, timeout_seconds)
            self._sleep(self._poll_seconds)

    def execute(self, call: Call, *, timeout_seconds: float = 120.0) -> Mined:
        """Sign, broadcast and wait; for programs that hold nothing durable.

        Raises:
            TransactionReverted: the contract refused, before or in the block.
            NotMined: it was in no block in time.
        """
        transaction = self.sign(call)
        self.broadcast(transaction)
        mined = self.wait(transaction.hash, timeout_seconds=timeout_seconds)
        if mined.revert is not None:
            raise mined.revert
        return mined

    def _sign(self, call: Call, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        return sign_transaction(self._signer, self.chain.chain_id, nonce, call, gas, fees)

    def _estimate(self, call: Call) -> int:
        try:
            estimate = self.chain.execution.estimate_gas(call, self.address)
        except ProviderRefused as refusal:
            if classify(refusal) is Outcome.UNPAYABLE:
                balance = self.chain.fetch_balance(self.address)
                raise InsufficientFunds(self.address, call.value, balance, call.label) from None
            raise
        return estimate + estimate * GAS_MARGIN_PERCENT // 100

    def _check_funds(self, call: Call, needed: int) -> None:
        balance = self.chain.fetch_balance(self.address)
        if balance < needed:
            raise InsufficientFunds(self.address, needed, balance, call.label)

    def _settle_refusal(self, transaction: SignedTransaction, refusal: ProviderRefused) -> None:
        outcome = classify(refusal)
        if outcome is Outcome.KNOWN or self.fetch_receipt(transaction.hash) is not None:
            return
        if outcome is Outcome.NONCE_SPENT:
            raise NonceTaken(self.address, transaction.nonce, self.fetch_mined_nonce(), transaction.hash) from None
        if outcome is Outcome.FEE_TOO_LOW:
            raise FeeTooLow(transaction.hash, refusal.reason) from None
        if outcome is Outcome.UNPAYABLE:
            balance = self.chain.fetch_balance(self.address)
            raise InsufficientFunds(self.address, transaction.most_cost, balance, transaction.call.label) from None
        raise refusal

    def _find_revert(self, transaction_hash: bytes, block: int) -> TransactionReverted:
        """Run the call again on the state before its block; other transactions of the block may have mattered."""
        label = f"transaction {to_hex(transaction_hash)}"
        try:
            sent = self._rpc.fetch("eth_getTransactionByHash", to_hex(transaction_hash))
            names = {"from": "from", "to": "to", "gas": "gas", "value": "value", "input": "data"}
            request = {ours: sent[theirs] for theirs, ours in names.items() if sent[theirs] is not None}
            self.chain.execution.run(label, request, hex(block - 1))
        except TransactionReverted as revert:
            return revert
        except ProviderRefused:
            pass  # A provider that keeps no old state cannot say why.
        return TransactionReverted(label, "", {})
