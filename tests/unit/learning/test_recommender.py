from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from learning.parameters import Vector32
from learning.tasks import Examples, MalformedExamples, Task, get_task
from learning.tasks.recommender import Recommender
from learning.tasks.recommender.histories import Histories, Memory, Recency
from learning.tasks.recommender.network import Architecture

ITEMS = 60
CONFIG = {"items": ITEMS, "dimensions": 4, "recentDimensions": 4, "steps": 30, "batch": 32}
MEMORY = Memory((Recency(0.1, 20.0), Recency(0.0, 3.0)))


@cache
def task() -> Task:
    return get_task("recommender", CONFIG)


def get_scores(model: Vector32, records: list[list[int]]) -> NDArray[np.float32]:
    recommender = task()
    assert isinstance(recommender, Recommender)
    return recommender.score(model, recommender.read_records(records))


@cache
def walks(viewers: int = 60, seed: int = 0) -> Examples:
    """Histories with something to learn: who watches item i mostly goes on to one of the next three."""
    generator = np.random.default_rng(seed)
    records = []
    for _ in range(viewers):
        history = [int(generator.integers(ITEMS))]
        while len(history) < 12:
            item = (history[-1] + int(generator.integers(1, 4))) % ITEMS
            if item in history:
                break
            history.append(item)
        records.append(history)
    return task().read_records(records)


def test_positions_are_all_items_but_each_viewers_first() -> None:
    examples = task().read_records([[1, 2, 3], [], [4], [5, 6]])
    assert task().count_positions(examples) == 3
    histories = Histories.of(examples, ITEMS)
    assert histories.items[histories.find_targets()].tolist() == [2, 3, 6]
    assert histories.items[histories.find_lasts()].tolist() == [3, 6]


def test_history_is_weighted_by_recency_and_bounded_in_norm() -> None:
    histories = Histories.of(task().read_records([[9], [1, 2, 3]]), ITEMS)
    batch = MEMORY.gather(histories, histories.find_targets())
    assert batch.rows.tolist() == [0, 1, 1]
    assert batch.items.tolist() == [1, 1, 2]
    for weights, older in zip(batch.weights, (0.1 + 0.9 * np.exp(-1 / 20), np.exp(-1 / 3)), strict=True):
        norm = np.sqrt(1 + older**2)
        assert weights == pytest.approx([1.0, older / norm, 1 / norm], rel=1e-15)
    assert batch.targets.tolist() == [2, 3]


def test_passing_memory_forgets_what_the_lasting_one_keeps() -> None:
    histories = Histories.of(task().read_records([list(range(50))]), ITEMS)
    lasting, passing = MEMORY.gather_whole(histories).weights
    assert passing[0] / passing[-1] < 1e-6
    assert lasting[0] / lasting[-1] > 0.1


def test_scores_of_many_viewers_are_those_of_each() -> None:
    records = [[1, 2, 3], [], [40, 41, 2]]
    model = task().initial_model(2)
    together = get_scores(model, records)
    for row, record in enumerate(records):
        assert np.array_equal(np.flatnonzero(np.isneginf(together[row])), np.sort(record))
        assert together[row] == pytest.approx(get_scores(model, [record])[0], rel=1e-5, abs=1e-6)


def test_passing_memory_learns_nothing_from_what_lies_far_back() -> None:
    recommender = task()
    histories = recommender.read_records([list(range(50))])
    vector = recommender.initial_model(1).astype(np.float64)
    slope = recommender.layout.unflatten(recommender.objective(histories, np.array([48])).gradient(vector))["items"]
    lasting, passing = np.abs(slope[:, :4]).sum(1), np.abs(slope[:, 4:]).sum(1)
    assert lasting[0] > 0.05 * lasting[48]
    assert passing[0] < 1e-6 * passing[48]


def test_written_gradients_are_autograds() -> None:
    recommender, examples = task(), task().read_records([[1, 2, 3, 1, 4], [7, 8], [5, 6, 7, 5]])
    vector = recommender.initial_model(3).astype(np.float64)
    architecture = Architecture(ITEMS, MEMORY, (4, 4))
    network = architecture.build(vector)
    histories = Histories.of(examples, ITEMS)
    batch = MEMORY.gather(histories, histories.find_targets())
    loss, gradients = network.compute_gradients(
        architecture.look_at(histories, histories.find_targets(), torch.float64)
    )
    logits = network(architecture.look_at(histories, histories.find_targets(), torch.float64))
    watched = torch.zeros_like(logits, dtype=torch.bool)
    watched[batch.rows, batch.items] = True
    watched[range(len(batch.targets)), batch.targets] = False
    expected = torch.nn.functional.cross_entropy(
        logits.masked_fill(watched, -torch.inf), torch.from_numpy(batch.targets)
    )
    expected.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    assert loss == pytest.approx(float(expected.detach()), rel=1e-12)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert torch.allclose(gradients[name], parameter.grad, rtol=1e-10, atol=1e-15)


def test_objective_is_the_mean_over_positions_and_its_gradient_the_slope() -> None:
    objective = task().objective(walks(), np.arange(0, 600, 7)[:80])
    whole = task().objective(walks(), np.arange(10))
    parts = [task().objective(walks(), np.array([position])) for position in range(10)]
    vector = task().initial_model(1).astype(np.float64)
    assert whole.loss(vector) == pytest.approx(np.mean([part.loss(vector) for part in parts]), rel=1e-12)
    direction = np.random.default_rng(0).normal(size=vector.size)
    rise = objective.loss(vector + 1e-5 * direction) - objective.loss(vector - 1e-5 * direction)
    assert objective.gradient(vector) @ direction == pytest.approx(rise / 2e-5, rel=1e-6)


def test_objective_in_chunks_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    vector = task().initial_model(1).astype(np.float64)
    whole = task().objective(walks(), np.arange(50))
    monkeypatch.setattr("learning.tasks.recommender.training._CHUNK", 7)
    chunked = task().objective(walks(), np.arange(50))
    assert chunked.loss(vector) == pytest.approx(whole.loss(vector), rel=1e-14)
    assert np.allclose(chunked.gradient(vector), whole.gradient(vector), rtol=1e-12, atol=1e-16)


def test_training_teaches_viewers_who_were_never_seen() -> None:
    model = task().initial_model(1)
    before = task().evaluate(model, walks(40, 9), 1)
    for seed in range(30):
        model = model + task().train(model, walks(), seed).move
    after = task().evaluate(model, walks(40, 9), 1)
    assert after["fullHitRate10"] > before["fullHitRate10"] + 0.3
    assert after["fullHitRate10"] > 0.6


def test_training_gives_the_same_bytes_with_any_number_of_threads() -> None:
    big = get_task("recommender", {"items": 1682, "steps": 3})
    examples = big.read_records(np.random.default_rng(0).permutation(1682)[:900].reshape(3, 300).tolist())
    base = big.initial_model(1)
    positions = np.arange(0, 800, 2)
    results = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        gradient = big.objective(examples, positions).gradient(base.astype(np.float64))
        results.append((big.train(base, examples, 1).move.tobytes(), gradient.tobytes()))
    torch.set_num_threads(before)
    assert results[0] == results[1]


def test_node_with_few_positions_trains_on_them_again_and_one_without_moves_nowhere() -> None:
    base = task().initial_model(1)
    assert task().train(base, task().read_records([[1, 2]]), 1).move.any()
    lonely = task().train(base, task().read_records([[1], []]), 1)
    assert lonely.samples == 0
    assert not lonely.move.any()


def test_evaluation_ranks_the_last_item_among_unwatched_ones() -> None:
    layout = task().layout
    vector = np.zeros(layout.size, np.float32)
    layout.unflatten(vector)["bias"][:] = -np.arange(ITEMS)
    examples = task().read_records([[0, 1, 2, 13], [0, 14], [3, 2, 1, 0]])
    metrics = task().evaluate(vector, examples, 1)
    gains = [1 / np.log2(10 + 2), 0.0, 1.0]
    # Rank by the bias alone: 10 unwatched items are above item 13, 13 above item 14, none above item 0.
    assert metrics["fullHitRate10"] == pytest.approx(1 / 3)
    assert metrics["fullNdcg10"] == pytest.approx(np.mean([0.0, *gains[1:]]))
    assert metrics["hitRate10"] == pytest.approx(1 / 3)


def test_model_that_says_the_same_of_everything_scores_nothing() -> None:
    metrics = task().evaluate(np.zeros(task().layout.size, np.float32), walks(), 1)
    assert set(metrics.values()) == {0.0}


def test_evaluation_without_viewers_is_empty() -> None:
    assert task().evaluate(task().initial_model(1), task().read_records([[1]]), 1) == {}


def test_recommendations_are_new_and_best_first() -> None:
    vector = np.zeros(task().layout.size, np.float32)
    task().layout.unflatten(vector)["bias"][:] = np.arange(ITEMS)
    answer = task().predict(vector, {"history": [59, 57], "count": 3})
    assert answer == {"items": [58, 56, 55]}
    assert len(task().predict(vector, {"history": list(range(55)), "count": 50})["items"]) == 5
    assert len(task().predict(vector, {"history": []})["items"]) == 10


@pytest.mark.parametrize(
    "request_",
    [{}, {"history": "1,2"}, {"history": [60]}, {"history": [1.5]}, {"history": [1], "count": 0}],
)
def test_request_that_makes_no_sense_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(MalformedExamples, match="expected"):
        task().predict(task().initial_model(1), request_)


def test_examples_are_read_back() -> None:
    again = task().read_examples(task().write_examples(walks()))
    assert all(np.array_equal(again[name], walks()[name]) for name in walks())


@pytest.mark.parametrize(
    ("items", "offsets"),
    [([1, 2], [0, 1]), ([1, 2], [1, 2]), ([1, 2], []), ([1, 2], [0, 2, 1, 2]), ([1, 60], [0, 2]), ([-1, 2], [0, 2])],
)
def test_examples_that_are_no_histories_are_refused(items: list[int], offsets: list[int]) -> None:
    examples: Examples = {"items": np.array(items, np.int32), "offsets": np.array(offsets, np.int64)}
    with pytest.raises(MalformedExamples, match="expected"):
        task().read_examples(task().write_examples(examples))


def test_configuration_out_of_range_is_refused() -> None:
    for scale in ("recencyScale", "recentScale"):
        with pytest.raises(ValueError, match=f"{scale}: expected a decimal above 0"):
            get_task("recommender", {scale: "0"})
    with pytest.raises(ValueError, match="an integer from 1 to"):
        get_task("recommender", {"steps": 0})
