"""Every fault is found at every place and in every round; an honest job has none."""

from dataclasses import replace
from typing import TypeVar

import pytest

from ledger.faults.case import Case, Promises
from ledger.faults.faults import (
    DemandUnanswered,
    FaultKind,
    ProvenEntry,
    RoundMissing,
    compute_challenge_commitment,
    compute_fault_id,
    pair,
)
from ledger.faults.finding import find_faults
from ledger.faults.gaps import find_gaps
from ledger.faults.gathering import keep_promises
from ledger.hashing import keccak256
from ledger.statements import Receipt, Signed, Statement
from tests.dishonest.lies import LIES, STRANGER, Lie
from tests.simulated.job import SimulatedJob
from tests.simulated.lying import draft_round, know_job, know_round, play_honest

S = TypeVar("S", bound=Statement)

ROUNDS = 3
# Told in signed words alone: no anchor is needed to show them.
PROMISED = {"promise twice", "give two places", "break receipt", "close twice", "take late", "sign another header"}
NODES = 5

PLACES = [
    pytest.param(lie, number, seq, id=f"{lie.name}, round {number}, seq {seq}")
    for lie in LIES
    for number in (1, ROUNDS)
    for seq in (range(NODES) if lie.everywhere else (0,))
    if number >= lie.first_round
]


@pytest.fixture(scope="module")
def job() -> SimulatedJob:
    return play_honest()


def lie_about(job: SimulatedJob, lie: Lie, number: int, seq: int) -> Case:
    draft = draft_round(job, number)
    lie.tell(draft, seq)
    return know_job(job, draft)


@pytest.mark.parametrize(("lie", "number", "seq"), PLACES)
def test_lie_is_found_and_nothing_else_is_accused(job: SimulatedJob, lie: Lie, number: int, seq: int) -> None:
    case = lie_about(job, lie, number, seq)
    faults = list(find_faults(case))
    if lie.faults:
        assert {type(fault) for fault in faults} & set(lie.faults)
    else:
        assert faults == []
        assert list(find_gaps(case, case.rounds[number]))
    assert {fault.round for fault in faults} <= {number}


def test_every_kind_of_fault_has_a_lie() -> None:
    told = {fault.KIND for lie in LIES for fault in lie.faults}
    assert told | {FaultKind.ROUND_MISSING, FaultKind.DEMAND_UNANSWERED} == set(FaultKind)


@pytest.mark.parametrize("scoring_rule", ["aumann-shapley", "by-weight"])
def test_honest_job_has_no_fault_and_no_gap(scoring_rule: str) -> None:
    job = play_honest(scoring_rule)
    case = know_job(job)
    assert list(find_faults(case)) == []
    assert [list(find_gaps(case, known)) for known in case.rounds.values()] == [[], [], []]


def test_void_round_has_no_fault() -> None:
    job = SimulatedJob(nodes=3, rounds=2)
    job.play(hidden=[0, 1, 2])
    job.play()
    assert list(find_faults(know_job(job))) == []


def make_receipt(job: SimulatedJob, number: int) -> Signed[Receipt]:
    """A receipt of a round that is not on chain, due before the case's time."""
    pattern = draft_round(job, 1).receipts[0].statement
    return Signed.issue(replace(pattern, round=number, anchor_by=job.as_of - 1), job.domain, job.coordinator)


def test_receipt_of_a_round_that_never_came_is_a_fault_after_its_time(job: SimulatedJob) -> None:
    late = make_receipt(job, 4)
    case = replace(know_job(job), pending=Promises((late,)))
    assert list(find_faults(case)) == [RoundMissing(4, late)]
    assert list(find_faults(replace(case, now=late.statement.anchor_by))) == []


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie.name in PROMISED], ids=str)
def test_words_about_a_round_that_is_not_posted_are_held_against_each_other(job: SimulatedJob, lie: Lie) -> None:
    draft = draft_round(job, 3)
    lie.tell(draft, 1)
    shown = know_job(job, draft).rounds[3].promises
    case = know_job(job)
    before = {number: case.rounds[number] for number in (1, 2)}
    found = {type(fault) for fault in find_faults(replace(case, rounds=before, pending=shown))}
    assert found & set(lie.faults)


@pytest.mark.parametrize(("halted", "owed"), [(1, False), (3, False), (4, False), (5, True), (0, True)])
def test_halted_job_owes_no_round_from_there_on(job: SimulatedJob, halted: int, owed: bool) -> None:
    case = replace(know_job(job), pending=Promises((make_receipt(job, 4),)), halted=halted)
    assert bool(list(find_faults(case))) is owed


def test_close_request_excuses_no_receipt(job: SimulatedJob) -> None:
    # Nothing in a case says that a close was requested: there is nothing to be excused by.
    assert not {"closes_at", "closing"} & set(Case.__dataclass_fields__)


def test_receipts_of_others_accuse_nobody(job: SimulatedJob) -> None:
    receipt = make_receipt(job, 4)
    forged = Signed.issue(receipt.statement, job.domain, STRANGER)
    foreign = Signed.issue(replace(receipt.statement, job=bytes(32)), job.domain, job.coordinator)
    held = Promises(receipts=(forged, foreign, receipt))
    assert list(keep_promises(job.domain, job.terms, held).receipts) == [receipt]


def test_forged_promises_accuse_nobody(job: SimulatedJob) -> None:
    for lie in LIES:
        draft = draft_round(job, 1)
        lie.tell(draft, 1)
        told = draft.told

        def forge(signed: Signed[S]) -> Signed[S]:
            return Signed.issue(signed.statement, job.domain, STRANGER)

        held = Promises(
            tuple(map(forge, told.receipts)), tuple(map(forge, told.closings)), tuple(map(forge, told.headers))
        )
        case = replace(know_job(job), rounds={1: know_round(job, 1, held)})
        assert list(find_faults(case)) == []


def test_honest_receipts_of_nodes_accuse_nobody(job: SimulatedJob) -> None:
    held = Promises(receipts=tuple(receipt for number in (1, 2, 3) for receipt in draft_round(job, number).receipts))
    case = replace(know_job(job), rounds={number: know_round(job, number, held) for number in (1, 2, 3)})
    assert list(find_faults(case)) == []


def test_entry_without_its_proof_proves_nothing(job: SimulatedJob) -> None:
    draft = draft_round(job, 1)
    _, honest = draft_round(job, 1).publish()
    draft.change_entry(2, reward=10**17)
    _, false = draft.publish()
    case = know_job(job)
    shown = {**honest, "entries.json": false["entries.json"], "tree.json": false["tree.json"]}
    known = know_round(job, 1, files=shown)
    assert [entry.entry.seq for entry in known.entries] == []
    assert list(find_faults(replace(case, rounds={1: known}))) == []
    assert list(find_gaps(case, known)) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_entry_that_was_handed_out_counts_with_its_proof(job: SimulatedJob) -> None:
    known = know_round(job, 1, files={}, handed_out=[job.hand_out(1, 3), b"{}", b"nonsense"])
    assert [(proven.round, proven.entry.seq) for proven in known.entries] == [(1, 3)]
    other = know_round(job, 2, files={}, handed_out=[job.hand_out(1, 3)])
    assert other.entries == ()


def test_gap_is_closed_by_the_entry_before(job: SimulatedJob) -> None:
    case = know_job(job)
    assert list(find_gaps(case, case.rounds[3])) == []
    alone = replace(case, rounds={3: case.rounds[3]})
    standing = [proven.entry.seq for proven in case.rounds[3].entries if proven.entry.body.previous_round]
    assert list(find_gaps(alone, alone.rounds[3])) == standing


def test_fault_id_is_the_hash_of_four_words(job: SimulatedJob) -> None:
    fault = DemandUnanswered(2, 7)
    words = [(24).to_bytes(32), job.id, (2).to_bytes(32), (7).to_bytes(32)]
    assert compute_fault_id(fault, job.id, job.domain) == keccak256(b"".join(words))
    commitment = compute_challenge_commitment(b"\x01" * 20, b"\x02" * 32, b"\x03" * 32)
    assert commitment == keccak256(bytes(12) + b"\x01" * 20 + b"\x02" * 32 + b"\x03" * 32)


def test_pair_has_no_order() -> None:
    one, other = b"\x01" * 32, b"\x02" * 32
    assert pair(one, other) == pair(other, one) == keccak256(one + other)


def test_proven_entries_keep_the_order_of_their_seqs(job: SimulatedJob) -> None:
    entries: tuple[ProvenEntry, ...] = know_round(job, 2).entries
    assert [proven.entry.seq for proven in entries] == list(range(NODES))
