"""The exchange of promises for one node: what the journal kept is sent, what comes back is checked and kept.

Each step may be killed at any line and repeated: the same bytes go out, the same answers come back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

from client import calls
from client.errors import ClientError, CoordinatorRefused
from client.identity import AsyncIdentity
from client.node.jobs.promises import verify_closing, verify_receipt
from client.node.records.journal import Kept
from client.node.work.contribution import Remembered
from client.node.work.host import Host
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import parse_hex, to_address, to_hex
from ledger.statements import Receipt, Signed
from ledger.wire import ClosingView

SEND_AGAIN = frozenset({"NotOpened", "NotClosedYet"})
"""Refusals of a payload that change nothing: its bytes were torn on the way, or another replica lags behind."""


class WalletElsewhere(ClientError):
    """The coordinator holds a contribution of our key that this machine never signed."""

    def __init__(self, node: bytes, job: bytes, round_number: int, theirs: str) -> None:
        self.node, self.job, self.round, self.theirs = node, job, round_number, theirs
        super().__init__(
            f"the coordinator holds contribution {theirs} of node {to_address(node)} for round {round_number} of job "
            f"{to_hex(job)}, which is not in this journal: another machine uses the same key, or this journal is "
            "an old copy; stop one of the two before it costs the stake"
        )


class ReceiptRefused(ClientError):
    """A receipt that breaks a rule; it is kept as evidence, and the job gets nothing more from this process."""

    def __init__(self, contribution: bytes, problem: VerificationError) -> None:
        self.contribution, self.problem = contribution, problem
        super().__init__(f"the receipt for contribution {to_hex(contribution)} is refused: {problem}")


class Exchange:
    """Sends and opens one node's contributions."""

    def __init__(self, host: Host, identity: AsyncIdentity) -> None:
        self._host, self._identity = host, identity
        self._journal = host.journal
        self._keeping: asyncio.Future[None] | None = None
        self.refusal = ""
        """Why the last contribution that was sent was refused: the error's name, empty where it was taken."""

    async def commit(self, kept: Kept) -> Kept:
        """Sends a prepared contribution and keeps the checked receipt; returns the row as it then stands.

        The receipt may still be on its way to the disk, until `settle`: a crash before that only asks for it again.

        Raises:
            ReceiptRefused: the receipt breaks a rule; the row has ended.
            WalletElsewhere: another contribution of this key came first.
        """
        job = await self._host.book.fetch_job(kept.job)
        remembered, self.refusal = Remembered.of(kept), ""
        try:
            receipt = await self._identity.api.fetch(calls.send_contribution(kept.request))
        except CoordinatorRefused as error:
            return await self._settle_refusal(kept, error)
        text = json.dumps(receipt.to_json()).encode()
        bounds = job.bounds(self._host.rules.slack_seconds)
        try:
            verify_receipt(
                receipt, remembered.statement, remembered.work, bounds, self._host.book.authority, int(self._host.now())
            )
        except VerificationError as error:
            detail = f"receipt refused: {error}"
            await self._write(lambda: self._journal.mark_ended(kept.contribution, detail, receipt=text))
            raise ReceiptRefused(kept.contribution, error) from None
        self._keeping = asyncio.ensure_future(self._keep_receipt(kept, text, receipt.statement.seq))
        return replace(kept, state="receipted", receipt=text)

    async def settle(self) -> None:
        """Waits until the last receipt is durable. Raises JournalUnusable."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            await keeping

    async def reveal(self, kept: Kept, view: ClosingView) -> Kept:
        """Checks the closing, keeps it, sends the payload; returns the row as it then stands.

        Raises:
            VerificationError: the closing breaks a rule; nothing left this machine.
        """
        remembered = Remembered.of(kept)
        receipt = remembered.receipt
        payload = self._journal.load_payload(kept.contribution)
        if receipt is None or payload is None:
            return kept
        self._verify(view, receipt, remembered)
        text = json.dumps(view.closing.to_json()).encode()
        await self._write(lambda: self._journal.keep_closing(kept.contribution, text))
        opening = kept.opening
        call = calls.send_payload(kept.contribution, payload, opening.salt, opening.vector_commitment)
        try:
            await self._identity.fetch(call)
        except CoordinatorRefused as error:
            if error.error in SEND_AGAIN:
                self._host.log("payload_refused", **self._facts(kept), reason=str(error), then="sending it again")
                return self._reload(kept)
            return await self._end(kept, str(error))
        await self._write(lambda: self._journal.mark_revealed(kept.contribution))
        self._host.log("payload_revealed", **self._facts(kept), bytes=len(payload))
        return self._reload(kept)

    async def _keep_receipt(self, kept: Kept, text: bytes, seq: int) -> None:
        await self._write(lambda: self._journal.keep_receipt(kept.contribution, text))
        self._host.log("contribution_receipted", **self._facts(kept), seq=seq)

    def _verify(self, view: ClosingView, receipt: Signed[Receipt], remembered: Remembered) -> None:
        verify_closing(
            view.closing,
            view.contributions,
            receipt.statement,
            remembered.work,
            self._host.book.authority,
            int(self._host.now()),
        )
        if remembered.closing is not None and remembered.closing.statement != view.closing.statement:
            raise VerificationError(
                "two-closings", "the coordinator signed two closings of this round", got=_describe(view)
            )

    async def _settle_refusal(self, kept: Kept, error: CoordinatorRefused) -> Kept:
        self.refusal, first = error.error, error.operands.get("first")
        ended = await self._end(kept, str(error))
        if error.error == "AlreadyContributed" and isinstance(first, str) and not _is_same(first, kept.contribution):
            raise WalletElsewhere(kept.node, kept.job, kept.round, first)
        return ended

    async def _end(self, kept: Kept, detail: str) -> Kept:
        await self._write(lambda: self._journal.mark_ended(kept.contribution, detail))
        self._host.log("contribution_ended", **self._facts(kept), reason=detail)
        return self._reload(kept)

    async def _write(self, change: Callable[[], None]) -> None:
        await self._host.journal_thread.run(change)

    def _reload(self, kept: Kept) -> Kept:
        return self._journal.find(kept.node, kept.job, kept.round) or kept

    @staticmethod
    def _facts(kept: Kept) -> dict[str, object]:
        return {"node": to_address(kept.node), "job": to_hex(kept.job), "round": kept.round}


def _describe(view: ClosingView) -> str:
    return f"closed at {view.closing.statement.closed_at} with {view.closing.statement.count} contributions"


def _is_same(text: str, contribution: bytes) -> bool:
    try:
        return parse_hex(text, 32) == contribution
    except Malformed:
        return False
