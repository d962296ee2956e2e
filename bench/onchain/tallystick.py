"""Our own scheme: a job of two rounds, posted, proven and claimed as in life."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.onchain.scheme import TOKEN, Claimants, name_payout, sign_as
from bench.onchain.stand import Stand
from contracts.artifacts import load_artifact
from contracts.calls import ClaimItem
from contracts.state import Anchor
from contracts.transactions import Call
from ledger.eip712 import Domain
from ledger.entry import Entry, Verdict
from ledger.hashing import keccak256
from ledger.statements import Acceptance, Contribution, Receipt, Registration, RoundHeader, Signed, Terms
from ledger.tally import Judgement, Tally, compute_signatures_digest, compute_tally
from ledger.tree import PaddedTree

NAT = 2**40
WINDOW_SECONDS = 600
ANCHOR_SECONDS = 86_400
FAR = 2**40


@dataclass(frozen=True)
class SignedPair:
    """A contribution and the receipt for it, as every node has them."""

    contribution: Signed[Contribution]
    receipt: Signed[Receipt]


@dataclass(frozen=True)
class SealedRound:
    """A round ready to be posted, with one contribution of it that both sides signed.

    Of the others the chain sees a leaf at most, so any words do for what they sign.
    """

    header: RoundHeader
    tally: Tally
    tree: PaddedTree
    pair: SignedPair

    def make_item(self, seq: int) -> ClaimItem:
        """An entry with its proof."""
        return ClaimItem(self.tally.entries[seq], self.tree.proof(seq))


class Tallystick:
    """A job whose rounds pay about one token a node.

    Attributes:
        opening: gas of `openJob`.
        terms: of the job.
        rounds: both of its rounds.
    """

    def __init__(self, stand: Stand, claimants: Claimants) -> None:
        """Opens the job, registers the nodes that will claim, seals both rounds."""
        self._stand = stand
        self._claimants = claimants
        self.terms = _make_terms(stand, claimants.count)
        self.opening = self._open()
        self._register()
        self._now = stand.gateway.fetch_head().timestamp
        first = self._seal(None)
        self.rounds = (first, self._seal(first))

    def anchor(self, place: int) -> int:
        """`postRound`; the escrow came in when the job was opened."""
        gas = self.post(self.rounds[place])
        self._stand.pass_time(WINDOW_SECONDS)
        return gas

    def post(self, sealed: SealedRound) -> int:
        """`postRound` alone: the round can be challenged now."""
        last = sealed.make_item(self._claimants.count - 1)
        return self._stand.coordinator.spend(
            self._stand.gateway.calls.post_round(sealed.header, last.entry, last.proof)
        )

    def claim(self, place: int, seq: int) -> int:
        """`claim`, sent by anyone."""
        header, item = self.rounds[place].header, self.rounds[place].make_item(seq)
        calls = self._stand.gateway.calls
        return self._stand.stranger.spend(calls.claim(header.job, header.round, self.find_anchor(header), item))

    def claim_many(self, place: int, seqs: Sequence[int]) -> int:
        """`claimMany`, sent by anyone."""
        header, items = self.rounds[place].header, [self.rounds[place].make_item(seq) for seq in seqs]
        calls = self._stand.gateway.calls
        return self._stand.stranger.spend(calls.claim_many(header.job, header.round, self.find_anchor(header), items))

    def prove(self, place: int) -> int:
        """`verifyContribution` of a posted round as a transaction: entry, contribution, receipt, both signatures."""
        sealed = self.rounds[place]
        pair = sealed.pair
        item = sealed.make_item(pair.receipt.statement.seq)
        exhibit = (
            self.find_anchor(sealed.header).values(),
            (item.entry.seq, item.entry.node, item.entry.earned, item.entry.body.values()),
            item.proof,
            pair.contribution.statement.values(),
            pair.contribution.signature,
            pair.receipt.statement.values(),
            pair.receipt.signature,
        )
        data = load_artifact("JobLedger").interface.encode_call("verifyContribution", [exhibit])
        ledger = self._stand.gateway.deployment.job_ledger
        return self._stand.stranger.spend(Call(ledger, data, 0, "JobLedger.verifyContribution"))

    @property
    def domain(self) -> Domain:
        """Of every statement here."""
        return self._stand.gateway.domain

    def issue(self, receipt: Receipt) -> Signed[Receipt]:
        """A receipt with the coordinator's signature."""
        return Signed.issue(receipt, self.domain, self._stand.coordinator.signer)

    def reseal(self, wrong: Entry) -> SealedRound:
        """The first round with this entry in place of the true one, as a coordinator that lies would post it."""
        first = self.rounds[0]
        entries = (*first.tally.entries[: wrong.seq], wrong, *first.tally.entries[wrong.seq + 1 :])
        tally = replace(first.tally, entries=entries)
        tree = tally.tree()
        return SealedRound(replace(first.header, entries_root=tree.root), tally, tree, first.pair)

    def _open(self) -> int:
        stand, terms = self._stand, self.terms
        calls, ledger = stand.gateway.calls, stand.gateway.deployment.job_ledger
        for party, amount in (
            (stand.requester, terms.rounds * terms.budget_per_round),
            (stand.coordinator, terms.bond),
        ):
            stand.holder.spend(calls.transfer(party.address, amount))
            party.spend(calls.approve(ledger, amount))
        stand.coordinator.spend(calls.deposit_bond(terms.bond))
        acceptance = Signed.issue(Acceptance(terms.job_id(), FAR), stand.gateway.domain, stand.coordinator.signer)
        return stand.requester.spend(calls.open_job(terms, FAR, acceptance.signature))

    def _register(self) -> None:
        gateway = self._stand.gateway
        for seq in self._claimants.ten:
            node = sign_as(seq)
            registration = Registration(node.address, self.terms.requester, name_payout(seq), FAR)
            signed = Signed.issue(registration, gateway.registry_domain, node)
            self._stand.stranger.spend(gateway.calls.register(registration, signed.signature))

    def find_anchor(self, header: RoundHeader) -> Anchor:
        """The words under which the ledger keeps a posted round."""
        posted = self._stand.gateway.fetch_posted_round(header.job, header.round)
        assert posted is not None, "a round that was posted has an event"
        return posted.anchor

    def _seal(self, before: SealedRound | None) -> SealedRound:
        terms, domain = self.terms, self._stand.gateway.domain
        number = 1 if before is None else 2
        parent = terms.job_id() if before is None else before.header.digest(domain)
        pair = self._sign_pair(number, parent, self._claimants.singles[0])
        judgements = [self._judge(number, seq) for seq in range(self._claimants.count)]
        judgements[pair.receipt.statement.seq] = _judge_pair(pair)
        standings = {} if before is None else before.tally.standings()
        tally = compute_tally(terms.budget_per_round, terms.price_per_nat, judgements, standings, number)
        tree = tally.tree()
        return SealedRound(_make_header(terms, number, parent, tally, tree, self._now), tally, tree, pair)

    def _sign_pair(self, number: int, parent: bytes, seq: int) -> SignedPair:
        domain, node, job = self._stand.gateway.domain, sign_as(seq), self.terms.job_id()
        commitment, report = keccak256(b"commitment"), keccak256(b"report")
        contribution = Contribution(
            job, number, node.address, parent, _name("model", number - 1), commitment, 640, report
        )
        digest, accumulator = contribution.digest(domain), _name("accumulator", number)
        anchor_by = self._now + ANCHOR_SECONDS
        receipt = Receipt(job, number, seq, node.address, digest, accumulator, self._now, anchor_by)
        coordinator = self._stand.coordinator.signer
        return SignedPair(Signed.issue(contribution, domain, node), Signed.issue(receipt, domain, coordinator))

    def _judge(self, number: int, seq: int) -> Judgement:
        digest = keccak256(b"contribution %d %d" % (number, seq))
        node = self._claimants.name_node(seq)
        return Judgement(node, digest, keccak256(digest), Verdict.ACCEPTED, 640, _score(seq))


def _judge_pair(pair: SignedPair) -> Judgement:
    receipt = pair.receipt.statement
    signatures = compute_signatures_digest(pair.contribution.signature, pair.receipt.signature)
    return Judgement(receipt.node, receipt.contribution, signatures, Verdict.ACCEPTED, 640, _score(receipt.seq))


def _score(seq: int) -> int:
    """From one to two thousandths of a nat, another for every node."""
    return NAT // 1000 + keccak256(b"score %d" % seq)[0] * NAT // 256_000


def _name(what: str, number: int) -> bytes:
    return keccak256(f"{what} {number}".encode())


def _make_terms(stand: Stand, count: int) -> Terms:
    budget = count * TOKEN
    return Terms(
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


def _make_header(terms: Terms, number: int, parent: bytes, tally: Tally, tree: PaddedTree, now: int) -> RoundHeader:
    return RoundHeader(
        job=terms.job_id(),
        round=number,
        parent=parent,
        base_model=_name("model", number - 1),
        next_model=_name("model", number),
        entries_root=tree.root,
        accumulator=_name("accumulator", number),
        count=len(tally.entries),
        total_weight=tally.totals.weight,
        total_score=tally.totals.score,
        total_gain=tally.totals.gain,
        total_reward=tally.totals.reward,
        aggregate=bytes(32),
        evidence=_name("evidence", number),
        beacon=_name("beacon", number),
        opened_at=now,
        closed_at=now,
    )
