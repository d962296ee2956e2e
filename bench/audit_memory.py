"""A process of its own for measuring an audit's memory.

`play FOLDER COUNT ROUNDS` writes a job; `audit FOLDER LAST` audits it from the disk and prints by how many bytes the
process grew at most.
"""

from __future__ import annotations

import pickle
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from client.auditor import Sources, audit
from client.auditor.scope import Scope
from ledger.verify.bundle import JobFiles
from tests.simulated.job import SimulatedJob
from tests.simulated.sources import SimulatedChain, make_facts


class Disk:
    """Hands out a job's files from a folder; no blobs and no entries."""

    def __init__(self, folder: Path, files: JobFiles) -> None:
        self.folder, self.files = folder, files

    def fetch_job(self, job: bytes) -> JobFiles:
        """The job's own files."""
        assert job
        return self.files

    def count_rounds(self, job: bytes) -> int:
        """As many as were played."""
        assert job
        return sum(path.is_dir() for path in self.folder.iterdir())

    def fetch_round(self, job: bytes, number: int) -> Mapping[str, bytes]:
        """A round's files, read anew."""
        assert job
        return {path.name: path.read_bytes() for path in (self.folder / str(number)).iterdir()}

    def fetch_file(self, job: bytes, number: int, name: str) -> bytes | None:
        """Nothing: no entry is explained."""
        return None if job else b"%d %s" % (number, name.encode())

    def fetch_entry(self, job: bytes, number: int, node: bytes) -> bytes | None:
        """Nothing: proofs that were handed out are no part of this figure."""
        return None if job else b"%d %s" % (number, node)

    def fetch_blob(self, digest: bytes, limit_bytes: int) -> bytes | None:
        """Nothing: the learning is not recomputed."""
        return None if digest else bytes(limit_bytes)


def play(folder: Path, count: int, rounds: int) -> None:
    """Write a job of `rounds` rounds with `count` contributions each."""
    job = SimulatedJob(nodes=count, rounds=rounds)
    for number in range(1, rounds + 1):
        (folder / str(number)).mkdir(parents=True)
        for name, content in job.play().bundle.files.items():
            (folder / str(number) / name).write_bytes(content)
    (folder / "facts.pickle").write_bytes(pickle.dumps((job.id, job.job_files(), make_facts(job))))


def measure(folder: Path, last: int) -> int:
    """Audit the rounds up to `last`; bytes that the process grew by at most."""
    job, files, facts = pickle.loads((folder / "facts.pickle").read_bytes())  # noqa: S301 -- written by `play`
    sources = Sources(Disk(folder, files), SimulatedChain(facts))
    before = psutil.Process().memory_info().rss
    report = audit(job, sources, Scope(last=last, recompute=False))
    assert report.exit_code != 1, report
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit - int(before)


def main() -> None:
    """As the module says."""
    command, folder, *numbers = sys.argv[1:]
    if command == "play":
        play(Path(folder), *map(int, numbers))
    else:
        print(measure(Path(folder), *map(int, numbers)))


if __name__ == "__main__":
    main()
