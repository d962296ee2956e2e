"""Two rounds of the recommender in a process of their own; prints what came of them. See test_threads.py."""

import hashlib
import json
import sys

import numpy as np
import torch

from learning.quantise import quantise
from learning.round import RoundInputs, run_round
from learning.state import RoundState
from learning.tasks import get_task
from tests.unit.learning.digits_job import beacon, reveal

NODES, ROUNDS, ITEMS, WATCHED = 3, 2, 1682, 120


def walk(draw: np.random.Generator) -> list[int]:
    """A history with something to learn: whoever watches an item goes on to one of the next three."""
    history = [int(draw.integers(WATCHED))]
    while len(history) < 30 and (item := (history[-1] + int(draw.integers(1, 4))) % WATCHED) not in history:
        history.append(item)
    return history


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    task = get_task("recommender", {"items": ITEMS, "steps": 8})
    draw = np.random.default_rng(5)
    shares = [task.read_records([walk(draw) for _ in range(40)]) for _ in range(NODES)]
    validation = task.read_records([walk(draw) for _ in range(40)])
    rules = task.suggested_rules()
    base = task.initial_model(1)
    state = RoundState.initial(base.size, rules, task.count_positions(validation))
    told = []
    payloads: dict[bytes, bytes] = {}
    for number in range(1, ROUNDS + 1):
        moves = [task.train(base, share, 10 * number + node).move for node, share in enumerate(shares)]
        updates = [quantise(move, rules.fraction_bits, state.clip) for move in moves]
        revealed = reveal(updates)
        payloads |= {one.payload: one.read() for one in revealed}
        inputs = RoundInputs(task, rules, base, state, validation, beacon(number), revealed, payloads.__getitem__)
        outcome = run_round(inputs)
        base, state = outcome.model, outcome.state
        told.append(
            {
                "updates": [hashlib.sha256(update.tobytes()).hexdigest() for update in updates],
                "model": hashlib.sha256(outcome.model_bytes).hexdigest(),
                "state": hashlib.sha256(outcome.state.to_bytes()).hexdigest(),
                "void": outcome.void,
                "scores": [one.score for one in outcome.judged],
            }
        )
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
