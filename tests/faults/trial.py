"""One job, one victim, struck at five moments of the first round and once more while claims are paid.

The gate and the provider make each moment last; a moment is asserted before the blow, and that the coordinator lost
nothing of it afterwards. 1. the round is open, everyone's contribution is on its way; 2. one contribution is in, its
receipt is not; 3. one payload is in, its answer is not; 4. the tally is being computed; 5. the round is on chain, and
the coordinator does not know; 6. so are claims.
"""

from typing import Protocol

import psutil

from client import calls
from ledger.hexadecimal import to_hex
from ledger.wire import RoundView
from tests.chain.provider import Request as RpcRequest
from tests.e2e.gate import Barrier, Request, wait_until
from tests.e2e.programs import Program, ProgramFailed
from tests.e2e.world import FLEET_NODES, World

ROUNDS = 2
RULES = {"rounds": ROUNDS, "scoringRule": "by-weight", "pricePerNat": "33.333333333333333333"}
_SEND = "eth_sendRawTransaction"


class Victim(Protocol):
    """What is struck. `hits` counts the blows."""

    hits: int

    def strike(self) -> None:
        """Kills it and starts it again, or cuts it off and joins it again."""

    def strike_claim(self, claims: list[Program]) -> list[Program]:
        """The same while claims are on their way; returns the claims to wait for."""


class Trial:
    """Runs one job in a world, with blows at the victim; with none, undisturbed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._node = world.start_node()
        self._fleet = world.start_fleet()
        world.wait_joined()

    @property
    def node(self) -> Program:
        """Node A's process."""
        return self._node

    @property
    def fleet(self) -> Program:
        """The fleet's process."""
        return self._fleet

    def run_undisturbed(self) -> bytes:
        """The job from opening to claims; returns its id."""
        job = self._world.create_job(RULES)
        self._world.wait_final(job, ROUNDS)
        self._world.claim_all()
        return job

    def run(self, victim: Victim) -> bytes:
        """The same with blows; returns the job's id."""
        contributions = self._world.gate.hold("POST", "/v1/contributions")
        job = self._world.create_job(RULES)
        self._strike_before_commitment(job, victim, contributions)
        self._strike_at_commitment(job, victim, contributions)
        payloads = self._world.gate.hold("PUT", "/v1/contributions/")
        contributions.lift()
        self._strike_at_reveal(job, victim, payloads)
        self._strike_at_tally(job, victim, payloads)
        self._strike_at_posting(job, victim)
        self._world.wait_final(job, ROUNDS)
        self._strike_at_claims(job, victim)
        return job

    def _strike_before_commitment(self, job: bytes, victim: Victim, contributions: Barrier) -> None:
        contributions.wait_for(_anyone, len(self._world.nodes))
        self._expect(job, "committing", committed=0)
        victim.strike()
        self._wait_nodes_back(contributions, robbed=0)
        self._expect(job, "committing", committed=0)

    def _strike_at_commitment(self, job: bytes, victim: Victim, contributions: Barrier) -> None:
        contributions.rob(contributions.wait_for(self._is_from_a, 1)[0])
        self._expect(job, "committing", committed=1)
        victim.strike()
        self._wait_nodes_back(contributions, robbed=1)
        self._expect(job, "committing", committed=1)

    def _strike_at_reveal(self, job: bytes, victim: Victim, payloads: Barrier) -> None:
        payloads.wait_for(_anyone, len(self._world.nodes))
        first = self._world.api.fetch(calls.closing(job, 1)).contributions[0]
        kills, fleet_kills = self._node.kills, self._fleet.kills

        def is_from_a(request: Request) -> bool:
            return to_hex(first) in request.path

        payloads.rob(payloads.wait_for(is_from_a, 1)[0])
        self._expect(job, "revealing", committed=len(self._world.nodes), revealed=1)
        victim.strike()
        payloads.wait_for(is_from_a, self._node.kills - kills)
        sendings = 1 + self._fleet.kills - fleet_kills
        payloads.wait_for(lambda request: not is_from_a(request), sendings * FLEET_NODES)
        self._expect(job, "revealing", committed=len(self._world.nodes), revealed=1)

    def _strike_at_tally(self, job: bytes, victim: Victim, payloads: Barrier) -> None:
        child = self._find_compute_child()
        if child is not None:
            child.suspend()
        payloads.lift()
        if child is None:
            # A worker of its own starts the child for its first tally: it is still importing when we find it.
            wait_until("a compute child", lambda: self._find_compute_child() is not None)
            child = self._find_compute_child()
            assert child is not None
            child.suspend()
        wait_until("a tally", lambda: self._look(job).state == "tallying")
        owner = self._world.worker.process.pid
        self._cut_chain_after_sending()
        victim.strike()
        child.resume()
        if self._world.worker.process.pid != owner:
            # Its parent is gone: it must not outlive it.
            wait_until("the end of the orphaned compute child", lambda: _has_ended(child), 30)

    def _strike_at_posting(self, job: bytes, victim: Victim) -> None:
        provider, gateway = self._world.provider, self._world.gateway
        wait_until("a sent round", lambda: provider.silent)
        wait_until("round 1 on chain", lambda: gateway.fetch_round(job, 1) is not None)
        assert self._look(job).state == "sealed"
        victim.strike()
        assert self._look(job).state == "sealed"
        self._join_chain()

    def _strike_at_claims(self, job: bytes, victim: Victim) -> None:
        provider, gateway = self._world.provider, self._world.gateway
        # Else the transaction that closes the job, or that releases its bond, would be the next.
        wait_until(
            "a released bond", lambda: (state := gateway.fetch_job(job)) is not None and state.closed and not state.bond
        )
        self._cut_chain_after_sending()
        claims = self._world.start_claims()
        wait_until("a sent claim", lambda: provider.silent)
        wait_until("a claim on chain", lambda: any(gateway.fetch_claimed(job, node) for node in self._world.nodes))
        claims = victim.strike_claim(claims)
        self._join_chain()
        for claim in claims:
            _finish(claim)

    def _cut_chain_after_sending(self) -> None:
        """The next transaction arrives; its answer, and all after it, do not."""
        provider = self._world.provider

        def fall_silent(request: RpcRequest) -> None:
            if request["method"] == _SEND:
                provider.silent = True

        provider.lose_replies = {_SEND}
        provider.fault = fall_silent

    def _join_chain(self) -> None:
        provider = self._world.provider
        provider.fault, provider.lose_replies, provider.silent = lambda _: None, set(), False

    def _expect(self, job: bytes, state: str, **facts: int) -> None:
        view = self._look(job)
        seen = {"state": view.state, **{name: getattr(view, name) for name in facts}}
        assert seen == {"state": state, **facts}

    def _look(self, job: bytes) -> RoundView:
        view = self._world.look(job, 1)
        assert view is not None
        return view

    def _wait_nodes_back(self, barrier: Barrier, robbed: int) -> None:
        """Killed nodes send what they had signed once more; of A's requests `robbed` have gone through."""
        barrier.wait_for(self._is_from_a, 1 + self._node.kills - robbed)
        sendings = 1 + self._fleet.kills
        barrier.wait_for(lambda request: not self._is_from_a(request), sendings * FLEET_NODES)

    def _is_from_a(self, request: Request) -> bool:
        return self._world.node_a.hex() in request.body.decode().lower()

    def _find_compute_child(self) -> psutil.Process | None:
        children = psutil.Process(self._world.worker.process.pid).children()
        return next((child for child in children if "coordinator.compute" in child.cmdline()), None)


def _anyone(_: Request) -> bool:
    return True


def _finish(claim: Program) -> None:
    """A command gives up on a coordinator that stays away for long, and says so: then a person asks again."""
    try:
        claim.wait()
    except ProgramFailed as failure:
        if "does not answer" not in str(failure):
            raise
        claim.start_again()
        claim.wait()


def _has_ended(process: psutil.Process) -> bool:
    # Where nobody waits for orphans, they stay as zombies.
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
