"""How a node can pretend to work: every kind of DESIGN.md §4.5, and what those invite.

A cheat sees what is public: models, moves and published gradients of the rounds before, and their updates (the
evidence), here all of them. It sends integers, scaled up to the norm that the round allows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from learning.parameters import Vector32, Vector64
from learning.quantise import Update, dequantise, quantise
from learning.round import RoundOutcome
from learning.tasks import Examples, Task

FRACTION_BITS = 12
_AVERAGED = 20


@dataclass(frozen=True)
class Sight:
    """What a node sees when a round begins.

    Attributes:
        models: the model of every round so far, the initial one first; the last is trained from.
        outcomes: of the rounds before.
        updates: all updates of the rounds before.
        examples: the node's own.
        seed: of this node in this round.
    """

    task: Task
    models: Sequence[Vector32]
    outcomes: Sequence[RoundOutcome]
    updates: Sequence[Sequence[Update]]
    examples: Examples
    clip: int
    seed: int

    def generator(self) -> np.random.Generator:
        """This node's chance in this round."""
        return np.random.default_rng(self.seed)

    def scale(self, direction: Vector64) -> Update:
        """The direction at the largest norm that passes screening."""
        norm = float(np.sqrt(np.sum(direction * direction)))
        longest = self.clip / 2**FRACTION_BITS
        return quantise(direction * (longest / norm if norm else 0.0), FRACTION_BITS, self.clip)

    def train(self, examples: Examples) -> Update:
        """Honest training on these examples."""
        return quantise(self.task.train(self.models[-1], examples, self.seed).move, FRACTION_BITS, self.clip)

    def nothing(self) -> Update:
        """A zero update."""
        return np.zeros(self.models[-1].size, np.int16)


Behaviour = Callable[[Sight], Update]


def work_honestly(sight: Sight) -> Update:
    """Trains on all its examples."""
    return sight.train(sight.examples)


def send_zeros(sight: Sight) -> Update:
    """Does nothing."""
    return sight.nothing()


def send_noise(sight: Sight) -> Update:
    """A random direction."""
    return sight.scale(sight.generator().normal(size=sight.models[-1].size))


def replay_moves(sight: Sight) -> Update:
    """A mixture of the last three moves of the model."""
    moves = [later.astype(np.float64) - earlier for earlier, later in pairwise(sight.models)][-3:]
    return _mix(sight, moves)


def replay_older_moves(sight: Sight) -> Update:
    """The move from the initial model to the one of four rounds ago: no direction of the last three rounds."""
    if len(sight.models) < 6:
        return sight.nothing()
    return _mix(sight, [sight.models[-5].astype(np.float64) - sight.models[0]])


def replay_gradients(sight: Sight) -> Update:
    """A mixture of the last three published gradients, downhill."""
    published = [outcome.gradient.values for outcome in sight.outcomes if outcome.gradient is not None][-3:]
    return _mix(sight, [-values.astype(np.float64) for values in published])


def copy_old_update(sight: Sight) -> Update:
    """Another node's update of an earlier round, one element changed, so that its digest is new."""
    if not sight.updates:
        return sight.nothing()
    generator = sight.generator()
    earlier = sight.updates[int(generator.integers(len(sight.updates)))]
    copy = earlier[int(generator.integers(len(earlier)))].copy()
    copy[int(generator.integers(copy.size))] ^= 1
    norm = float(np.sqrt(np.sum(copy.astype(np.float64) ** 2)))
    return copy if norm <= sight.clip else sight.scale(dequantise(copy, FRACTION_BITS))


def copy_exactly(sight: Sight) -> Update:
    """Another node's update of the round before, as it was."""
    if not sight.updates:
        return sight.nothing()
    fitting = [one for one in sight.updates[-1] if np.sum(one.astype(np.float64) ** 2) <= sight.clip**2]
    return fitting[int(sight.generator().integers(len(fitting)))]


def average_old_updates(sight: Sight) -> Update:
    """The mean of twenty updates of earlier rounds, at full norm."""
    if not sight.updates:
        return sight.nothing()
    generator = sight.generator()
    everything = [update for earlier in sight.updates for update in earlier]
    chosen = generator.choice(len(everything), min(_AVERAGED, len(everything)), replace=False)
    return sight.scale(np.mean([dequantise(everything[one], FRACTION_BITS) for one in chosen.tolist()], axis=0))


def train_on_a_tenth(sight: Sight) -> Update:
    """Trains on the newest tenth of every viewer's history, two items at least."""
    offsets, items = sight.examples["offsets"].tolist(), sight.examples["items"].tolist()
    spans = list(pairwise(offsets))
    tenths = [items[end - min(end - start, max(2, (end - start) // 10)) : end] for start, end in spans]
    return sight.train(sight.task.read_records(tenths))


def flip_labels(sight: Sight) -> Update:
    """Trains on other items than were watched: each exchanged for the one at the catalogue's other end."""
    flipped = {**sight.examples, "items": int(sight.task.config["items"]) - 1 - sight.examples["items"]}
    return sight.train(flipped)


def shuffle_histories(sight: Sight) -> Update:
    """Trains on its viewers' items in a random order: the tastes are true, what comes next is not."""
    generator, offsets, items = sight.generator(), sight.examples["offsets"].tolist(), sight.examples["items"]
    spans = pairwise(offsets)
    return sight.train(sight.task.read_records([generator.permutation(items[a:b]).tolist() for a, b in spans]))


CHEATS: Mapping[str, Behaviour] = {
    "zero": send_zeros,
    "noise": send_noise,
    "replayed moves": replay_moves,
    "replayed older moves": replay_older_moves,
    "replayed gradients": replay_gradients,
    "copies of old updates": copy_old_update,
    "exact copies": copy_exactly,
    "averages of old updates": average_old_updates,
    "a tenth of the data": train_on_a_tenth,
    "label flipping": flip_labels,
    "shuffled histories": shuffle_histories,
}


def _mix(sight: Sight, directions: Sequence[Vector64]) -> Update:
    """A random mixture with positive parts, so that two nodes that do the same do not send the same."""
    if not directions:
        return sight.nothing()
    parts = sight.generator().uniform(0.1, 1.0, len(directions))
    mixture = sum(
        (part * _unit(one) for part, one in zip(parts, directions, strict=True)), np.zeros_like(directions[0])
    )
    return sight.scale(mixture)


def _unit(direction: Vector64) -> Vector64:
    norm = float(np.sqrt(np.sum(direction * direction)))
    return direction / norm if norm else direction
