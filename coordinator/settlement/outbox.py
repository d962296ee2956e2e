"""The outbox: the one place from which transactions leave.

A transaction is signed, made durable, then broadcast: a crash between any two steps loses nothing and repeats nothing.

| crash | afterwards |
| --- | --- |
| before it is durable | nothing was sent; the need is still there and is signed anew, with the same nonce |
| durable, not sent | it is broadcast from its row |
| sent, not noted | it is broadcast again; the provider knows it, the chain applies it once |
| mined, not noted | its receipt is found at the next look |

A reorganisation takes a mined transaction out of its block; its bytes are broadcast again until its block is final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import structlog
from sqlmodel import Session, col, select

from contracts.errors import ProviderRefused
from contracts.gateway import Gateway
from contracts.refusals import FeeTooLow, NonceTaken
from contracts.sender import Sender
from contracts.state import Block, Mined
from contracts.transactions import Call, Fees, SignedTransaction
from coordinator.settlement.tables import TransactionRow
from coordinator.storage.database import Database
from ledger.hexadecimal import to_hex

SIGNED, MINED, SETTLED, REVERTED, DROPPED = "signed", "mined", "settled", "reverted", "dropped"
AT_WORK = (SIGNED, MINED)
STUCK_SECONDS = 60
_REPEAT_SECONDS = 10

Note: TypeAlias = Callable[[Session, bytes], None]

_log = structlog.get_logger()


class Outbox:
    """Transactions of one key, by one program.

    Args:
        database: where each is durable before it is sent.
        gateway: tells which block is final.
        sender: signs and broadcasts.
        clock: unix seconds.
    """

    def __init__(self, database: Database, gateway: Gateway, sender: Sender, clock: Callable[[], int]) -> None:
        self._database = database
        self._gateway = gateway
        self._sender = sender
        self._clock = clock
        self._looked_at: Block | None = None

    def submit(self, subject: str, call: Call, note: Note) -> None:
        """Sign, keep and send a call, unless one for this subject is at work already.

        Args:
            subject: what it is for.
            call: what is sent.
            note: is told the transaction's hash within the database transaction that keeps it.

        Raises:
            TransactionReverted: the contract would refuse; nothing was kept.
            InsufficientFunds: the key cannot pay the gas; nothing was kept.
            ChainUnreachable: no answer; what was kept is sent later.
        """
        with self._database.read() as session:
            if find_at_work(session, subject) is not None:
                return
            lowest = _next_kept_nonce(session)
        nonce = max(lowest, self._sender.fetch_next_nonce())
        signed = self._sender.sign(call, nonce=nonce)
        self._broadcast(self._keep(subject, signed, note))

    def watch(self) -> None:
        """Look after every transaction at work: note blocks, repeat what is unknown, raise the fee of what is stuck.

        What is mined waits long for its block to be final: while the head of the last look is still on the chain, so is
        everything below it, and nobody asks again.
        """
        mined_nonce = self._sender.fetch_mined_nonce()
        with self._database.read() as session:
            rows = list_at_work(session, mined_nonce)
        if not rows:
            return
        head, final = self._gateway.fetch_head(), self._gateway.fetch_final_block()
        known = range(final.number + 1, self._find_standing(head) + 1)
        # Only a look that came to its end has looked at all of them.
        self._looked_at = None
        for row in rows:
            if row.state == MINED and row.block in known:
                continue
            mined = self._sender.fetch_receipt(row.hash)
            if mined is not None:
                self._note_mined(row, mined, is_final=mined.block <= final.number)
            else:
                self._revive(row)
        self._looked_at = head

    def _find_standing(self, head: Block) -> int:
        """The number of the block up to which the chain is as it was at the last look; -1: of none that is known."""
        before = self._looked_at
        if before is None or before == head:
            return -1 if before is None else head.number
        now = self._gateway.fetch_block(before.number)
        return before.number if now is not None and now.hash == before.hash else -1

    def _revive(self, row: TransactionRow) -> None:
        """A transaction in no block: unsent, waiting, fallen out of the chain, or overtaken."""
        now = self._clock()
        if row.state != SIGNED:
            _log.warning("transaction_unmined", transaction=to_hex(row.hash), label=row.label, block=row.block)
            row = self._change(row, state=SIGNED, block=None, block_hash=None, sent_at=None)
        if row.sent_at is None or now - row.sent_at >= _REPEAT_SECONDS:
            self._broadcast(row)
        if row.sent_at is not None and now - row.signed_at >= STUCK_SECONDS and self._is_newest_of_nonce(row):
            self._replace(row)

    def _is_newest_of_nonce(self, row: TransactionRow) -> bool:
        with self._database.read() as session:
            siblings = session.exec(select(TransactionRow.id).where(TransactionRow.nonce == row.nonce)).all()
        return row.id == max(number or 0 for number in siblings)

    def _broadcast(self, row: TransactionRow) -> None:
        try:
            self._sender.broadcast(_to_signed(row, self._sender.address))
        except NonceTaken as taken:
            self._drop(row, str(taken))
        except FeeTooLow:
            self._replace(row)
        except ProviderRefused as refusal:
            _log.error("broadcast_refused", transaction=to_hex(row.hash), label=row.label, reason=str(refusal))
        else:
            self._change(row, sent_at=self._clock())

    def _replace(self, row: TransactionRow) -> None:
        """The same call and nonce at a higher fee: either may be mined, never both."""
        replacement = self._keep(row.subject, self._sender.replace(_to_signed(row, self._sender.address)), ignore)
        _log.info("transaction_replaced", transaction=to_hex(row.hash), by=to_hex(replacement.hash), label=row.label)
        self._broadcast_once(replacement)

    def _broadcast_once(self, row: TransactionRow) -> None:
        try:
            self._sender.broadcast(_to_signed(row, self._sender.address))
            self._change(row, sent_at=self._clock())
        except (NonceTaken, FeeTooLow) as refusal:
            self._drop(row, str(refusal))

    def _drop(self, row: TransactionRow, reason: str) -> None:
        """Its nonce is spent: by a replacement of its own, or by another program that uses the key."""
        _log.warning("transaction_dropped", transaction=to_hex(row.hash), label=row.label, reason=reason)
        self._change(row, state=DROPPED, reason=reason)

    def _note_mined(self, row: TransactionRow, mined: Mined, *, is_final: bool) -> None:
        if mined.revert is not None:
            _log.error("transaction_reverted", transaction=to_hex(row.hash), label=row.label, reason=str(mined.revert))
            self._change(row, state=REVERTED, block=mined.block, block_hash=mined.block_hash, reason=str(mined.revert))
            return
        state = SETTLED if is_final else MINED
        if (row.state, row.block_hash) != (state, mined.block_hash):
            if row.state == SIGNED:
                _log.info("transaction_mined", transaction=to_hex(row.hash), label=row.label, block=mined.block)
            self._change(
                row, state=state, block=mined.block, block_hash=mined.block_hash, gas_used=mined.gas_used, reason=""
            )

    def _keep(self, subject: str, signed: SignedTransaction, note: Note) -> TransactionRow:
        row = TransactionRow(
            subject=subject,
            state=SIGNED,
            hash=signed.hash,
            raw=signed.raw,
            nonce=signed.nonce,
            gas=signed.gas,
            fee_limit=signed.fees.limit,
            fee_priority=signed.fees.priority,
            target=signed.call.target,
            data=signed.call.data,
            label=signed.call.label,
            signed_at=self._clock(),
        )
        with self._database.write() as session:
            session.add(row)
            note(session, signed.hash)
        return row

    def _change(self, row: TransactionRow, **values: object) -> TransactionRow:
        with self._database.write() as session:
            kept = session.get_one(TransactionRow, row.id)
            for name, value in values.items():
                setattr(kept, name, value)
            return kept


def ignore(_session: Session, _transaction: bytes) -> None:
    """The note of those who need none."""


def find_at_work(session: Session, subject: str) -> TransactionRow | None:
    """The newest transaction at work for a subject."""
    query = select(TransactionRow).where(TransactionRow.subject == subject, col(TransactionRow.state).in_(AT_WORK))
    return session.exec(query.order_by(col(TransactionRow.id).desc())).first()


def find_newest(session: Session, subject: str) -> TransactionRow | None:
    """The transaction of a subject that counts: one in a block if there is one, else the newest."""
    query = select(TransactionRow).where(TransactionRow.subject == subject).order_by(col(TransactionRow.id).desc())
    rows = session.exec(query).all()
    return next((row for row in rows if row.state in (MINED, SETTLED)), rows[0] if rows else None)


def list_at_work(session: Session, mined_nonce: int) -> Sequence[TransactionRow]:
    """All transactions whose end is not final, in order of nonce.

    What was final or reverted is among them when the chain has spent fewer nonces than that: a deep fork took it back.
    """
    ended = col(TransactionRow.state).in_((SETTLED, REVERTED)) & (col(TransactionRow.nonce) >= mined_nonce)
    query = select(TransactionRow).where(col(TransactionRow.state).in_(AT_WORK) | ended)
    return session.exec(query.order_by(col(TransactionRow.nonce), col(TransactionRow.id))).all()


def _next_kept_nonce(session: Session) -> int:
    newest = session.exec(
        select(TransactionRow.nonce)
        .where(col(TransactionRow.state).in_(AT_WORK))
        .order_by(col(TransactionRow.nonce).desc())
    ).first()
    return 0 if newest is None else newest + 1


def _to_signed(row: TransactionRow, sender: bytes) -> SignedTransaction:
    fees = Fees(row.fee_limit, row.fee_priority)
    return SignedTransaction(
        row.hash, row.raw, sender, row.nonce, row.gas, fees, Call(row.target, row.data, 0, row.label)
    )
