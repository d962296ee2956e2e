"""Nodes that only pretend to work, as `--update NAME` asks for them: to try out what a job's rules do about them.

Each plays a strategy of `learning.adversaries` on what a node can see, and says that it trained. Nothing here can do
what another client could not do: the rules must hold against all of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from client.errors import TransportUnreachable, UsageRefused
from client.node.data.sources import NoSamples
from client.node.work.eyes import Eyes, Unseen
from client.node.work.training import (
    HONEST,
    INFLATED,
    HonestTrainer,
    Trained,
    Trainer,
    TrainingFailed,
    Work,
    find_task,
    limit_torch,
)
from learning.adversaries import ADVERSARIES, Behaviour, Sight
from learning.payload import write_update
from learning.quantise import Update
from learning.tasks import Examples, Task
from learning.tensors import read_model

BOAST = 1_000
"""How many times its samples an inflating node claims."""


@dataclass(frozen=True)
class AdversaryTrainer:
    """Plays a strategy.

    Attributes:
        name: of the strategy, for messages.
        group: the nodes that play it together, this one among them.
        threads: for local training; 0 for as many as torch likes.
    """

    name: str
    behave: Behaviour
    eyes: Eyes
    group: Sequence[bytes]
    version: str
    device: str
    threads: int = 0

    def train(self, work: Work) -> Trained:
        """Whatever the strategy makes of what it sees; claims all samples and a perfect loss.

        Raises:
            TrainingFailed: the strategy finds nothing to send, or the coordinator is not there to be looked at.
        """
        limit_torch(self.threads)
        task = find_task(work.spec)
        began, cpu_began = time.perf_counter(), time.thread_time()
        examples = work.read_examples(task)
        update = self._behave(self._look(task, examples, work))
        report = {"device": self.device, "loss": "0.000000", "seconds": "0.001", "version": self.version}
        seconds, cpu_seconds = time.perf_counter() - began, time.thread_time() - cpu_began
        return Trained(write_update(update), task.count_positions(examples), seconds, cpu_seconds, report)

    def close(self) -> None:
        """Stops looking."""
        self.eyes.close()

    def _look(self, task: Task, examples: Examples, work: Work) -> Sight:
        size, place = task.layout.size, (work.job, work.round)
        return Sight(
            task=task,
            models=self.eyes.see_models(*place, task.layout, read_model(task.layout, work.model)),
            gradients=self.eyes.see_gradients(*place, size),
            updates=self.eyes.see_updates(*place, size),
            examples=examples,
            clip=work.clip,
            fraction_bits=work.spec.fraction_bits,
            seed=work.seed,
            accomplices=Unseen(lambda: self._ask_around(task, work)),
            screening=work.spec.screening,
        )

    def _behave(self, sight: Sight) -> Update:
        try:
            return self.behave(sight)
        except TransportUnreachable as error:
            raise TrainingFailed(f"`{self.name}` sees nothing: {error}") from None
        except (ValueError, LookupError, ArithmeticError) as error:
            # A strategy that does not fit the task, the data or what is visible sends nothing: the node waits.
            reason = f"{type(error).__name__}: {error}"
            raise TrainingFailed(f"`{self.name}` makes nothing of what it sees ({reason})") from None

    def _ask_around(self, task: Task, work: Work) -> list[Examples]:
        """The examples of the group; whoever has not pulled any yet is left out."""
        found = []
        for node in self.group:
            try:
                found.append(work.readers[node](task))
            except NoSamples:
                continue
        return found


class InflatedTrainer:
    """Trains, and claims a thousand times the samples that it has."""

    def __init__(self, honest: HonestTrainer) -> None:
        self._honest = honest

    def train(self, work: Work) -> Trained:
        """An honest update with a boast."""
        trained = self._honest.train(work)
        return replace(trained, samples=BOAST * trained.samples)

    def close(self) -> None:
        """Nothing is open."""


class MixedTrainer:
    """Every node of a process with its part."""

    def __init__(self, trainers: Mapping[bytes, Trainer]) -> None:
        self._trainers = trainers

    def train(self, work: Work) -> Trained:
        """What the node's part is; raises what that raises."""
        return self._trainers[work.node].train(work)

    def close(self) -> None:
        """Ends every part."""
        for trainer in self._trainers.values():
            trainer.close()


def list_parts() -> list[str]:
    """Every name that `--update` takes."""
    return [HONEST, INFLATED, *ADVERSARIES]


def verify_parts(names: Sequence[str], nodes: int) -> None:
    """Checks that there is one known name for all nodes, or one for each. Raises UsageRefused."""
    unknown = [name for name in names if name not in list_parts()]
    if unknown:
        raise UsageRefused(f"--update {unknown[0]}: expected one of {', '.join(list_parts())}")
    if len(names) not in (1, nodes):
        raise UsageRefused(f"expected --update once for all {nodes} nodes, or once for each, got {len(names)}")


def create_trainer(names: Sequence[str], nodes: Sequence[bytes], eyes: Eyes, honest: HonestTrainer) -> MixedTrainer:
    """Gives each node its part: one name for all, or one a node; those with the same name are one group."""
    verify_parts(names, len(nodes))
    parts = dict(zip(nodes, names if len(names) > 1 else [*names] * len(nodes), strict=True))
    made: dict[str, Trainer] = {HONEST: honest, INFLATED: InflatedTrainer(honest)}
    for name in set(parts.values()) - set(made):
        group = [node for node in nodes if parts[node] == name]
        made[name] = AdversaryTrainer(
            name, ADVERSARIES[name], eyes, group, honest.version, honest.device, honest.threads
        )
    return MixedTrainer({node: made[name] for node, name in parts.items()})
