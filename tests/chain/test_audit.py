"""An audit that reads a real chain: simulated evidence of a job that was really opened, posted and claimed."""

from dataclasses import dataclass

import pytest

from client.auditor import Sources, audit
from client.auditor.checks import ALL_CHECKS
from client.auditor.evidence.chain import LedgerChain
from client.auditor.evidence.sources import NoSuchJob
from client.auditor.explaining import explain
from contracts.abi import MalformedAnswer
from contracts.calls import ClaimItem
from contracts.escrow import deposit_bond, open_job
from contracts.gateway import Gateway
from contracts.inspection import inspect_deployment
from contracts.job_events import JobOpened
from ledger.statements import Acceptance, Registration, Signed
from ledger.verify.results import Outcome
from tests.chain.fixtures import TestChain
from tests.chain.life import Parties
from tests.simulated.audit import find
from tests.simulated.job import SimulatedJob
from tests.simulated.learned import make_learned_job, send_zero
from tests.simulated.sources import SimulatedEvidence, make_evidence
from tests.simulated.terms import Setting

FAR = 1 << 40


@dataclass
class PostedJob:
    """A simulated job on a real chain."""

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
        for node in self.job.nodes:
            registration = Registration(node.address, terms.requester, node.address, FAR)
            signature = Signed.issue(registration, gateway.registry_domain, node).signature
            requester.execute(gateway.calls.register(registration, signature))

    def post(self) -> None:
        for played in self.job.rounds:
            last = played.tally.entries[-1]
            proof = played.tally.tree().proof(last.seq)
            call = self.gateway.calls.post_round(played.header.statement, last, proof)
            self.parties(2).sender.execute(call)

    def claim(self, number: int) -> None:
        posted = self.gateway.fetch_posted_round(self.job.id, number)
        assert posted is not None
        tally = self.job.rounds[number - 1].tally
        items = [ClaimItem(entry, tally.tree().proof(entry.seq)) for entry in tally.entries]
        self.parties(1).sender.execute(self.gateway.calls.claim_many(self.job.id, number, posted.anchor, items))

    @property
    def sources(self) -> Sources:
        return Sources(make_evidence(self.job), LedgerChain(self.gateway))


@pytest.fixture
def posted(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> PostedJob:
    return play_posted(dev_chain, gateway, parties)


def play_posted(dev_chain: TestChain, gateway: Gateway, parties: Parties) -> PostedJob:
    """Two rounds, one with a zero update, posted; the clock stands after the last one's window."""
    now = gateway.fetch_head().timestamp
    token = gateway.deployment.tally_token
    setting = Setting(gateway.domain, parties(2).signer, parties(1).signer, token, now - 1_000)
    job = make_learned_job(nodes=3, rounds=3, twists={(1, 1): send_zero}, setting=setting)
    life = PostedJob(job, gateway, parties)
    life.open()
    (opened,) = gateway.fetch_events(0, gateway.fetch_head().number, (JobOpened,), job.id)
    head = gateway.fetch_head()
    job.draw_source, job.find_block = opened.place.block_hash, lambda _: (head.number, head.hash)
    job.play()
    job.play(hidden=[2])
    life.post()
    dev_chain.pass_time(job.terms.window + 1)
    return life


def test_honest_job_on_a_real_chain_passes_every_check(posted: PostedJob) -> None:
    posted.claim(1)
    posted.claim(2)
    report = audit(posted.job.id, posted.sources)
    assert [str(result) for result in report.find(Outcome.FAIL)] == []
    assert find(report.results, Outcome.PASS) == set(ALL_CHECKS)
    assert report.exit_code == 0
    claims = next(result for result in report.results if result.check == "claims")
    total = sum(posted.job.standings[node.address].earned for node in posted.job.nodes)
    assert f"{total} base units" in claims.detail
    assert total > 0


def test_evidence_of_another_history_fails_anchor(posted: PostedJob) -> None:
    other = make_learned_job(nodes=3, rounds=3, setting=posted.job.setting)
    other.play()
    other.play()
    sources = Sources(make_evidence(other), LedgerChain(posted.gateway))
    report = audit(posted.job.id, sources)
    assert {"anchor"} <= find(report.results)
    assert report.exit_code == 1


def test_ledger_is_found_from_its_address_alone(posted: PostedJob) -> None:
    ledger = posted.gateway.deployment.job_ledger
    deployment = inspect_deployment(posted.gateway, ledger)
    gateway = Gateway(posted.gateway.rpc, deployment)
    assert audit(posted.job.id, Sources(make_evidence(posted.job), LedgerChain(gateway))).exit_code == 0


def test_first_block_that_hides_rounds_is_an_error_not_an_answer(posted: PostedJob, gateway: Gateway) -> None:
    late = inspect_deployment(gateway, gateway.deployment.job_ledger, block=gateway.fetch_head().number)
    with pytest.raises(MalformedAnswer, match="one event for each"):
        LedgerChain(Gateway(gateway.rpc, late)).read_job(posted.job.id)


def test_job_that_was_never_opened_is_wrong_use(posted: PostedJob) -> None:
    evidence: SimulatedEvidence = make_evidence(posted.job)
    with pytest.raises(NoSuchJob):
        audit(bytes(32), Sources(evidence, LedgerChain(posted.gateway)))


def test_explanation_names_the_block_and_the_time_of_the_claim(posted: PostedJob) -> None:
    sources, job = posted.sources, posted.job
    assert isinstance(sources.evidence, SimulatedEvidence)
    for number in (1, 2):
        reply = job.hand_out(number, 0)
        sources.evidence.replies[(number, job.nodes[0].address)] = reply
    explanation = explain(job.id, 2, job.nodes[0].address, sources)
    assert "on chain in block" in explanation.lines[-1]
    assert explanation.proven.entry.earned == job.standings[job.nodes[0].address].earned
