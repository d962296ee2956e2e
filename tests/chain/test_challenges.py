"""What is found in a lie is what the court upholds, at every place; of an honest round it upholds nothing."""

import pytest

from contracts.gateway import Gateway
from ledger.faults.faults import CarryWrong, FaultKind, compute_challenge_commitment, compute_fault_id
from ledger.faults.finding import find_faults
from tests.chain.accusing import NODES, AccusedJob, Parties, play
from tests.chain.fixtures import TestChain
from tests.dishonest.lies import LIES
from tests.simulated.lying import draft_round, know_job

ABOUT_ENTRIES = range(FaultKind.CONTRIBUTION_ALTERED, FaultKind.DEMAND_UNANSWERED)

PLACES = [(lie, seq) for lie in LIES if lie.faults for seq in (range(NODES) if lie.everywhere else (0,))]


@pytest.fixture
def accused(gateway: Gateway, parties: Parties) -> AccusedJob:
    accused = play(gateway, parties)
    accused.post_honest(1)
    return accused


def test_whatever_is_found_in_a_lie_is_upheld(dev_chain: TestChain, accused: AccusedJob) -> None:
    upheld: set[FaultKind] = set()
    for lie, seq in PLACES:
        snapshot = dev_chain.save()
        draft = draft_round(accused.job, 2)
        lie.tell(draft, seq)
        accused.post(draft)
        case = know_job(accused.job, draft)
        faults = list(find_faults(case))
        assert {type(fault) for fault in faults} & set(lie.faults), (lie.name, seq)
        words = {(fault.KIND.slug, accused.judge(fault)) for fault in faults}
        assert {word for word in words if word[1]} == set(), (lie.name, seq)
        upheld |= {fault.KIND for fault in faults}
        dev_chain.restore(snapshot)
    assert upheld == set(FaultKind) - {FaultKind.ROUND_MISSING, FaultKind.DEMAND_UNANSWERED}


def test_fault_ids_and_commitments_are_those_of_the_court(accused: AccusedJob) -> None:
    gateway, job = accused.gateway, accused.job
    court = gateway.deployment.challenge_court
    draft = draft_round(job, 2)
    next(lie for lie in LIES if lie.name == "overpay").tell(draft, 1)
    for fault in find_faults(know_job(job, draft)):
        words = (int(fault.KIND), job.id, fault.round, fault.subject(job.domain))
        fault_id = compute_fault_id(fault, job.id, job.domain)
        assert gateway.execution.read("ChallengeCourt", court, "hashFault", words) == fault_id
        party, salt = accused.parties(3).address, b"\x05" * 32
        expected = compute_challenge_commitment(party, fault_id, salt)
        answer = gateway.execution.read("ChallengeCourt", court, "hashCommitment", (party, fault_id, salt))
        assert answer == expected


def test_entries_of_a_tree_that_was_not_posted_prove_nothing(accused: AccusedJob) -> None:
    accused.post_honest(2)
    for lie in LIES:
        draft = draft_round(accused.job, 2)
        lie.tell(draft, 1)
        faults = [fault for fault in find_faults(know_job(accused.job, draft)) if fault.KIND in ABOUT_ENTRIES]
        assert {accused.judge(fault) for fault in faults} <= {
            "ChallengeCourt_NotInTree",
            "ChallengeCourt_StatementMismatch",
            "ChallengeCourt_SeqOutOfRange",
        }, lie.name


def test_honest_carry_proves_nothing_with_whatever_entry_before(accused: AccusedJob) -> None:
    accused.post_honest(2)
    rounds = know_job(accused.job).rounds
    for entry in rounds[2].entries:
        for previous in rounds[1].entries:
            assert accused.judge(CarryWrong(2, entry, previous)) == "ChallengeCourt_NotProven"
