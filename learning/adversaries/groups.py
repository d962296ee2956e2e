"""Who plays in a job: honest nodes, and among them cheats of one kind, or one operator behind many names.

A composition is a function from the nodes' examples and the places of the dishonest ones to everyone's data and
behaviours. Whoever takes part has one name (a node's key) a place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from learning.adversaries.copies import add_noise, find_noise
from learning.adversaries.examples import split
from learning.adversaries.lazy import work_honestly
from learning.adversaries.sight import Behaviour, Sight
from learning.adversaries.strategies import ADVERSARIES
from learning.quantise import Update
from learning.tasks import Examples, Task

_INFLATION: Final = 1_000


@dataclass(frozen=True)
class Cast:
    """Who takes part, by place.

    Attributes:
        nodes: everyone's examples.
        behaviours: what each does.
        dishonest: the places of those who cheat, together.
        inflation: how many times their samples the dishonest say they have.
        vouched: whether the job weighs by samples that the platform vouched for; else all weigh the same.
        throwaway: whether the dishonest come with new keys every round, and so leave their debts behind.
    """

    nodes: Sequence[Examples]
    behaviours: Sequence[Behaviour]
    dishonest: Sequence[int] = ()
    inflation: int = 1
    vouched: bool = False
    throwaway: bool = False

    @classmethod
    def of_honest(cls, nodes: Sequence[Examples]) -> Cast:
        """Nobody cheats."""
        return cls(nodes, [work_honestly] * len(nodes))

    def put(self, places: Sequence[int], behaviours: Sequence[Behaviour], data: Sequence[Examples] = ()) -> Cast:
        """The same with others at these places; `data` replaces their examples."""
        nodes, doing = list(self.nodes), list(self.behaviours)
        for number, place in enumerate(places):
            doing[place] = behaviours[number]
            nodes[place] = data[number] if data else nodes[place]
        return replace(self, nodes=nodes, behaviours=doing, dishonest=tuple(places))


Composition: TypeAlias = Callable[[Task, Cast, Sequence[int]], Cast]


def choose_places(nodes: int, share: float, seed: int) -> list[int]:
    """Which of so many nodes are dishonest: the share rounded, drawn by the seed."""
    drawn = np.random.default_rng(seed).permutation(nodes)[: round(share * nodes)]
    return sorted(int(place) for place in drawn)


def compose(kind: str, task: Task, nodes: Sequence[Examples], places: Sequence[int]) -> Cast:
    """A job in which the nodes at these places do what `kind` says; KINDS lists the kinds."""
    honest = Cast.of_honest(nodes)
    if kind in ADVERSARIES:
        return honest.put(places, [ADVERSARIES[kind]] * len(places))
    return COMPOSITIONS[kind](task, honest, places)


def inflate_counts(task: Task, honest: Cast, places: Sequence[int]) -> Cast:  # noqa: ARG001 -- a Composition
    """Honest nodes that say they have a thousand times their samples."""
    return replace(honest.put(places, [work_honestly] * len(places)), inflation=_INFLATION)


def split_operator(task: Task, honest: Cast, places: Sequence[int], *, repeat: bool = True) -> Cast:
    """One operator with the data of one node, a part of it under each name."""
    pieces = split(task, choose_data(task, honest, places), len(places), repeat=repeat)
    return honest.put(places, [work_honestly] * len(places), pieces)


def split_vouched(task: Task, honest: Cast, places: Sequence[int]) -> Cast:
    """One operator with the data of one node under many names, where samples vouched for weigh."""
    # The platform gives a viewer to one node only: names beyond the viewers have nothing.
    return replace(split_operator(task, honest, places, repeat=False), vouched=True)


def copy_operator(task: Task, honest: Cast, places: Sequence[int]) -> Cast:
    """One operator that trains on the data of one node under every name, each with a chance of its own."""
    return honest.put(places, [work_honestly] * len(places), [choose_data(task, honest, places)] * len(places))


def pool_with_noise(task: Task, honest: Cast, places: Sequence[int]) -> Cast:
    """A group in which one trains and the others send what it sends under noise."""
    leader = choose_data(task, honest, places)
    followers = [partial(follow, leader=leader)] * (len(places) - 1)
    return honest.put(places, [partial(lead, leader=leader), *followers])


def choose_data(task: Task, honest: Cast, places: Sequence[int]) -> Examples:
    """The examples of the middle one of these nodes by size: what one name would earn is then no accident."""
    ordered = sorted(places, key=lambda place: task.count_positions(honest.nodes[place]))
    return honest.nodes[ordered[len(ordered) // 2]]


def oppose(task: Task, honest: Cast, places: Sequence[int]) -> Cast:  # noqa: ARG001 -- a Composition
    """Pairs that send +v and −v of a random v, with new keys every round: one of the two gains, neither pays."""
    behaviours = [partial(send_signed, pair=number // 2, sign=1 - number % 2 * 2) for number in range(len(places))]
    return replace(honest.put(places, behaviours), throwaway=True)


def lead(sight: Sight, leader: Examples) -> Update:
    """What the leader of a group learned."""
    return sight.quantise(sight.task.train(sight.models[-1], leader, sight.find_common_seed()).move)


def follow(sight: Sight, leader: Examples) -> Update:
    """The same under noise of one's own, as much as makes it no near copy, at full norm."""
    noise = find_noise(sight.screening)
    return sight.scale(add_noise(sight.dequantise(lead(sight, leader)), noise, sight.generator()))


def send_signed(sight: Sight, pair: int, sign: int) -> Update:
    """A random direction that the pair agrees on, forwards or backwards."""
    generator = np.random.default_rng([sight.find_common_seed(), pair])
    return sight.scale(sign * generator.normal(size=sight.models[-1].size))


COMPOSITIONS: Final[Mapping[str, Composition]] = MappingProxyType(
    {
        "inflated-counts": inflate_counts,
        "operator-split": split_operator,
        "operator-split-vouched": split_vouched,
        "operator-copied": copy_operator,
        "pooled-noise": pool_with_noise,
        "plus-minus": oppose,
    }
)
"""What takes more than a way to make one update."""

KINDS: Final = (*ADVERSARIES, *COMPOSITIONS)
