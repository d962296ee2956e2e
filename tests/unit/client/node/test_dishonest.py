"""Parts that nodes play: what each claims and sends, and names that nobody has."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from client.api import Api
from client.errors import UsageRefused
from client.identity import Identity
from client.node.data.sources import NoSamples
from client.node.work.dishonest import (
    BOAST,
    AdversaryTrainer,
    InflatedTrainer,
    create_trainer,
    list_parts,
    verify_parts,
)
from client.node.work.eyes import Eyes, Unseen
from client.node.work.training import HonestTrainer, Reader, TrainingFailed, Work
from learning.adversaries import ADVERSARIES, Behaviour, Sight
from learning.payload import read_update
from learning.quantise import Update
from learning.tasks import Examples, Task, get_task
from learning.tensors import write_model
from ledger import canonical
from ledger.age import state_age
from ledger.eip712 import compute_domain
from ledger.hashing import sha256
from ledger.spec import Cohort, JobSpec, Staleness, TaskChoice
from ledger.statements import Contribution, Signed
from ledger.vouching import REPORTED
from ledger.wire import ContributionRequest
from tests.coordination.premises import make_signer

TASK = get_task("digits", {"hidden": 1, "epochs": 1})
NODES = [make_signer(f"node {number}").address for number in range(3)]


def make_work(node: int, round_number: int = 1) -> Work:
    spec = JobSpec(
        title="digits",
        description="",
        task=TaskChoice("digits", dict(TASK.config)),
        initial_model=bytes(32),
        validation=None,
        validation_positions=1,
        cohort=Cohort(1, 10),
        commit_seconds=1,
        reveal_seconds=1,
        weight_rule="equal",
        clip_norm="1",
        fraction_bits=12,
        server_rate="1",
        server_momentum="0",
        aggregation_rule="mean",
        scoring_rule="by-weight",
        evidence_readers="public",
        retention_seconds=0,
        verifiable=False,
    )
    readers = {address: make_reader(number) for number, address in enumerate(NODES)}
    model = write_model(TASK.layout, TASK.initial_model(1))
    return Work(bytes(32), round_number, NODES[node], spec, model, readers[NODES[node]], 4_096, 7, readers)


def make_reader(number: int) -> Reader:
    """The same twenty scans whenever it is made anew."""
    generator = np.random.default_rng(number)

    def read(task: Task) -> Examples:
        pixels = generator.integers(0, 17, (20, 64)).astype(np.float32)
        return {"pixels": pixels, "labels": generator.integers(0, 10, 20)}

    return read


def create_eyes() -> Eyes:
    """In round 1 there is nothing to see, so nobody is asked."""
    return Eyes(Identity(Api("http://127.0.0.1:9"), make_signer("node 0"), 1))


def play(behave: Behaviour, group: Sequence[bytes] = (), work: Work | None = None) -> Update:
    trainer = AdversaryTrainer("strategy", behave, create_eyes(), group, "test", "cpu")
    try:
        return read_update(trainer.train(work or make_work(0)).payload, TASK.layout.size)
    finally:
        trainer.close()


@pytest.mark.parametrize("name", sorted(ADVERSARIES))
def test_every_strategy_sends_an_update_in_its_first_round(name: str) -> None:
    assert play(ADVERSARIES[name]).shape == (TASK.layout.size,)


def test_strategy_sees_its_data_the_round_and_its_group() -> None:
    sights: list[Sight] = []

    def look(sight: Sight) -> Update:
        sights.append(sight)
        assert len(sight.accomplices) == 2
        return sight.nothing()

    assert not play(look, NODES[:2]).any()
    (sight,) = sights
    assert (sight.clip, sight.fraction_bits, sight.seed) == (4_096, 12, 7)
    assert len(sight.models) == 1
    assert (len(sight.updates), len(sight.gradients)) == (0, 0)


def test_accomplice_without_data_yet_is_left_out() -> None:
    def read_nothing(task: Task) -> Examples:
        raise NoSamples(task.name)

    def look(sight: Sight) -> Update:
        assert len(sight.accomplices) == 1
        return sight.nothing()

    work = make_work(0)
    play(look, NODES[:2], replace(work, readers={**work.readers, NODES[1]: read_nothing}))


@pytest.mark.parametrize("error", [KeyError("offsets"), IndexError("list index"), ValueError("low >= high")])
def test_strategy_that_does_not_fit_sends_nothing(error: Exception) -> None:
    def stumble(sight: Sight) -> Update:
        raise error

    with pytest.raises(TrainingFailed, match=f"`strategy` makes nothing of what it sees .{type(error).__name__}"):
        play(stumble)


def test_inflated_counts_change_nothing_but_the_claim() -> None:
    honest = HonestTrainer("test", "cpu")
    true, boast = honest.train(make_work(1)), InflatedTrainer(honest).train(make_work(1))
    assert boast.payload == true.payload
    assert boast.samples == BOAST * true.samples == BOAST * 20


def test_each_node_plays_its_own_part() -> None:
    honest = HonestTrainer("test", "cpu")
    mixed = create_trainer(["trained", "zero", "zero"], NODES, create_eyes(), honest)
    updates = [read_update(mixed.train(make_work(node)).payload, TASK.layout.size) for node in range(3)]
    assert [bool(update.any()) for update in updates] == [True, False, False]
    mixed.close()


def test_one_name_is_everyones() -> None:
    mixed = create_trainer(["zero"], NODES, create_eyes(), HonestTrainer("test", "cpu"))
    assert not any(read_update(mixed.train(make_work(node)).payload, TASK.layout.size).any() for node in range(3))
    mixed.close()


def test_unknown_name_is_answered_with_the_list() -> None:
    with pytest.raises(UsageRefused, match="--update honest: expected one of trained, inflated-counts, ") as refused:
        verify_parts(["honest"], 1)
    assert all(name in str(refused.value) for name in [*list_parts(), *ADVERSARIES])


def test_as_many_names_as_nodes_or_one() -> None:
    verify_parts(["zero"], 3)
    verify_parts(["zero", "noise", "trained"], 3)
    with pytest.raises(UsageRefused, match="once for all 3 nodes, or once for each, got 2"):
        verify_parts(["zero", "noise"], 3)


def test_unseen_is_loaded_once_and_only_when_looked_at() -> None:
    loads: list[int] = []

    def load() -> list[str]:
        loads.append(1)
        return ["first", "second"]

    unseen = Unseen(load, "newest")
    assert (unseen[-1], loads) == ("newest", [])
    assert (list(unseen), len(unseen), unseen[-2:], bool(unseen)) == (
        ["first", "second", "newest"],
        3,
        ["second", "newest"],
        True,
    )
    assert loads == [1]
    assert not Unseen(list)


@pytest.mark.parametrize("content", [b"{}", b"[[]]", b'{"void":[]}', b"nonsense"])
def test_rounds_that_a_coordinator_hands_out_malformed_are_not_seen(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    eyes = create_eyes()
    monkeypatch.setattr(Eyes, "_ask", lambda *_: content)
    assert len(eyes.see_updates(bytes(32), 3, TASK.layout.size)) == 0
    assert len(eyes.see_gradients(bytes(32), 3, TASK.layout.size)) == 0
    eyes.close()


def test_report_of_an_honest_node_fits_what_a_coordinator_takes() -> None:
    """Even of one whose loss is as far off as float32 goes, with an age and a voucher."""
    work = make_work(0)
    spec = replace(work.spec, staleness=Staleness(3, "0.5"))
    report = HonestTrainer("1.22.333.dev4444+abcdef0123456789", "cpu").train(work).report
    said = {**report, "loss": f"{3.4e38:.6f}", REPORTED: "0x" + "f" * 64, **state_age(spec, 3, bytes(32))}
    statement = Contribution(bytes(32), 1, NODES[0], bytes(32), bytes(32), bytes(32), 1, sha256(canonical.encode(said)))
    signed = Signed.issue(statement, compute_domain(1, bytes(20)), make_signer("node 0"))
    sent = ContributionRequest(statement=signed.statement, signature=signed.signature, report=said)
    assert sent.report == said
