"""One node: asks for work, trains, commits, keeps its receipt, reveals, keeps its entry. See DESIGN §3.

What it must not forget goes through the journal first; after a kill at any line, `resume` and the next poll go on.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import structlog

from client import calls
from client.entries import read_entry, verify_contribution
from client.errors import CoordinatorRefused, TransportMangled, TransportOverflow
from client.identity import AsyncIdentity
from client.node.data.sources import NoSamples, PlatformSilent, Source
from client.node.data.vouching import NoVoucher, obtain_voucher
from client.node.jobs.book import Job
from client.node.records.journal import Kept
from client.node.work.contribution import prepare_contribution
from client.node.work.display import Phase
from client.node.work.exchange import Exchange, ReceiptRefused, WalletElsewhere
from client.node.work.host import FEW_NODES, Host
from client.node.work.idling import Idling
from client.node.work.limits import find_limit
from client.node.work.meter import Meter
from client.node.work.stale import StaleMoves
from client.node.work.training import Trained, TrainingFailed, Work, describe_work
from ledger.entry import Verdict
from ledger.errors import Malformed, VerificationError
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import Signer
from ledger.verdicts import describe_verdict
from ledger.wire import ClosingView, CommitAssignment, EntryView, RevealAssignment

HEARTBEAT_SECONDS = 20.0
"""How often a node that trains for long says that it is there: rounds wait for nodes heard within a minute."""

LONGEST_PAUSE_SECONDS = 120.0
OPEN_STATES = ("committing", "revealing")

PASSING = (CoordinatorRefused, TransportMangled, TransportOverflow)
"""What a coordinator may answer today and not tomorrow: a node waits and asks again."""


def _name(work: CommitAssignment | RevealAssignment | None) -> tuple[bytes, int]:
    """Job and round of an assignment; zeros where there was none yet."""
    return (bytes(32), 0) if work is None else (work.job, work.round)


class Agent:
    """A node in a process; many agents share a host.

    Args:
        host: what they share.
        signer: this node's hot key.
        source: its data.
        token_bytes: draws salts.
    """

    def __init__(
        self, host: Host, signer: Signer, source: Source, token_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self.host, self.node, self._signer, self._source = host, signer.address, signer, source
        self.rounds = 0
        self._api = host.create_api(host.url)
        self._identity = AsyncIdentity(self._api, signer, host.pin.chain_id, host.now)
        self._exchange = Exchange(host, self._identity)
        self._stale = StaleMoves(host.book)
        self._meter = Meter(self._identity, all_phases=host.nodes <= FEW_NODES)
        self._token_bytes = token_bytes
        self._collecting: asyncio.Task[None] | None = None
        self._halted: dict[bytes, str] = {}
        self._declined: tuple[bytes, int, str] | None = None
        self._pause_seconds = host.rules.pause_seconds
        self._idling = Idling(host, self.node, self._collect)

    async def run(self) -> None:
        """Works until the rules' number of rounds is done.

        Raises:
            WalletElsewhere, JournalUnusable, MalformedSpec and other errors that only a person can mend.
        """
        try:
            await self.resume()
            self.host.display.show(self.node, "waiting")
            while self.host.rules.rounds is None or self.rounds < self.host.rules.rounds:
                await self.step()
            await self._settle()
        finally:
            await self._meter.close()

    async def resume(self) -> None:
        """Finishes what was under way when the process ended, as far as the rounds still allow it."""
        for kept in self.host.journal.find_unfinished(self.node):
            try:
                await self._look_after(kept)
            except (*PASSING, VerificationError, ReceiptRefused) as error:
                self._tell("contribution_left", kept.job, kept.round, problem=str(error))

    async def step(self) -> None:
        """Polls once and does what comes up."""
        work: CommitAssignment | RevealAssignment | None = None
        try:
            self._idling.note_poll()
            work = await self._identity.fetch(calls.assignment(self.host.rules.wait_seconds))
            await self._settle()
            if work is None:
                self.host.display.show(self.node, "waiting")
                await self._idling.spend()
                return
            self._idling.end()
            kept = self.host.journal.find(self.node, work.job, work.round)
            if isinstance(work, CommitAssignment):
                await self._commit(work, kept)
            else:
                await self._reveal(work, kept)
        except ReceiptRefused as error:
            # A coordinator that signs such receipts gets no more work for this job from this process.
            self._halted[_name(work)[0]] = str(error)
            await self._pause(*_name(work), str(error))
        except (*PASSING, VerificationError) as error:
            # What does not verify is not acted on. All of this is looked at again: clocks move, replicas catch up.
            await self._pause(*_name(work), str(error))

    async def _commit(self, work: CommitAssignment, kept: Kept | None) -> None:
        obstacle = await self._find_obstacle(work, kept)
        if obstacle is not None:
            await self._pause(work.job, work.round, obstacle)
            return
        try:
            kept = kept or await self._prepare(work)
        except (NoSamples, NoVoucher, PlatformSilent, TrainingFailed, Malformed) as error:
            await self._pause(work.job, work.round, str(error))
            return
        await self._send(kept)
        self._collecting = asyncio.ensure_future(self._collect(work.job, work.round - 1))

    async def _send(self, kept: Kept) -> Kept:
        with self._meter.phase(kept.job, kept.round, "commit"):
            kept = await self._exchange.commit(kept)
        self._stale.settle(kept, self._exchange)
        self._show("committed" if kept.state == "receipted" else "waiting", kept.job, kept.round)
        return kept

    async def _find_obstacle(self, work: CommitAssignment, kept: Kept | None) -> str | None:
        """Why nothing is sent for this assignment now; None when something is."""
        if work.job in self._halted:
            return self._halted[work.job]
        if kept is not None:
            ended = kept.detail or f"this round's contribution is {kept.state} already"
            return None if kept.state == "prepared" else ended
        return await find_limit(self.host, self.node, work)

    async def _prepare(self, work: CommitAssignment) -> Kept:
        """Trains, with the assignment checked meanwhile, then signs; durable when done. Raises NoSamples, NoVoucher."""
        job = await self.host.book.fetch_job(work.job)
        check = asyncio.ensure_future(self.host.book.verify_assignment(job, work))
        try:
            self._show("pulling", work.job, work.round, job.title)
            with self._meter.phase(work.job, work.round, "pull"):
                await self._source.refresh()
                voucher = await obtain_voucher(self._source.fetch_voucher, job, work.round, self.node, self.host.pin)
                model = await self.host.models.fetch(work.base_model)
            trained = await self._stale.take(job, work) or await self._learn(job, work, model, check)
            await check
        finally:
            check.cancel()
        if trained.samples < 1:
            raise NoSamples("the task")
        domain, now, draw = self.host.pin.domain, int(self.host.now()), self._token_bytes
        kept = prepare_contribution(trained, work, self._signer, domain, voucher, token_bytes=draw, now=now)
        await self.host.journal_thread.run(lambda: self.host.journal.keep(kept, trained.payload))
        return kept

    async def _learn(self, job: Job, work: CommitAssignment, model: bytes, check: asyncio.Future[None]) -> Trained:
        """Trains; stops before that where the assignment was found to be false."""
        if check.done():
            check.result()
        self._show("training", work.job, work.round, job.title)
        with self._meter.phase(work.job, work.round, "train") as phase:
            read, readers = self._source.read, self.host.readers
            trained = await self._train(describe_work(work, self.node, job.spec, model, read, readers))
            phase.seconds, phase.cpu_seconds = trained.seconds, trained.cpu_seconds
        return self._stale.keep(job, work, trained)

    async def _train(self, work: Work) -> Trained:
        """Trains, and says now and then that we are still there."""
        training = asyncio.ensure_future(self.host.train(work))
        while not training.done():
            await asyncio.wait([training], timeout=HEARTBEAT_SECONDS)
            if not training.done():
                with suppress(*PASSING):  # what is refused here is refused again where it matters
                    await self._identity.fetch(calls.assignment(0))
        return training.result()

    async def _reveal(self, work: RevealAssignment, kept: Kept | None) -> None:
        if kept is None or kept.contribution != work.contribution:
            raise WalletElsewhere(self.node, work.job, work.round, to_hex(work.contribution))
        if kept.state == "prepared":
            kept = await self._send(kept)
        if kept.state not in ("receipted", "closed"):
            await self._pause(work.job, work.round, kept.detail or f"this round's contribution is {kept.state} already")
            return
        self._show("revealing", work.job, work.round)
        view = ClosingView(closing=work.closing, contributions=work.contributions)
        with self._meter.phase(work.job, work.round, "reveal"):
            kept = await self._exchange.reveal(kept, view)
        if kept.state == "closed":
            await self._pause(work.job, work.round, "the payload did not arrive as it was sent")
            return
        self.rounds += 1
        self._show("revealed", work.job, work.round)

    async def _look_after(self, kept: Kept) -> None:
        """Takes up a contribution that an earlier process left unfinished."""
        if kept.state == "prepared":
            kept = await self._send(kept)
        if kept.state == "closed":
            # The coordinator may have it: then it says so again, whatever became of the round since.
            await self._exchange.reveal(kept, await self._api.fetch(calls.closing(kept.job, kept.round)))
        elif kept.state == "receipted":
            state = (await self._api.fetch(calls.round_view(kept.job, kept.round))).state
            if state not in OPEN_STATES:
                detail = f"this node did not run when payloads were asked for; the round is {state} now"
                await self.host.journal_thread.run(lambda: self.host.journal.mark_ended(kept.contribution, detail))

    async def _collect(self, job: bytes, round_number: int) -> None:
        """Keeps our entry of a round, once; it is what we are paid by."""
        kept = self.host.journal.find(self.node, job, round_number)
        if kept is None or kept.receipt is None or self.host.archive.has_entry(self.node, job, round_number):
            return
        try:
            await self._keep_entry(kept, await self.host.book.fetch_entry(job, round_number, self.node))
        except (*PASSING, VerificationError) as error:
            self._tell("entry_missing", job, round_number, problem=str(error))

    async def _settle(self) -> None:
        """Waits for what was begun on the side. Raises JournalUnusable."""
        collecting, self._collecting = self._collecting, None
        if collecting is not None:
            await collecting
        await self._exchange.settle()

    async def _keep_entry(self, kept: Kept, view: EntryView) -> None:
        try:
            entry = read_entry(view, self.host.pin, kept.job, kept.round, self.node)
            verify_contribution(entry, kept.contribution)
        except (Malformed, VerificationError) as error:
            self._tell("entry_refused", kept.job, kept.round, problem=str(error))
            return
        await self.host.journal_thread.run(lambda: self.host.archive.keep_entry(self.node, kept.job, kept.round, view))
        self.host.log(
            "entry_kept",
            node=to_address(self.node),
            job=to_hex(kept.job),
            round=kept.round,
            verdict=describe_verdict(entry.body.verdict),
            reward=str(entry.body.reward),
            earned=str(entry.earned),
        )
        if entry.body.verdict == Verdict.UNREVEALED and kept.state == "revealed":
            self._tell("called_unrevealed", kept.job, kept.round, problem="the coordinator had taken our payload")

    async def _pause(self, job: bytes, round_number: int, reason: str) -> None:
        """Waits before the same assignment is looked at again; the reason is said once while it lasts."""
        self._show("paused", job, round_number, reason)
        if self._declined != (job, round_number, reason):
            self._declined, self._pause_seconds = (job, round_number, reason), self.host.rules.pause_seconds
            self._tell("assignment_declined", job, round_number, problem=reason)
        await asyncio.sleep(self._pause_seconds)
        # Growing pauses: a node that cannot help must not look present, or every round would wait for it.
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def _show(self, phase: Phase, job: bytes, round_number: int, note: str = "") -> None:
        self.host.display.show(self.node, phase, job=job, round_number=round_number, note=note)

    def _tell(self, event: str, job: bytes, round_number: int, **facts: str) -> None:
        structlog.get_logger().warning(event, node=to_address(self.node), job=to_hex(job), round=round_number, **facts)
