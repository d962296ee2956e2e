"""What a job came to: everything that may not depend on who was killed when."""

from dataclasses import dataclass

from client import calls
from ledger.hexadecimal import to_address
from tests.e2e.world import World


@dataclass(frozen=True)
class Share:
    """One node's entry in one round, without what time and order decide."""

    verdict: int
    weight: int
    score: int
    credit: int
    peak: int
    gain: int
    reward: int
    previous_round: int
    earned: int


@dataclass(frozen=True)
class Tallied:
    """One round; `shares` by node."""

    base_model: str
    next_model: str
    count: int
    total_weight: int
    total_score: int
    total_gain: int
    total_reward: int
    shares: dict[str, Share]


@dataclass(frozen=True)
class Outcome:
    """A job's tallies, and what the chain says: claimed and balance in base units by node, what was paid in all."""

    job: str
    rounds: list[Tallied]
    claimed: dict[str, int]
    balances: dict[str, int]
    posted: int
    paid: int

    def list_earned(self) -> dict[str, int]:
        """What each node has earned by the last round."""
        return {node: share.earned for node, share in self.rounds[-1].shares.items()}


def read_outcome(world: World, job: bytes) -> Outcome:
    """Reads the tallies from the coordinator and the money from the chain."""
    rounds = [_read_round(world, job, view.round) for view in world.api.fetch(calls.rounds(job))]
    state = world.gateway.fetch_job(job)
    assert state is not None
    return Outcome(
        job.hex(),
        rounds,
        {to_address(node): world.gateway.fetch_claimed(job, node) for node in world.nodes},
        {to_address(node): world.gateway.fetch_token_balance(node) for node in world.nodes},
        state.posted,
        state.paid,
    )


def _read_round(world: World, job: bytes, number: int) -> Tallied:
    header = world.api.fetch(calls.header(job, number)).header.statement
    shares = {}
    for entry in world.api.fetch(calls.entries(job, number)):
        body = entry.body
        shares[to_address(entry.node)] = Share(
            int(body.verdict),
            body.weight,
            body.score,
            body.credit,
            body.peak,
            body.gain,
            body.reward,
            body.previous_round,
            entry.earned,
        )
    return Tallied(
        header.base_model.hex(),
        header.next_model.hex(),
        header.count,
        header.total_weight,
        header.total_score,
        header.total_gain,
        header.total_reward,
        shares,
    )
