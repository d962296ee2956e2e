"""An audit from end to end: chain, job, rounds one by one, money, trust.

Every round's bytes are let go before the next is fetched, so that memory is bounded by a round.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from client.auditor.checks import POPULATION_CHECKS, RECOMPUTED_CHECKS
from client.auditor.dues import Dues
from client.auditor.evidence.blobs import Blobs
from client.auditor.evidence.sources import ChainFacts, NoSuchJob, Sources
from client.auditor.payments import audit_payments
from client.auditor.population import audit_population
from client.auditor.report import Report
from client.auditor.scope import NoSuchRound, Scope, Silence, Watcher
from client.auditor.trust import audit_trust
from ledger import evidence
from ledger.errors import Malformed
from ledger.hexadecimal import parse_address
from ledger.verify.bundle import AuditedJob, History, RoundEvidence, RoundFiles
from ledger.verify.checks import ROUND_CHECKS
from ledger.verify.results import Findings, Result
from ledger.verify.rounds import verify_job, verify_round
from ledger.verify.signers import Spread

if TYPE_CHECKING:
    from client.auditor.learning.recompute import Recomputation

PROOFS_PER_ROUND = 3


def audit(job: bytes, sources: Sources, scope: Scope | None = None, watcher: Watcher | None = None) -> Report:
    """Audits a job in five steps; what is found is in the report, what could not be fetched raises.

    1. The chain: deployment, terms, anchors, claims, as of one block. 2. The job's own files. 3. Each posted round, and
    each that is signed and not posted yet: the ledger's checks, then recomputation. 4. Claims and escrow. 5. Trust.

    Raises:
        NoSuchJob, NoSuchRound: what was asked for is not on this chain.
        ChainError, TransportError, CoordinatorRefused: the chain or the evidence could not be read.
    """
    scope = scope or Scope()
    with _Run(job, sources, scope, watcher or Silence()) as run:
        # 1.
        facts = run.read_chain()
        # 2.
        audited = run.audit_job(facts)
        # 3.
        last = run.find_last(audited, facts)
        for number in range(1, last + 1):
            if not run.audit_round(audited, facts, number):
                last = number
                break
        run.answer_rounds(audited, last)
        # 4.
        run.audit_payments(audited, facts, last)
        # 5.
        run.results += audit_trust(facts, sources, audited.terms if audited else facts.terms)
        return run.report(facts, last)


@dataclass
class _Run:
    """One audit under way."""

    job: bytes
    sources: Sources
    scope: Scope
    watcher: Watcher
    results: list[Result] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    history: History | None = None
    earned: dict[tuple[bytes, int], int] = field(default_factory=dict)
    dues: Dues | None = None
    roomy: list[int] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.scope.threads)
        self._folder = TemporaryDirectory(prefix="tally-audit-")
        self._blobs = Blobs(self.sources.evidence, Path(self._folder.name), self._pool.map)
        self._recomputation: Recomputation | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    @property
    def spread(self) -> Spread:
        return self._pool.map if self.scope.threads > 1 else map

    def read_chain(self) -> ChainFacts:
        with self._measure("chain"):
            facts = self.sources.chain.read_job(self.job)
        if facts.kept is None and not facts.gap:
            raise NoSuchJob(self.job, facts)
        return facts

    def audit_job(self, facts: ChainFacts) -> AuditedJob | None:
        with self._measure("fetch"):
            files = self.sources.evidence.fetch_job(self.job)
        results, audited = verify_job(self.job, facts.domain, files, facts.at)
        self.results += results
        if audited is not None:
            self.history = History.start(audited)
            self._recomputation = self._prepare(audited)
            self.dues = Dues(audited.terms)
        return audited

    def find_last(self, job: AuditedJob | None, facts: ChainFacts) -> int:
        """The last round to audit: posted, or signed and to be posted. Of a job that has ended nothing more is."""
        most = len(facts.rounds)
        if job is not None and (facts.kept is None or not facts.kept.halted):
            with self._measure("fetch"):
                most = max(most, min(self.sources.evidence.count_rounds(self.job), job.terms.rounds))
        last = self.scope.last or most
        if last > most or (most and not 1 <= self.scope.first <= last):
            raise NoSuchRound(self.scope.first, last, most)
        self.watcher.begin(last)
        return last

    def audit_round(self, job: AuditedJob | None, facts: ChainFacts, number: int) -> bool:
        """Whether the next round is worth asking for: not after one that is not on chain and not handed out either."""
        if job is None or self.history is None:
            return True
        self.watcher.step(number, "fetching")
        with self._measure("fetch"):
            files = self.sources.evidence.fetch_round(self.job, number)
            handed_out = self._fetch_proofs(number, files)
        self.watcher.step(number, "checking")
        with self._measure("check"), _collector_paused():
            anchored = facts.rounds[number - 1].anchored if number <= len(facts.rounds) else None
            unanchored = facts.gap or f"signed, and not on chain up to block {facts.block}"
            bundle = RoundFiles(number, files, anchored, handed_out, unanchored)
            verified = verify_round(job, self.history, bundle, self.spread)
            drawn = self._audit_draw(job, facts, verified.evidence)
        self.history = verified.history
        entries = verified.evidence.entries or ()
        self.earned |= {(entry.node, number): entry.earned for entry in entries}
        results = verified.results + drawn + self._recompute(verified.evidence, files)
        if number >= self.scope.first:
            self.results += results
        if self.dues is not None:
            self.dues.follow(number, entries, self._recomputation.scores if self._recomputation else None)
        self.watcher.finish(number)
        return anchored is not None or bool(facts.gap) or evidence.HEADER in files

    def answer_rounds(self, job: AuditedJob | None, last: int) -> None:
        """What no round could answer is unknown, never silent."""
        findings = Findings(None)
        if job is None or last == 0:
            checks = (*ROUND_CHECKS, *POPULATION_CHECKS)
            findings.leave(checks, "there is no round" if job else "the job's own files cannot be relied on")
            self.results += findings.answer(checks)
        if job is None or last == 0 or self._recomputation is None:
            reason = "not asked for" if not self.scope.recompute else "there is no round to recompute"
            findings.leave(RECOMPUTED_CHECKS, reason)
            self.results += findings.answer(RECOMPUTED_CHECKS)

    def audit_payments(self, job: AuditedJob | None, facts: ChainFacts, last: int) -> None:
        terms = job.terms if job else facts.terms
        if terms is not None and terms.job_id() == self.job:
            self.results += audit_payments(facts, terms, self.earned, last)

    def report(self, facts: ChainFacts, last: int) -> Report:
        return Report(
            self.job,
            facts.domain.chain_id or 0,
            facts.domain.verifying_contract or bytes(20),
            facts.block,
            self.scope.first,
            last,
            self.scope.recompute,
            tuple(self.results),
            {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            chained=self.scope.chain,
            pending=() if facts.gap else tuple(range(len(facts.rounds) + 1, last + 1)),
            chain=facts.gap or facts.proven,
            dues=tuple(row for row in self.dues.rows if row.round >= self.scope.first) if self.dues else (),
            roomy=tuple(self.roomy),
        )

    def _audit_draw(self, job: AuditedJob, facts: ChainFacts, read: RoundEvidence) -> list[Result]:
        """Who could have been in the cohort; `history` is still that of the rounds before."""
        if self.history is None:
            return []
        posted = facts.rounds[read.round - 1].block if read.round <= len(facts.rounds) else None
        if facts.registry is None and read.draw is not None and not read.draw.drawn:
            self.roomy.append(read.round)
        return audit_population(job, self.history, read, facts.registry, posted, facts.gap)

    def _prepare(self, job: AuditedJob) -> Recomputation | None:
        if not self.scope.recompute:
            return None
        from client.auditor.learning.recompute import Recomputation  # noqa: PLC0415 -- torch takes two seconds to import

        return Recomputation(job, self._blobs)

    def _recompute(self, read: RoundEvidence, files: Mapping[str, bytes]) -> list[Result]:
        if self._recomputation is None:
            return []
        self.watcher.step(read.round, "recomputing")
        with self._measure("recompute"):
            if read.round < self.scope.first:
                self._recomputation.skip(read, files)
                return []
            return self._recomputation.recompute(read, files)

    def _fetch_proofs(self, number: int, files: Mapping[str, bytes]) -> list[bytes]:
        """What the first, the middle and the last node of a round are handed out as their entry and proof."""
        nodes = _list_nodes(files.get(evidence.ENTRIES, b""))
        chosen = sorted({0, len(nodes) // 2, len(nodes) - 1})[-PROOFS_PER_ROUND:] if nodes else []
        replies = [self.sources.evidence.fetch_entry(self.job, number, nodes[at]) for at in chosen]
        return [reply for reply in replies if reply is not None]

    @contextmanager
    def _measure(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Statements hold no cycles: looking for some among all that a large round makes took an eighth of its audit."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _list_nodes(content: bytes) -> list[bytes]:
    """The nodes that entries.json names, as far as it can be read: only to know whom to ask for."""
    try:
        return [parse_address(item["node"]) for item in json.loads(content)]
    except (ValueError, KeyError, TypeError, Malformed, RecursionError):
        return []
