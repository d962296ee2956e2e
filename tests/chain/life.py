"""A job's life on a chain, driven through the gateway as requester, coordinator and nodes would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contracts.calls import ClaimItem
from contracts.escrow import deposit_bond, open_job
from contracts.gateway import Gateway
from contracts.job_events import RoundPosted
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.commitment import extend_accumulator, start_accumulator
from ledger.entry import Standing, Verdict
from ledger.hashing import keccak256
from ledger.signatures import Signer
from ledger.statements import Acceptance, Registration, RoundHeader, Signed, Terms
from ledger.tally import Judgement, Tally, compute_tally
from tests.chain.fixtures import Party

NAT = 2**40
BUDGET = 10**21
WINDOW = 5
FAR = 2**40


def name_node(number: int) -> Signer:
    """The key of a node by its number."""
    return Signer(keccak256(b"node %d" % number))


@dataclass
class JobLife:
    """One job and all that its coordinator knows of it.

    Attributes:
        token_holder: has all tokens.
        requester, coordinator: with native coin.
        tallies: of the posted rounds, by number.
    """

    gateway: Gateway
    token_holder: Party
    requester: Party
    coordinator: Party
    rounds: int = 3
    nonce: int = 1
    tallies: dict[int, Tally] = field(default_factory=dict)
    headers: dict[int, RoundHeader] = field(default_factory=dict)
    standings: dict[bytes, Standing] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        return Terms(
            spec_digest=keccak256(b"spec"),
            requester=self.requester.address,
            coordinator=self.coordinator.address,
            token=self.gateway.deployment.tally_token,
            rounds=self.rounds,
            budget_per_round=BUDGET,
            price_per_nat=10 * BUDGET,
            window=WINDOW,
            anchor_seconds=60,
            bond=5 * BUDGET,
            min_stake=0,
            witnesses=bytes(32),
            threshold=0,
            nonce=self.nonce,
        )

    @property
    def job(self) -> bytes:
        return self.terms.job_id()

    def issue_acceptance(self, deadline: int = FAR) -> Signed[Acceptance]:
        return Signed.issue(Acceptance(self.job, deadline), self.gateway.domain, self.coordinator.signer)

    def open(self) -> None:
        """Give both sides tokens, deposit the bond, open the job."""
        for party, amount in ((self.requester, self.rounds * BUDGET), (self.coordinator, 5 * BUDGET)):
            self.token_holder.sender.execute(self.gateway.calls.transfer(party.address, amount))
        deposit_bond(self.gateway, self.coordinator.sender, 5 * BUDGET)
        open_job(self.gateway, self.requester.sender, self.terms, self.issue_acceptance())

    def register(self, node: Signer, payout: bytes) -> Call:
        """The call that registers a node whose operator is the requester."""
        registration = Registration(node.address, self.requester.address, payout, FAR)
        signed = Signed.issue(registration, self.gateway.registry_domain, node)
        return self.gateway.calls.register(registration, signed.signature)

    def seal(self, scores: Mapping[bytes, int]) -> RoundHeader:
        """Tally the next round: a score for each node, in that order."""
        number = len(self.tallies) + 1
        parent = self.headers[number - 1].digest(self.gateway.domain) if number > 1 else self.job
        accumulator = start_accumulator(self.job, number, parent)
        judgements = []
        for node, score in scores.items():
            digest = keccak256(node + b"%d" % number)
            accumulator = extend_accumulator(accumulator, digest)
            # What the signatures sign is not the chain's concern until an entry is challenged.
            judgements.append(Judgement(node, digest, keccak256(digest), Verdict.ACCEPTED, 1, score))
        terms = self.terms
        tally = compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, self.standings, number)
        now = self.gateway.fetch_head().timestamp
        header = RoundHeader(
            job=self.job,
            round=number,
            parent=parent,
            base_model=keccak256(b"model %d" % (number - 1)),
            next_model=keccak256(b"model %d" % number),
            entries_root=tally.tree().root,
            accumulator=accumulator,
            count=len(tally.entries),
            total_weight=tally.totals.weight,
            total_score=tally.totals.score,
            total_gain=tally.totals.gain,
            total_reward=tally.totals.reward,
            aggregate=bytes(32),
            evidence=keccak256(b"evidence"),
            beacon=bytes(32),
            opened_at=now,
            closed_at=now,
        )
        self.tallies[number], self.headers[number] = tally, header
        self.standings |= tally.standings()
        return header

    def post_call(self, number: int) -> Call:
        """The call that posts a sealed round."""
        tally = self.tallies[number]
        last = tally.entries[-1]
        return self.gateway.calls.post_round(self.headers[number], last, tally.tree().proof(last.seq))

    def post(self, scores: Mapping[bytes, int]) -> RoundPosted:
        """Seal and post the next round; the event that reported it."""
        header = self.seal(scores)
        mined = self.coordinator.sender.execute(self.post_call(header.round))
        (event,) = self.gateway.fetch_events(mined.block, mined.block, (RoundPosted,), self.job)
        assert isinstance(event, RoundPosted)
        return event

    def claim_items(self, number: int) -> list[ClaimItem]:
        """Every entry of a round with its proof."""
        tree = self.tallies[number].tree()
        return [ClaimItem(entry, tree.proof(entry.seq)) for entry in self.tallies[number].entries]

    def claim_all(self, number: int, anchor: Anchor) -> Call:
        return self.gateway.calls.claim_many(self.job, number, anchor, self.claim_items(number))


Parties = Callable[[int], Party]


def begin(gateway: Gateway, parties: Parties, rounds: int = 3) -> JobLife:
    """An opened job of accounts 0 (holds the tokens), 1 (requester) and 2 (coordinator)."""
    life = JobLife(gateway, parties(0), parties(1), parties(2), rounds)
    life.open()
    return life
