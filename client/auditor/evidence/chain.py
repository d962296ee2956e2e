"""Reads a job from the chain, at one block, through the auditor's own provider."""

from __future__ import annotations

from collections.abc import Callable

from client.auditor.evidence.registry import read_registry
from client.auditor.evidence.sources import ChainFacts, KeptJob, PaidClaim, PostedRound
from client.chain import fetch_token
from contracts.gateway import Gateway
from contracts.job_events import JobOpened, RoundPosted
from contracts.money_events import Claimed
from contracts.state import Block, JobState
from ledger.verify.bundle import AnchoredRound


class LedgerChain:
    """A `ChainSource` over one deployment. Its errors are those of `contracts`.

    Args:
        gateway: the deployment.
        choose_block: which block everything is read at; the newest, where None.
        whole: whether the auditor says that nothing lies before the first block that is read.
    """

    def __init__(
        self, gateway: Gateway, choose_block: Callable[[Gateway], Block] | None = None, *, whole: bool = False
    ) -> None:
        self._gateway, self._whole = gateway, whole
        self._choose_block = choose_block or Gateway.fetch_head
        self._times: dict[int, int] = {}

    def read_job(self, job: bytes) -> ChainFacts:
        """Reads state and events up to the newest block.

        Raises:
            MalformedAnswer: events and state contradict each other, or the first block asked for is too late.
            ChainMoved: the chain reorganised while it was read.
            ChainUnreachable: no answer.
        """
        return self.read_job_at(job, self._choose_block(self._gateway))

    def read_job_at(self, job: bytes, block: Block) -> ChainFacts:
        """Reads state and events up to one block. Raises what `read_job` raises."""
        gateway = self._gateway
        state = gateway.fetch_job(job, block)
        opened = [event for event in self._fetch_events(job, block, JobOpened) if isinstance(event, JobOpened)]
        claims = [event for event in self._fetch_events(job, block, Claimed) if isinstance(event, Claimed)]
        posted = gateway.fetch_posted_rounds(job, block) if state else ()
        halted = state.halted if state else 0
        rounds = [self._read_round(event, halted, block) for event in posted]
        facts = ChainFacts(
            gateway.domain,
            block.number,
            block.timestamp,
            opened[0].terms if opened else None,
            keep_job(state) if state else None,
            gateway.fetch_account(job, block) if state else None,
            tuple(one for one, _ in rounds),
            tuple(rewards for _, rewards in rounds),
            tuple(self._read_claim(event) for event in claims),
            {node: gateway.fetch_claimed(job, node, block) for node in sorted({event.node for event in claims})},
            gateway.deployment.code_hashes["JobLedger"],
            token=fetch_token(gateway, state.token, block) if state else None,
            registry=read_registry(gateway, job, block, whole=self._whole),
        )
        gateway.verify_block(block.number, block.hash)
        return facts

    def _fetch_events(self, job: bytes, block: Block, kind: type[JobOpened | Claimed]) -> tuple[object, ...]:
        return self._gateway.fetch_events(self._gateway.deployment.block, block.number, (kind,), job)

    def _read_round(self, event: RoundPosted, halted: int, block: Block) -> tuple[PostedRound, int]:
        kept = self._gateway.fetch_round(event.job, event.round, block)
        word, rewards = (kept.anchor, kept.rewards) if kept else (bytes(32), 0)
        struck = halted != 0 and event.round >= halted
        posted_at = self._find_time(event.place.block)
        anchored = AnchoredRound(word, event.final_at, event.window_end, posted_at, struck)
        return PostedRound(event.header, anchored, event.place.block, event.place.transaction), rewards

    def _read_claim(self, event: Claimed) -> PaidClaim:
        block = event.place.block
        return PaidClaim(event.node, event.round, event.amount, event.earned, self._find_time(block), block)

    def _find_time(self, number: int) -> int:
        if number not in self._times:
            block = self._gateway.fetch_block(number)
            self._times[number] = block.timestamp if block else 0
        return self._times[number]


def keep_job(state: JobState) -> KeptJob:
    """What an audit compares of a job's state."""
    return KeptJob(
        state.requester,
        state.coordinator,
        state.token,
        state.rounds,
        state.budget_per_round,
        state.window,
        state.last_header,
        state.halted,
    )
