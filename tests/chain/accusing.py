"""A simulated job on a real chain whose second round is a lie, and what the court says to what is found in it."""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.challenges import CourtCalls, PostedJob
from contracts.escrow import deposit_bond, open_job
from contracts.gateway import Gateway
from contracts.refusals import TransactionReverted
from contracts.state import Anchor
from ledger.entry import Entry
from ledger.faults.faults import Fault
from ledger.statements import Acceptance, RoundHeader, Signed
from tests.chain.fixtures import Party
from tests.dishonest.draft import Draft
from tests.simulated.job import SimulatedJob
from tests.simulated.lying import draft_round
from tests.simulated.terms import Setting

FAR = 1 << 40
NODES = 5
Parties = Callable[[int], Party]


@dataclass
class AccusedJob:
    """A simulated job that is open on a chain. Accounts: 0 holds the tokens, 1 requester, 2 coordinator, 3 anybody."""

    job: SimulatedJob
    gateway: Gateway
    parties: Parties

    def open(self) -> None:
        terms, gateway = self.job.terms, self.gateway
        holder, requester, coordinator = (self.parties(number).sender for number in range(3))
        holder.execute(gateway.calls.transfer(terms.requester, terms.rounds * terms.budget_per_round))
        holder.execute(gateway.calls.transfer(terms.coordinator, terms.bond))
        deposit_bond(gateway, coordinator, terms.bond)
        acceptance = Signed.issue(Acceptance(self.job.id, FAR), gateway.domain, self.job.coordinator)
        open_job(gateway, requester, terms, acceptance)

    def post(self, draft: Draft) -> RoundHeader:
        """Posts whatever the draft says."""
        header, _ = draft.publish()
        last = find_last(draft, header)
        self.parties(2).sender.execute(self.gateway.calls.post_round(header, last, draft.prove(last.leaf())))
        return header

    def post_honest(self, number: int) -> RoundHeader:
        return self.post(draft_round(self.job, number))

    @property
    def posted(self) -> PostedJob:
        events = self.gateway.fetch_posted_rounds(self.job.id)
        anchors: dict[int, Anchor] = {event.round: event.anchor for event in events}
        return PostedJob(self.job.terms, anchors)

    @property
    def court(self) -> CourtCalls:
        return CourtCalls(self.gateway.deployment, self.gateway.execution.interfaces)

    def judge(self, fault: Fault) -> str:
        """The court's word: empty where it would uphold, else the name of the error."""
        call = self.court.challenge(self.posted, fault, bytes(32))
        try:
            self.gateway.execution.estimate_gas(call, self.parties(3).address)
        except TransactionReverted as refusal:
            return refusal.error
        return ""


def find_last(draft: Draft, header: RoundHeader) -> Entry:
    """The entry that the chain is shown with the header."""
    return next(entry for entry in draft.entries if entry.seq == header.count - 1)


def play(gateway: Gateway, parties: Parties, scoring_rule: str = "aumann-shapley") -> AccusedJob:
    """Three rounds of five nodes in memory, opened on the chain, nothing posted."""
    now = gateway.fetch_head().timestamp
    token = gateway.deployment.tally_token
    setting = Setting(gateway.domain, parties(2).signer, parties(1).signer, token, now - 1_000)
    job = SimulatedJob(nodes=NODES + 1, rounds=4, scoring_rule=scoring_rule, setting=setting)
    job.play(hidden=[3], absent=[5])
    job.play(hidden=[1], absent=[5])
    job.play(absent=[0])
    accused = AccusedJob(job, gateway, parties)
    accused.open()
    return accused
