"""Explanations: every number of an entry in words, a wrong reward named, and when it can be claimed."""

import dataclasses

import pytest

from client.entries import read_entry
from client.node.operator.explanation import PaidEntry
from client.pins import Pin
from ledger.entry import Entry
from ledger.errors import Malformed, VerificationError
from ledger.signatures import Signer
from ledger.verdicts import describe_verdict
from ledger.wire import Anchor, EntryView
from tests.simulated.job import SimulatedJob
from tests.simulated.terms import CHAIN_ID, JOB_LEDGER

NOW = 1_900_000_000


@pytest.fixture(scope="module")
def job() -> SimulatedJob:
    played = SimulatedJob(nodes=5, rounds=3)
    for _ in range(3):
        played.play()
    return played


@pytest.fixture
def pin(job: SimulatedJob) -> Pin:
    return Pin(CHAIN_ID, JOB_LEDGER, bytes(20), bytes(20), job.coordinator.address)


def view_of(job: SimulatedJob, number: int, seq: int) -> tuple[EntryView, Entry]:
    played = job.rounds[number - 1]
    entry = played.tally.entries[seq]
    proof = played.tally.tree().proof(seq)
    return EntryView(entry=dict(entry.to_json()), proof=proof, header=played.header, anchor=None), entry


def test_entry_of_any_round_and_place_verifies(job: SimulatedJob, pin: Pin) -> None:
    for number in (1, 2, 3):
        for seq in range(5):
            view, entry = view_of(job, number, seq)
            assert read_entry(view, pin, job.id, number, entry.node) == entry


def test_entry_that_is_not_ours_or_was_changed_is_refused(job: SimulatedJob, pin: Pin) -> None:
    view, entry = view_of(job, 2, 1)
    other, _ = view_of(job, 2, 2)
    changed = {**view.entry, "earned": str(entry.earned + 1)}
    for wrong, check in (
        (other, "entry-node"),
        (view.model_copy(update={"proof": other.proof}), "tree-root"),
        (view.model_copy(update={"proof": view.proof[:-1]}), "proof-length"),
        (view.model_copy(update={"entry": changed}), "tree-root"),
        (view.model_copy(update={"header": view_of(job, 3, 1)[0].header}), "header-round"),
    ):
        with pytest.raises(VerificationError) as error:
            read_entry(wrong, pin, job.id, 2, entry.node)
        assert error.value.check == check


def test_header_by_another_key_is_refused(job: SimulatedJob, pin: Pin) -> None:
    view, entry = view_of(job, 1, 0)
    stranger = dataclasses.replace(pin, coordinator=Signer(bytes([3]) * 32).address)
    with pytest.raises(VerificationError) as error:
        read_entry(view, stranger, job.id, 1, entry.node)
    assert error.value.check == "header-signature"


def test_entry_with_a_missing_field_is_malformed(job: SimulatedJob, pin: Pin) -> None:
    view, entry = view_of(job, 1, 0)
    short = {name: value for name, value in view.entry.items() if name != "seq"}
    with pytest.raises(Malformed):
        read_entry(view.model_copy(update={"entry": short}), pin, job.id, 1, entry.node)


def explain(job: SimulatedJob, number: int, seq: int, standing: Anchor | None = None) -> tuple[PaidEntry, str]:
    view, entry = view_of(job, number, seq)
    paid = PaidEntry(entry, view.header.statement, job.terms, standing)
    return paid, " ".join(paid.explain(NOW))


def test_explanation_names_verdict_score_and_reward(job: SimulatedJob) -> None:
    for number in (1, 2, 3):
        for seq in range(5):
            paid, text = explain(job, number, seq)
            assert describe_verdict(paid.entry.body.verdict) in text
            assert paid.follows
            assert "THE ENTRY SAYS OTHERWISE" not in text
            if paid.entry.body.reward:
                assert str(paid.entry.body.reward) in text


def test_reward_that_does_not_follow_is_called_a_fault(job: SimulatedJob) -> None:
    view, entry = view_of(job, 1, 0)
    body = dataclasses.replace(entry.body, reward=entry.body.reward + 1)
    paid = PaidEntry(dataclasses.replace(entry, body=body), view.header.statement, job.terms, None)
    assert not paid.follows
    assert "THE ENTRY SAYS OTHERWISE" in " ".join(paid.explain(NOW))


@pytest.mark.parametrize(
    ("final_at", "words"), [(None, "not on chain yet"), (NOW + 60, "in 60 s"), (NOW - 60, "can be claimed")]
)
def test_explanation_says_when_it_can_be_claimed(job: SimulatedJob, final_at: int | None, words: str) -> None:
    zero = bytes(32)
    standing = (
        None
        if final_at is None
        else Anchor(header_digest=zero, entries_root=zero, count=5, final_at=final_at, transaction=zero, block=1)
    )
    assert words in explain(job, 1, 0, standing)[1]
