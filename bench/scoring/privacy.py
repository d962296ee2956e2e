"""What a reader of open evidence learns: of an update about who made it, of a gradient about the validation set."""

from dataclasses import replace
from functools import partial

import numpy as np

from bench.scoring.grounds import Ground
from learning.payload import write_update
from learning.quantise import dequantise
from learning.round import RevealedContribution, RoundInputs, run_round
from learning.state import RoundState
from learning.tasks.recommender.histories import Histories
from ledger.entry import Verdict

_NODES = 40


def read_watched_items(ground: Ground) -> tuple[float, float]:
    """Takes the items whose bias rose for the watched ones; the means of precision and recall over nodes, round 1."""
    base = ground.task.initial_model(1)
    bits = ground.rules.fraction_bits
    found = []
    for examples, update in zip(ground.nodes, ground.train(base, ground.rules.first_clip, 1, _NODES), strict=False):
        risen = set(np.flatnonzero(ground.task.layout.unflatten(dequantise(update, bits))["bias"] > 0).tolist())
        watched = set(examples["items"].tolist())
        found.append((len(risen & watched) / max(1, len(risen)), len(risen & watched) / len(watched)))
    precision, recall = np.mean(found, axis=0).tolist()
    return precision, recall


def read_sampled_items(ground: Ground, positions: int) -> tuple[float, float, float]:
    """Takes the items whose bias a published gradient wants larger for those that the sample asks for, in round 1.

    Returns the precision and the recall of that guess, and the correlation of how much larger with how often each item
    is asked for: the gradient of an item's bias is its probability less its share of the sample, over all positions.
    """
    rules = replace(ground.rules, sample_positions=positions)
    base = ground.task.initial_model(1)
    state = RoundState.initial(base.size, rules, ground.task.count_positions(ground.validation))
    revealed = [
        RevealedContribution(seq, 1, Verdict.ACCEPTED, partial(write_update, update))
        for seq, update in enumerate(ground.train(base, state.clip, 1, _NODES))
    ]
    outcome = run_round(RoundInputs(ground.task, rules, base, state, ground.validation, bytes(32), revealed))
    if outcome.gradient is None:
        raise ValueError("expected a round that lowers the loss, got one without a gradient")
    wanted = -ground.task.layout.unflatten(outcome.gradient.values.astype(np.float32))["bias"]
    histories = Histories.of(ground.validation, wanted.size)
    asked = np.bincount(histories.items[histories.find_targets()[outcome.positions]], minlength=wanted.size)
    guess, truth = set(np.flatnonzero(wanted > 0).tolist()), set(np.flatnonzero(asked).tolist())
    precision, recall = len(guess & truth) / max(1, len(guess)), len(guess & truth) / len(truth)
    return precision, recall, float(np.corrcoef(wanted, asked)[0, 1])
