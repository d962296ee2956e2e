"""What a public gradient and public scores tell of a validation set: measured, since a job may keep both private."""

from dataclasses import replace
from functools import partial

import numpy as np

from bench.scoring.grounds import Ground
from bench.scoring.privacy import read_sampled_items
from learning.payload import write_update
from learning.quantise import Update
from learning.round import RevealedContribution, RoundInputs, run_round
from learning.state import RoundState
from learning.tasks import Examples, get_task
from learning.tasks.recommender.histories import Histories
from ledger.entry import Verdict

ITEMS, POSITIONS = 60, 12


def make_ground() -> Ground:
    """Viewers of a small catalogue, all of one taste: training nodes and a validation set."""
    task = get_task("recommender", {"items": ITEMS, "steps": 4, "batch": 16})
    generator = np.random.default_rng(3)

    taste = generator.dirichlet(np.full(ITEMS, 0.3)) + 0.001

    def read(viewers: int) -> Examples:
        chances = taste / taste.sum()
        return task.read_records(
            [generator.choice(ITEMS, 12, replace=False, p=chances).tolist() for _ in range(viewers)]
        )

    rules = replace(task.suggested_rules(), server_rate="0.5")
    return Ground(task, rules, [read(4) for _ in range(8)], read(20))


def test_public_gradient_gives_the_sample_away() -> None:
    precision, recall, likeness = read_sampled_items(make_ground(), POSITIONS)
    assert precision > 0.95
    assert recall > 0.95
    assert likeness > 0.95


def test_scores_alone_tell_one_number_a_contribution() -> None:
    """A node that moves one item's bias alone reads from its public score whether the sample asks for that item."""
    ground = make_ground()
    rules = replace(ground.rules, sample_positions=POSITIONS)
    base = ground.task.initial_model(1)
    state = RoundState.initial(base.size, rules, ground.task.count_positions(ground.validation))
    honest = ground.train(base, state.clip, 1)
    probed = [int(item) for item in np.random.default_rng(1).permutation(ITEMS)[:10]]
    probes = [_move_bias(ground, item) for item in probed]
    revealed = [
        RevealedContribution(seq, 1, Verdict.ACCEPTED, partial(write_update, update))
        for seq, update in enumerate([*honest, *probes])
    ]
    outcome = run_round(RoundInputs(ground.task, rules, base, state, ground.validation, bytes(32), revealed))
    histories = Histories.of(ground.validation, ITEMS)
    asked = set(histories.items[histories.find_targets()[outcome.positions]].tolist())
    scores = [one.score for one in outcome.judged[len(honest) :]]
    assert [score > 0 for score in scores] == [item in asked for item in probed]


def _move_bias(ground: Ground, item: int) -> Update:
    vector = np.zeros(ground.task.layout.size, np.float32)
    ground.task.layout.unflatten(vector)["bias"][item] = 1.0
    update: Update = (vector * 100).astype(np.int16)
    return update
