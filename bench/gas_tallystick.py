"""What our operations cost on chain at a round's size: a job of two rounds, posted, proven and claimed as in life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.gas_stand import TOKEN, Claimants, Costs, Stand, name_node, name_payout
from contracts.artifacts import load_artifact
from contracts.calls import ClaimItem
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.hashing import keccak256
from ledger.statements import Acceptance, Contribution, Receipt, Registration, RoundHeader, Signed, Terms
from ledger.tally import Judgement, Tally, Verdict, compute_signatures_digest, compute_tally
from ledger.tree import PaddedTree

NAT = 2**40
WINDOW_SECONDS = 600
ANCHOR_SECONDS = 86_400
FAR = 2**40


def measure(stand: Stand, count: int) -> Costs:
    """Returns gas by operation for rounds of `count` contributions; the chain is as before afterwards."""
    spend = stand.stranger.spend
    claimants = Claimants.among(count)
    with stand.undone():
        costs: Costs = {}
        terms = open_job(stand, count, costs)
        _register(stand, terms, claimants)
        first, costs["anchor, first round"] = post_round(stand, terms, claimants)
        second, costs["anchor, later round"] = post_round(stand, terms, claimants, first)
        costs["prove one contribution"] = spend(second.prove(stand))
        costs["proof words"] = second.tree.depth
        stand.move_clock(second.anchor.final_at)
        with stand.undone():
            costs["claim, first"] = max(spend(first.claim(stand, seq)) for seq in claimants.singles)
            costs["claim, repeat"] = max(spend(second.claim(stand, seq)) for seq in claimants.singles)
        costs["ten claims, first"] = spend(first.claim_many(stand, claimants.ten))
        costs["ten claims, repeat"] = spend(second.claim_many(stand, claimants.ten))
        return costs


def open_job(stand: Stand, count: int, costs: Costs) -> Terms:
    """Opens a job whose two rounds pay about one token a node, and adds what that costs."""
    calls = stand.gateway.calls
    ledger = stand.gateway.deployment.job_ledger
    budget = count * TOKEN
    terms = Terms(
        spec_digest=keccak256(b"spec"),
        requester=stand.requester.address,
        coordinator=stand.coordinator.address,
        token=stand.token,
        rounds=2,
        budget_per_round=budget,
        price_per_nat=10 * budget,
        window=WINDOW_SECONDS,
        anchor_seconds=ANCHOR_SECONDS,
        bond=5 * budget,
        min_stake=0,
        witnesses=bytes(32),
        threshold=0,
        nonce=1,
    )
    for party, amount in ((stand.requester, 2 * budget), (stand.coordinator, terms.bond)):
        stand.holder.spend(calls.transfer(party.address, amount))
        party.spend(calls.approve(ledger, amount))
    stand.coordinator.spend(calls.deposit_bond(terms.bond))
    acceptance = Signed.issue(Acceptance(terms.job_id(), FAR), stand.gateway.domain, stand.coordinator.signer)
    costs["open a job"] = stand.requester.spend(calls.open_job(terms, FAR, acceptance.signature))
    return terms


@dataclass(frozen=True)
class PostedRound:
    """A round on the chain.

    Attributes:
        exhibit: all that proves one of its contributions (Solidity: Exhibit, without anchor, entry and proof).
    """

    header: RoundHeader
    tally: Tally
    tree: PaddedTree
    anchor: Anchor
    exhibit: SignedPair

    def claim(self, stand: Stand, seq: int) -> Call:
        """Returns the claim of one entry."""
        return stand.gateway.calls.claim(self.header.job, self.header.round, self.anchor, self._item(seq))

    def claim_many(self, stand: Stand, seqs: Sequence[int]) -> Call:
        """Returns one claim of many entries."""
        items = [self._item(seq) for seq in seqs]
        return stand.gateway.calls.claim_many(self.header.job, self.header.round, self.anchor, items)

    def prove(self, stand: Stand) -> Call:
        """Returns the call that proves the signed contribution to whoever asks on chain."""
        pair = self.exhibit
        seq = pair.receipt.statement.seq
        entry = self.tally.entries[seq]
        exhibit = (
            self.anchor.values(),
            (entry.seq, entry.node, entry.earned, entry.body.values()),
            self.tree.proof(seq),
            pair.contribution.statement.values(),
            pair.contribution.signature,
            pair.receipt.statement.values(),
            pair.receipt.signature,
        )
        ledger = load_artifact("JobLedger").interface
        data = ledger.encode_call("verifyContribution", [exhibit])
        return Call(stand.gateway.deployment.job_ledger, data, 0, "JobLedger.verifyContribution")

    def _item(self, seq: int) -> ClaimItem:
        return ClaimItem(self.tally.entries[seq], self.tree.proof(seq))


@dataclass(frozen=True)
class SignedPair:
    """A contribution and the receipt for it."""

    contribution: Signed[Contribution]
    receipt: Signed[Receipt]


def post_round(
    stand: Stand, terms: Terms, claimants: Claimants, before: PostedRound | None = None
) -> tuple[PostedRound, int]:
    """Posts the next round of a job; returns it and the gas that took.

    One contribution is signed by both sides, as all are in life; of the others the chain sees a leaf at most, so any
    words do for what they sign.
    """
    number = 1 if before is None else before.header.round + 1
    parent = terms.job_id() if before is None else before.header.digest(stand.gateway.domain)
    count = terms.budget_per_round // TOKEN
    pair = _sign_pair(stand, terms, number, parent, claimants.singles[-1])
    judgements = [_judge(number, seq) for seq in range(count)]
    judgements[claimants.singles[-1]] = _judge_pair(stand, pair)
    standings = {} if before is None else before.tally.standings()
    tally = compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, standings, number)
    tree = tally.tree()
    header = _head(stand, terms, number, parent, tally, tree)
    last = tally.entries[-1]
    gas = stand.coordinator.spend(stand.gateway.calls.post_round(header, last, tree.proof(last.seq)))
    posted = stand.gateway.fetch_posted_round(header.job, number)
    assert posted is not None, "a posted round has its event"
    return PostedRound(header, tally, tree, posted.anchor, pair), gas


def _register(stand: Stand, terms: Terms, claimants: Claimants) -> None:
    for seq in claimants.ten:
        node = name_node(seq)
        registration = Registration(node.address, terms.requester, name_payout(seq), FAR)
        signed = Signed.issue(registration, stand.gateway.registry_domain, node)
        stand.stranger.spend(stand.gateway.calls.register(registration, signed.signature))


def _sign_pair(stand: Stand, terms: Terms, number: int, parent: bytes, seq: int) -> SignedPair:
    domain, node = stand.gateway.domain, name_node(seq)
    contribution = Contribution(
        job=terms.job_id(),
        round=number,
        node=node.address,
        parent=parent,
        base_model=keccak256(b"model %d" % (number - 1)),
        commitment=keccak256(b"commitment"),
        samples=640,
        report=keccak256(b"report"),
    )
    now = stand.gateway.fetch_head().timestamp
    receipt = Receipt(
        job=terms.job_id(),
        round=number,
        seq=seq,
        node=node.address,
        contribution=contribution.digest(domain),
        accumulator=keccak256(b"accumulator %d" % number),
        received_at=now,
        anchor_by=now + ANCHOR_SECONDS,
    )
    return SignedPair(
        Signed.issue(contribution, domain, node), Signed.issue(receipt, domain, stand.coordinator.signer)
    )


def _judge(number: int, seq: int) -> Judgement:
    digest = keccak256(b"contribution %d %d" % (number, seq))
    return Judgement(name_node(seq).address, digest, keccak256(digest), Verdict.ACCEPTED, 640, _score(seq))


def _judge_pair(stand: Stand, pair: SignedPair) -> Judgement:
    receipt = pair.receipt.statement
    signatures = compute_signatures_digest(pair.contribution.signature, pair.receipt.signature)
    return Judgement(
        receipt.node, receipt.contribution, signatures, Verdict.ACCEPTED, 640, _score(receipt.seq)
    )


def _score(seq: int) -> int:
    """Between one and two thousandths of a nat, differing from node to node."""
    return NAT // 1000 + keccak256(b"score %d" % seq)[0] * NAT // 256_000


def _head(stand: Stand, terms: Terms, number: int, parent: bytes, tally: Tally, tree: PaddedTree) -> RoundHeader:
    now = stand.gateway.fetch_head().timestamp
    return RoundHeader(
        job=terms.job_id(),
        round=number,
        parent=parent,
        base_model=keccak256(b"model %d" % (number - 1)),
        next_model=keccak256(b"model %d" % number),
        entries_root=tree.root,
        accumulator=keccak256(b"accumulator %d" % number),
        count=len(tally.entries),
        total_weight=tally.totals.weight,
        total_score=tally.totals.score,
        total_gain=tally.totals.gain,
        total_reward=tally.totals.reward,
        aggregate=bytes(32),
        evidence=keccak256(b"evidence %d" % number),
        beacon=keccak256(b"beacon %d" % number),
        opened_at=now,
        closed_at=now,
    )
