"""Settlement, one look at a time: the only sender of transactions, run by one worker.

1. look after transactions at work; 2. apply what the chain reports; 3. make final what is final, and learn when bonds
are free; 4. send what is needed. Every step may be interrupted anywhere and repeated.
"""

from __future__ import annotations

import structlog

from contracts.challenges import CourtCalls
from contracts.deployment import ZERO_ADDRESS
from contracts.errors import ChainUnreachable
from contracts.fees import FeeAboveLimit
from contracts.gateway import Gateway
from contracts.refusals import InsufficientFunds, TransactionReverted
from contracts.sender import Sender
from contracts.state import Block
from coordinator.context import Context
from coordinator.rounds import service as rounds
from coordinator.rounds import store as round_store
from coordinator.settlement import bonds, claims, demands
from coordinator.settlement.follower import Follower
from coordinator.settlement.needs import Need, find_needs
from coordinator.settlement.outbox import DROPPED, REVERTED, Outbox, find_newest
from ledger.hexadecimal import to_hex

_RETRY_SECONDS = 30

_log = structlog.get_logger()


class Settlement:
    """What the worker drives.

    Args:
        context: the coordinator's shared parts.
        gateway: reads the chain.
    """

    def __init__(self, context: Context, gateway: Gateway) -> None:
        self._context = context
        self._gateway = gateway
        self._outbox = Outbox(context.database, gateway, Sender(gateway, context.signer), lambda: context.now)
        self._follower = Follower(context, gateway, context.settings.confirmations)
        has_court = gateway.deployment.challenge_court != ZERO_ADDRESS
        self._court = CourtCalls(gateway.deployment, gateway.execution.interfaces) if has_court else None
        self._not_before: dict[str, int] = {}
        self._reachable = True

    def look(self) -> bool:
        """One look; False when the chain gave no answer (said once, and again when it is back)."""
        try:
            # 1
            self._outbox.watch()
            # 2
            head = self._follower.advance()
            self._return_lost_claims()
            # 3
            self._finalise(head)
            self._date_bonds()
            # 4
            self._send(head.timestamp)
        except ChainUnreachable as error:
            if self._reachable:
                _log.warning("chain_unreachable", detail=str(error))
            self._reachable = False
            return False
        if not self._reachable:
            _log.info("chain_reachable", block=head.number)
        self._reachable = True
        return True

    def _finalise(self, head: Block) -> None:
        """By the chain's clock and the contract's word, in order: a round is final only if the one before is."""
        with self._context.database.read() as session:
            due = [
                row
                for row in round_store.list_rounds_in(session, ("anchored",))
                if row.final_at is not None and row.final_at <= head.timestamp
            ]
        for row in due:
            if self._gateway.fetch_is_final(row.job, row.round, head):
                with self._context.database.write() as session:
                    rounds.mark_final(session, row.job, row.round)
                _log.info("round_final", job=to_hex(row.job), round=row.round)

    def _date_bonds(self) -> None:
        """Asked once for each job that the ledger closed: what its bond still waits for no longer changes."""
        with self._context.database.read() as session:
            undated = [bond.job for bond in bonds.list_locked(session, closed=True) if bond.free_at is None]
        for job in undated:
            free_at = self._gateway.fetch_bond_free_at(job)
            with self._context.database.write() as session:
                bonds.note_free_at(session, job, free_at)

    def _send(self, now: int) -> None:
        with self._context.database.read() as session:
            needs = find_needs(session, self._gateway.calls, now)
            if self._court is not None:
                # First of all: an answer that comes too late costs the bond.
                needs = [*demands.find_answers(session, self._court, now), *needs]
        for need in needs:
            if self._not_before.get(need.subject, 0) <= self._context.now:
                self._fill(need)

    def _fill(self, need: Need) -> None:
        try:
            self._outbox.submit(need.subject, need.call, need.on_sent)
        except TransactionReverted as refusal:
            self._not_before[need.subject] = self._context.now + _RETRY_SECONDS
            _log.error("call_refused", subject=need.subject, reason=str(refusal))
            if need.on_refused is not None:
                with self._context.database.write() as session:
                    need.on_refused(session, str(refusal))
        except (InsufficientFunds, FeeAboveLimit) as shortage:
            self._not_before[need.subject] = self._context.now + _RETRY_SECONDS
            _log.error("gas_unpaid", subject=need.subject, reason=str(shortage))
            if need.on_short is not None:
                with self._context.database.write() as session:
                    need.on_short(session, f"the coordinator cannot pay the gas now: {shortage}")
        else:
            self._not_before.pop(need.subject, None)

    def _return_lost_claims(self) -> None:
        """Claims whose transaction ended without a word about them: overtaken or reverted as a whole."""
        with self._context.database.read() as session:
            sent = {claim.subject: find_newest(session, claim.subject) for claim in claims.list_sent(session)}
        lost = [subject for subject, row in sent.items() if row is None or row.state in (DROPPED, REVERTED)]
        if lost:
            with self._context.database.write() as session:
                for subject in lost:
                    claims.requeue(session, subject, "its transaction had no effect; it is sent again")
