"""The sources of an audit over a simulated job: its files as played or changed, a chain that holds its anchors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from client.auditor.evidence.registry import Registry
from client.auditor.evidence.sources import ChainFacts, KeptJob, PaidClaim, PostedRound, Sources
from contracts.events import Event, Place
from contracts.node_events import NodeRegistered
from contracts.state import AccountState, Block
from ledger.entry import Entry
from ledger.verify.bundle import JobFiles, RoundFiles
from tests.simulated.job import OPENED_BLOCK, SimulatedJob, hash_block


@dataclass
class SimulatedEvidence:
    """Hands out a job's files. Change `job_files`, `rounds` and `blobs` to hand out others; None hands out none."""

    job_files: JobFiles
    rounds: dict[int, RoundFiles]
    blobs: dict[bytes, bytes]
    replies: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    def fetch_job(self, job: bytes) -> JobFiles:
        assert job
        return self.job_files

    def count_rounds(self, job: bytes) -> int:
        assert job
        return len(self.rounds)

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        assert job
        return self.rounds[number].files

    def fetch_file(self, job: bytes, number: int, name: str) -> bytes | None:
        return self.rounds[number].files.get(name) if job else None

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        return self.replies.get((number, node)) if job else None

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        self.asked.append(digest)
        content = self.blobs.get(digest)
        return content if content is None or len(content) <= limit_bytes else None


@dataclass
class SimulatedChain:
    """Answers with facts that were made before."""

    facts: ChainFacts

    def read_job(self, job: bytes) -> ChainFacts:
        assert job
        return self.facts


def make_evidence(job: SimulatedJob) -> SimulatedEvidence:
    """Everything as it was played."""
    rounds = {played.bundle.round: played.bundle for played in job.rounds}
    return SimulatedEvidence(job.job_files(), rounds, dict(job.blobs))


def make_facts(job: SimulatedJob, claims: Sequence[PaidClaim] = ()) -> ChainFacts:
    """What a chain holds on which every round was posted and is final."""
    rounds = tuple(_post(job, played.bundle) for played in job.rounds)
    rewards = [played.tally.totals.reward for played in job.rounds]
    sums = tuple(sum(rewards[: number + 1]) for number in range(len(rewards)))
    paid = sum(claim.amount for claim in claims)
    claimed = {node: sum(one.amount for one in claims if one.node == node) for node in {c.node for c in claims}}
    return ChainFacts(
        job.domain,
        1_000,
        job.as_of,
        job.terms,
        make_kept(job),
        make_account(job, sum(rewards), paid),
        rounds,
        sums,
        tuple(claims),
        claimed,
        registry=make_registry(job),
    )


def make_registry(job: SimulatedJob, more: Sequence[Event] = ()) -> Registry:
    """A registry whose nodes were all registered in the block before the job was opened; `more` happened later."""
    registered = [
        NodeRegistered(make_place(OPENED_BLOCK - 1, at), node.address, b"\x01" * 20, b"\x02" * 20)
        for at, node in enumerate(job.nodes)
    ]
    return Registry((*registered, *more), (OPENED_BLOCK, hash_block(OPENED_BLOCK)), partial(_find_block, job), 1_000)


def make_place(block: int, log_index: int = 0) -> Place:
    """Where an event lies on the chain that never was."""
    return Place(block, hash_block(block), bytes(32), log_index)


def _find_block(job: SimulatedJob, number: int) -> Block | None:
    """Every block lies 120 seconds after the one before, as rounds do."""
    at = job.setting.opened_at + 120 * (number - OPENED_BLOCK - 1)
    return Block(number, hash_block(number), hash_block(number - 1), at)


def make_sources(job: SimulatedJob, claims: Sequence[PaidClaim] = ()) -> Sources:
    """Honest sources over an honest chain."""
    return Sources(make_evidence(job), SimulatedChain(make_facts(job, claims)))


def claim(job: SimulatedJob, number: int, seq: int, before: int = 0) -> PaidClaim:
    """A claim of the entry `seq` of a round by a node that had drawn `before`, an hour after the round was final."""
    entry: Entry = job.rounds[number - 1].tally.entries[seq]
    anchored = job.rounds[number - 1].bundle.anchored
    assert anchored is not None
    return PaidClaim(entry.node, number, entry.earned - before, entry.earned, anchored.final_at + 3600, 900)


def make_kept(job: SimulatedJob) -> KeptJob:
    """The ledger's slots of a job."""
    terms = job.terms
    return KeptJob(
        terms.requester,
        terms.coordinator,
        terms.token,
        terms.rounds,
        terms.budget_per_round,
        terms.window,
        job.parent,
    )


def make_account(job: SimulatedJob, earned: int, paid: int) -> AccountState:
    """Where the escrow of a running job is."""
    funded = job.terms.rounds * job.terms.budget_per_round
    return AccountState(funded, paid, earned - paid, funded - earned, 0, 0)


def strike(facts: ChainFacts, first: int) -> ChainFacts:
    """The same chain with the rounds from `first` on struck."""
    rounds = tuple(
        replace(posted, anchored=replace(posted.anchored, struck=number >= first))
        for number, posted in enumerate(facts.rounds, start=1)
    )
    return replace(facts, rounds=rounds)


def _post(job: SimulatedJob, bundle: RoundFiles) -> PostedRound:
    assert bundle.anchored is not None
    posted_in = OPENED_BLOCK + bundle.round + 1
    return PostedRound(job.rounds[bundle.round - 1].header.statement, bundle.anchored, posted_in, bytes(32))
