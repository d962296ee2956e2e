"""The job book: terms, spec and history of each job, fetched once for all nodes of a process and checked before use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from client import calls
from client.api import AsyncApi
from client.errors import CoordinatorRefused
from client.node.jobs.promises import Authority, Bounds, verify_assignment
from client.node.records.archive import Archive
from client.node.records.database import DatabaseThread
from client.pins import Pin
from ledger.entry import Entry
from ledger.errors import VerificationError
from ledger.spec import JobSpec
from ledger.statements import RoundHeader, Signed, Terms
from ledger.tree import PaddedTree
from ledger.wire import CommitAssignment, EntryView, HeaderView

BOUNTY_DIVISOR = 10
"""A cut bond pays a tenth to the challenger, the rest is burned (`Limits.sol`)."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job whose id, terms, spec and acceptance agree."""

    job: bytes
    title: str
    terms: Terms
    spec: JobSpec

    def bounds(self, slack_seconds: int) -> Bounds:
        """What a receipt of this job may promise."""
        spec = self.spec
        return Bounds(
            spec.cohort.places, spec.commit_seconds, spec.reveal_seconds, self.terms.anchor_seconds, slack_seconds
        )

    def count_covered(self) -> int:
        """How many rounds' budgets the burned part of the bond outweighs: so many may wait for their anchor."""
        burned = self.terms.bond - self.terms.bond // BOUNTY_DIVISOR
        return burned // max(1, self.terms.budget_per_round)


class AnchorReader(Protocol):
    """Looks at the chain whether a round's anchor is what its header says."""

    def is_anchored(self, header: Signed[RoundHeader], final_at: int) -> bool:
        """Never raises: a chain that cannot be asked has not answered yes."""


class JobBook:
    """What the nodes of a process know about jobs, headers and anchors of one coordinator."""

    def __init__(
        self,
        api: AsyncApi,
        pin: Pin,
        archive: Archive,
        journal_thread: DatabaseThread,
        chain: AnchorReader | None,
        *,
        whole_rounds: bool,
    ) -> None:
        self._api, self._pin, self._archive = api, pin, archive
        self._thread, self._chain = journal_thread, chain
        self.authority = Authority(pin.domain, pin.coordinator)
        self._jobs: dict[bytes, Job] = {}
        self._checked: set[tuple[bytes, int, bytes, bytes]] = set()
        self._whole_rounds = whole_rounds
        self._tally: tuple[bytes, int, dict[bytes, Entry], PaddedTree] | None = None
        self._lock = asyncio.Lock()

    async def fetch_job(self, job_id: bytes) -> Job:
        """The job, checked.

        Raises:
            VerificationError: job-id, acceptance-signature, spec-digest, or terms that name another coordinator.
        """
        async with self._lock:
            if job_id not in self._jobs:
                self._jobs[job_id] = await self._fetch_job(job_id)
            return self._jobs[job_id]

    async def verify_assignment(self, job: Job, work: CommitAssignment) -> None:
        """Checks that the assignment continues the job's one history, whose last header comes with it or is fetched.

        Raises:
            VerificationError: it does not, or another header of that round was seen before.
        """
        key = (work.job, work.round, work.parent, work.base_model)
        async with self._lock:
            if key in self._checked:
                return
            previous = work.previous
            if previous is None and work.round > 1:
                previous = (await self._fetch_header(job.job, work.round - 1)).header
            start = (job.job, job.spec.initial_model)
            verify_assignment(work, start, previous, self.authority)
            if previous is not None:
                await self._keep(previous)
            self._checked.add(key)

    async def refresh_anchors(self, job_id: bytes, rounds: Sequence[int]) -> None:
        """Looks which of these rounds are anchored by now: the newest one that is vouches for those before it."""
        async with self._lock:
            for number in reversed(rounds):
                view = await self._fetch_header_or_none(job_id, number)
                if view is not None and await self._is_anchored(view):
                    done = [earlier for earlier in rounds if earlier <= number]
                    await self._thread.run(lambda done=done: self._archive.mark_anchored(job_id, done))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                    return

    async def fetch_entry(self, job_id: bytes, number: int, node: bytes) -> EntryView:
        """A node's entry in a sealed round, not checked yet; many nodes share one download of all entries.

        Raises:
            CoordinatorRefused: the round is not sealed yet, or holds no entry of the node.
        """
        if not self._whole_rounds:
            return await self._api.fetch(calls.entry(job_id, number, node))
        async with self._lock:
            if self._tally is None or self._tally[:2] != (job_id, number):
                entries = await self._api.fetch(calls.entries(job_id, number))
                tree = PaddedTree([entry.leaf() for entry in entries])
                self._tally = (job_id, number, {entry.node: entry for entry in entries}, tree)
            known, tree = self._tally[2:]
        if node not in known:
            return await self._api.fetch(calls.entry(job_id, number, node))
        view = await self._fetch_kept_header(job_id, number)
        return EntryView(entry=known[node].to_json(), proof=tree.proof(known[node].seq), header=view, anchor=None)

    async def fetch_base_model(self, job_id: bytes, number: int) -> bytes:
        """The base model of a sealed round, as its signed header names it.

        Raises:
            VerificationError: the header is not the coordinator's, or not this round's.
            CoordinatorRefused: there is none.
        """
        signed = await self._fetch_kept_header(job_id, number)
        self.authority.verify("header-signature", signed)
        head = signed.statement
        if (head.job, head.round) != (job_id, number):
            raise VerificationError("header-signature", "the header is of another round", number, head.round)
        return head.base_model

    async def _fetch_kept_header(self, job_id: bytes, number: int) -> Signed[RoundHeader]:
        kept = await self._thread.run(lambda: self._archive.find_header(job_id, number))
        return kept or (await self._fetch_header(job_id, number)).header

    async def _fetch_job(self, job_id: bytes) -> Job:
        view = await self._api.fetch(calls.job(job_id))
        terms = view.terms
        _compare("job-id", "the terms are those of another job", job_id, terms.job_id())
        _compare("job-id", "the acceptance is for another job", job_id, view.acceptance.statement.job)
        self.authority.verify("acceptance-signature", view.acceptance)
        _compare("terms", "the terms name another coordinator", self._pin.coordinator, terms.coordinator)
        spec = await self._api.fetch(calls.spec(job_id))
        _compare("spec-digest", "the spec is not the one the terms name", terms.spec_digest, spec.digest())
        return Job(job_id, spec.title, terms, spec)

    async def _fetch_header(self, job_id: bytes, number: int) -> HeaderView:
        return await self._api.fetch(calls.header(job_id, number))

    async def _fetch_header_or_none(self, job_id: bytes, number: int) -> HeaderView | None:
        try:
            return await self._fetch_header(job_id, number)
        except CoordinatorRefused as error:
            if error.status in (404, 409):
                return None
            raise

    async def _keep(self, header: Signed[RoundHeader]) -> None:
        digest = header.statement.digest(self._pin.domain)
        await self._thread.run(lambda: self._archive.keep_header(digest, header))

    async def _is_anchored(self, view: HeaderView) -> bool:
        """Whether the header is signed, the one we know, and on chain as far as anyone can tell us."""
        if view.anchor is None:
            return False
        self.authority.verify("header-signature", view.header)
        await self._keep(view.header)
        if self._chain is None:
            return True
        return await asyncio.to_thread(self._chain.is_anchored, view.header, view.anchor.final_at)


def _compare(check: str, detail: str, expected: bytes, got: bytes) -> None:
    if expected != got:
        raise VerificationError(check, detail, expected, got)
