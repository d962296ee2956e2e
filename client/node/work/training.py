"""What a node does with an assignment's model, which ends in a payload: it trains.

What dishonest nodes do instead is in `dishonest.py`, which an honest node never loads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from client.errors import ClientError
from ledger.hashing import sha256
from ledger.spec import JobSpec
from ledger.wire import CommitAssignment

if TYPE_CHECKING:
    from learning.parameters import Vector32
    from learning.tasks import Examples, Task

HONEST = "trained"
INFLATED = "inflated-counts"
"""Names of `--update` beside those of dishonest strategies: to train, and to train but claim more samples."""

# A data set whose sizes are unknown before it is read: the task turns it into its own examples.
Reader = Callable[["Task"], "Examples"]


@dataclass(frozen=True, slots=True)
class Work:
    """One training: the task and rules of a job, the model file to start from, one node's data.

    `clip` bounds the update's norm in units of 2^-fraction_bits; `seed` is this node's and round's own; `readers` are
    those of every node in this process, by address.
    """

    job: bytes
    round: int
    node: bytes
    spec: JobSpec
    model: bytes
    read_examples: Reader
    clip: int
    seed: int
    readers: Mapping[bytes, Reader]


@dataclass(frozen=True, slots=True)
class Trained:
    """A payload and what the node says about it; the report is digested into the contribution.

    `move [n] float32` is what the payload was made of, where it can be made anew under another clip.
    """

    payload: bytes
    samples: int
    seconds: float
    cpu_seconds: float
    report: Mapping[str, str]
    move: Vector32 | None = field(default=None, repr=False, compare=False)


class TrainingFailed(ClientError):
    """Data and model do not give an update."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"training gave no update: {problem}")


class Trainer(Protocol):
    """Makes a payload of an assignment; runs in the training thread."""

    def train(self, work: Work) -> Trained:
        """Raises Malformed when data or model are not the task's, TrainingFailed when nothing comes of them."""

    def close(self) -> None:
        """Ends what it keeps open."""


class HonestTrainer:
    """Trains on the node's data as the job's task says, with at most `threads` threads (0: as many as torch likes)."""

    def __init__(self, version: str, device: str, threads: int = 0) -> None:
        self.version, self.device, self.threads = version, device, threads

    def train(self, work: Work) -> Trained:
        """The scaled and rounded move of one local training."""
        from learning.payload import write_update  # noqa: PLC0415 -- two seconds of imports
        from learning.quantise import UnusableMove, quantise  # noqa: PLC0415
        from learning.tensors import read_model  # noqa: PLC0415

        limit_torch(self.threads)
        task = find_task(work.spec)
        began, cpu_began = time.perf_counter(), time.thread_time()
        training = task.train(read_model(task.layout, work.model), work.read_examples(task), work.seed)
        try:
            payload = write_update(quantise(training.move, work.spec.fraction_bits, work.clip))
        except UnusableMove as error:
            raise TrainingFailed(str(error)) from None
        seconds = time.perf_counter() - began
        report = {
            "device": self.device,
            "loss": f"{training.loss:.6f}",
            "seconds": f"{seconds:.3f}",
            "version": self.version,
        }
        return Trained(payload, training.samples, seconds, time.thread_time() - cpu_began, report, training.move)

    def close(self) -> None:
        """Nothing is open."""


def describe_work(
    work: CommitAssignment, node: bytes, spec: JobSpec, model: bytes, read: Reader, readers: Mapping[bytes, Reader]
) -> Work:
    """An assignment as a trainer sees it; `read` gives the node's own data."""
    seed = compute_seed(work.job, work.round, node)
    return Work(work.job, work.round, node, spec, model, read, work.clip, seed, readers)


def limit_torch(threads: int) -> None:
    """Holds torch to so many threads; 0 leaves it alone."""
    if threads:
        import torch  # noqa: PLC0415 -- two seconds of imports

        torch.set_num_threads(threads)


def find_task(spec: JobSpec) -> Task:
    """The installed task that a spec names. Raises MalformedSpec when this version has none of that name."""
    from learning.tasks import get_task  # noqa: PLC0415

    return get_task(spec.task.name, spec.task.config)


def compute_seed(job: bytes, round_number: int, node: bytes) -> int:
    """A seed that differs by job, round and node, and is the same after a restart."""
    digest = sha256(b"tallystick training seed" + job + round_number.to_bytes(8, "big") + node)
    return int.from_bytes(digest[:8], "big") >> 1
