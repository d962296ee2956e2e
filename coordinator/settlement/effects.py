"""What each event of the contracts does to our jobs, rounds, nodes and claims, and how it is undone after a fork."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from sqlmodel import Session, col, select

from contracts import court_events, job_events, money_events, node_events
from contracts.abi import decode_revert
from contracts.events import Event
from contracts.gateway import Gateway
from contracts.refusals import TransactionReverted
from coordinator.context import Context
from coordinator.jobs import service as jobs
from coordinator.jobs import store as job_store
from coordinator.nodes import service as nodes
from coordinator.rounds import service as rounds
from coordinator.rounds import store as round_store
from coordinator.settlement import bonds, claims, demands
from coordinator.settlement.tables import ChainEventRow
from ledger.faults.faults import FaultKind
from ledger.hexadecimal import to_hex

_CHANGES = (
    node_events.PayoutChanged,
    node_events.Staked,
    node_events.UnstakeRequested,
    node_events.Unstaked,
    node_events.NodeSlashed,
)

_log = structlog.get_logger()


class Effects:
    """Applies and undoes events, each within the caller's transaction."""

    def __init__(self, context: Context, gateway: Gateway) -> None:
        self._context = context
        self._gateway = gateway
        self._apply: Mapping[type[Event], Callable[[Session, Any], int]] = {
            job_events.JobOpened: self._open,
            job_events.RoundPosted: self._post,
            job_events.RoundRejected: self._reject,
            job_events.RoundLapsed: self._reject,
            job_events.CloseRequested: self._request_close,
            job_events.JobClosed: self._close,
            money_events.Claimed: self._claim,
            money_events.ClaimFailed: self._fail_claim,
            money_events.BondReleased: self._release_bond,
            money_events.BondCut: self._cut_bond,
            court_events.EntryDemanded: self._demand,
            court_events.DemandAnswered: self._answer,
            court_events.PaddingShown: self._answer,
            court_events.ChallengeUpheld: self._uphold,
            node_events.NodeRegistered: self._register,
            node_events.NodeRotated: self._rotate,
            **dict.fromkeys(_CHANGES, lambda _session, _event: 0),
        }
        self._undo: Mapping[str, Callable[[Session, ChainEventRow], None]] = {
            "JobOpened": self._unopen,
            "RoundPosted": self._unpost,
            "CloseRequested": self._unrequest_close,
            "JobClosed": self._unclose,
            "Claimed": self._unclaim,
            "ClaimFailed": lambda _session, _record: None,
            "BondReleased": self._relock_bond,
            "BondCut": self._relock_bond,
            "EntryDemanded": self._undemand,
            "DemandAnswered": self._unanswer,
            "PaddingShown": self._unanswer,
            "ChallengeUpheld": lambda _session, _record: None,
            "NodeRegistered": self._unregister,
            **{kind.__name__: lambda _session, _record: None for kind in _CHANGES},
        }

    def apply(self, session: Session, event: Event) -> None:
        """Apply one event and note what would undo it; events of other people's jobs do nothing."""
        job = getattr(event, "job", None)
        apply = self._apply.get(type(event))
        if apply is None or (job is not None and job_store.find_job(session, job) is None):
            return
        session.merge(
            ChainEventRow(
                block=event.place.block,
                log_index=event.place.log_index,
                kind=type(event).__name__,
                job=job,
                round=getattr(event, "round", None),
                node=getattr(event, "node", None),
                value=apply(session, event),
                transaction=event.place.transaction,
            )
        )

    def undo(self, session: Session, record: ChainEventRow) -> None:
        """Take back what an event did; a person must look at what cannot be taken back (a closed or rejected job)."""
        undo = self._undo.get(record.kind)
        if undo is None:
            _log_standing(record)
        else:
            undo(session, record)
        session.delete(record)
        session.flush()

    def _open(self, session: Session, event: job_events.JobOpened) -> int:
        place = event.place
        jobs.mark_opened(
            session,
            event.job,
            at=self._context.now,
            block=place.block,
            block_hash=place.block_hash,
            transaction=place.transaction,
        )
        if event.terms.bond:
            bonds.note_locked(session, event.job)
        return 0

    def _unopen(self, session: Session, record: ChainEventRow) -> None:
        job = jobs.load_job(session, _known(record.job))
        bonds.forget_bond(session, job.job)
        if job.state == "running" and round_store.find_newest(session, job.job) is None:
            jobs.mark_unopened(session, job.job, at=self._context.now)
        else:
            _log.error("funding_undone", job=to_hex(job.job), rounds_sealed=job.rounds_sealed)

    def _post(self, session: Session, event: job_events.RoundPosted) -> int:
        row, place = round_store.find_round(session, event.job, event.round), event.place
        if row is None or row.header_digest != event.header_digest:
            # Only this key can post: another program uses it, or the database is older than the chain.
            _log.critical("foreign_header", job=to_hex(event.job), round=event.round, got=to_hex(event.header_digest))
            return 0
        rounds.mark_anchored(
            session,
            event.job,
            event.round,
            final_at=event.final_at,
            block=place.block,
            transaction=place.transaction,
        )
        return 0

    def _unpost(self, session: Session, record: ChainEventRow) -> None:
        row = round_store.find_round(session, _known(record.job), record.round or 0)
        if row is not None:
            rounds.mark_unanchored(session, row.job, row.round)

    def _reject(self, session: Session, event: job_events.RoundRejected | job_events.RoundLapsed) -> int:
        word = "was rejected" if isinstance(event, job_events.RoundRejected) else "lapsed without its witnesses"
        reason = f"round {event.round} {word} on chain"
        rounds.mark_rejected(session, event.job, event.round, at=self._context.now, reason=reason)
        return 0

    def _request_close(self, session: Session, event: job_events.CloseRequested) -> int:
        jobs.mark_closing(session, event.job, at=self._context.now, closes_at=event.closes_at)
        bonds.note_closes_at(session, event.job, event.closes_at)
        return 0

    def _unrequest_close(self, session: Session, record: ChainEventRow) -> None:
        _log_standing(record)
        bonds.note_closes_at(session, _known(record.job), None)

    def _close(self, session: Session, event: job_events.JobClosed) -> int:
        jobs.mark_closed(session, event.job, at=self._context.now)
        bonds.note_closed(session, event.job, is_closed=True)
        return event.refunded

    def _unclose(self, session: Session, record: ChainEventRow) -> None:
        _log_standing(record)
        bonds.note_closed(session, _known(record.job), is_closed=False)

    def _release_bond(self, session: Session, event: money_events.BondReleased) -> int:
        bonds.note_state(session, event.job, bonds.RELEASED)
        _log.info("bond_released", job=to_hex(event.job), amount=event.amount)
        return event.amount

    def _cut_bond(self, session: Session, event: money_events.BondCut) -> int:
        bonds.note_state(session, event.job, bonds.CUT)
        _log.critical("bond_cut", job=to_hex(event.job), bounty=event.bounty, burned=event.burned)
        return event.bounty + event.burned

    def _relock_bond(self, session: Session, record: ChainEventRow) -> None:
        bonds.note_state(session, _known(record.job), bonds.LOCKED)

    def _claim(self, session: Session, event: money_events.Claimed) -> int:
        rounds.mark_claimed(session, event.job, event.node, event.earned)
        claims.mark_paid(session, event.job, event.node, earned=event.earned, amount=event.amount)
        return event.earned

    def _unclaim(self, session: Session, record: ChainEventRow) -> None:
        """Undone newest first, so the node's newest remaining claim is what it has drawn."""
        job, node = _known(record.job), _known(record.node)
        others = select(ChainEventRow).where(
            ChainEventRow.kind == record.kind, ChainEventRow.job == job, ChainEventRow.node == node
        )
        drawn = [row.value or 0 for row in session.exec(others) if row is not record]
        rounds.mark_claimed(session, job, node, max(drawn, default=0))
        claims.mark_unpaid(session, job, node, earned=record.value or 0)

    def _fail_claim(self, session: Session, event: money_events.ClaimFailed) -> int:
        known = decode_revert(self._gateway.execution.interfaces.values(), event.reason)
        error, operands = known or ("an unknown error", {})
        refusal = TransactionReverted("JobLedger.claim", error, operands, event.reason)
        claims.mark_failed(session, event.job, event.node, event.round, str(refusal))
        return 0

    def _demand(self, session: Session, event: court_events.EntryDemanded) -> int:
        demands.note_demand(session, event.job, event.round, event.seq, event.answer_by)
        _log.warning("entry_demanded", job=to_hex(event.job), round=event.round, seq=event.seq, until=event.answer_by)
        return event.seq

    def _undemand(self, session: Session, record: ChainEventRow) -> None:
        demands.forget_demand(session, _known(record.job), record.round or 0, record.value or 0)

    def _answer(self, session: Session, event: court_events.DemandAnswered | court_events.PaddingShown) -> int:
        demands.note_answered(session, event.job, event.round, event.seq, is_answered=True)
        return event.seq

    def _unanswer(self, session: Session, record: ChainEventRow) -> None:
        number, seq = record.round or 0, record.value or 0
        demands.note_answered(session, _known(record.job), number, seq, is_answered=False)

    def _uphold(self, _session: Session, event: court_events.ChallengeUpheld) -> int:
        # The ledger's own events say what falls; this one says why.
        kind = FaultKind(event.fault).slug
        _log.critical("challenge_upheld", job=to_hex(event.job), round=event.round, fault=kind)
        return event.fault

    def _register(self, session: Session, event: node_events.NodeRegistered) -> int:
        nodes.mark_registered(
            session,
            node=event.node,
            operator=event.operator,
            payout=event.payout,
            at=self._context.now,
            block=event.place.block,
            transaction=event.place.transaction,
        )
        return 0

    def _unregister(self, session: Session, record: ChainEventRow) -> None:
        nodes.mark_unregistered(session, _known(record.node))

    def _rotate(self, session: Session, event: node_events.NodeRotated) -> int:
        nodes.mark_rotated(session, event.node, event.successor)
        return 0


def list_changed_nodes(events: Iterable[Event]) -> set[bytes]:
    """Nodes whose stake or payout these events changed; their state is read from the chain, whatever the order."""
    rotated = [event for event in events if isinstance(event, node_events.NodeRotated)]
    changed = {event.node for event in events if isinstance(event, _CHANGES)}
    return changed | {node for event in rotated for node in (event.node, event.successor)}


def list_undone_nodes(records: Iterable[ChainEventRow]) -> set[bytes]:
    """The same for events that a fork took back."""
    kinds = {kind.__name__ for kind in _CHANGES}
    return {_known(record.node) for record in records if record.kind in kinds}


def list_events_above(session: Session, block: int) -> list[ChainEventRow]:
    """Applied events above a block, newest first."""
    query = select(ChainEventRow).where(col(ChainEventRow.block) > block)
    return list(session.exec(query.order_by(col(ChainEventRow.block).desc(), col(ChainEventRow.log_index).desc())))


def _log_standing(record: ChainEventRow) -> None:
    """What the event did to its job stands; a person must look."""
    _log.error("event_not_undoable", kind=record.kind, transaction=to_hex(record.transaction))


def _known(value: bytes | None) -> bytes:
    if value is None:
        raise TypeError("expected the record of an event to name its job and node")
    return value
