"""Audits of simulated jobs: what the checks of `ledger.verify` say, and how to change what they are given."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ledger import canonical
from ledger.verify.bundle import AuditedJob, History, JobFiles, RoundFiles
from ledger.verify.results import Outcome, Result
from ledger.verify.rounds import verify_job, verify_round
from tests.simulated.job import SimulatedJob

Path = tuple[str | int, ...]

CHANGES: dict[str, Callable[[list[Any]], object]] = {
    "remove": lambda items: items.pop(),
    "repeat": lambda items: items.insert(1, items[0]),
    "append": lambda items: items.append(items[0]),
    "reverse": lambda items: items.reverse(),
    "erase": lambda items: items.__setitem__(0, None),
}
"""What can be done to a list of a file."""


@cache
def play_three(scoring_rule: str = "aumann-shapley") -> SimulatedJob:
    """Three rounds of five nodes, one contribution unrevealed in each of the first two. Played once: never change."""
    job = SimulatedJob(nodes=5, rounds=3, scoring_rule=scoring_rule)
    job.play(hidden=[3])
    job.play(hidden=[1])
    job.play()
    return job


def open_job(job: SimulatedJob, files: JobFiles | None = None) -> tuple[list[Result], AuditedJob | None]:
    """Verifies the job's own files."""
    return verify_job(job.id, job.domain, files or job.job_files(), job.as_of)


def audit_rounds(job: SimulatedJob, bundles: Sequence[RoundFiles] | None = None) -> list[Result]:
    """Verifies a whole job, by default as it was played."""
    results, audited = open_job(job)
    assert audited is not None
    history = History.start(audited)
    for bundle in [played.bundle for played in job.rounds] if bundles is None else bundles:
        verified = verify_round(audited, history, bundle)
        results += verified.results
        history = verified.history
    return results


def audit_round(job: SimulatedJob, number: int, bundle: RoundFiles) -> list[Result]:
    """Verifies one round on top of the honest ones before it."""
    _, audited = open_job(job)
    assert audited is not None
    history = History.start(audited)
    for played in job.rounds[: number - 1]:
        history = verify_round(audited, history, played.bundle).history
    return verify_round(audited, history, bundle).results


def find(results: Sequence[Result], outcome: Outcome = Outcome.FAIL) -> set[str]:
    """The ids of the checks with this outcome."""
    return {result.check for result in results if result.outcome is outcome}


def change_file(bundle: RoundFiles, name: str, change: Callable[[Any], Any]) -> RoundFiles:
    """The same round with one JSON file changed, and nothing else adjusted."""
    value = canonical.decode(bundle.files[name])
    changed = change(value)
    content = canonical.encode(value if changed is None else changed)
    return replace(bundle, files={**bundle.files, name: content})


def cover(job: SimulatedJob, number: int, bundle: RoundFiles) -> RoundFiles:
    """What a lying coordinator publishes: manifest, header and anchor made anew over the changed files."""
    return job.seal(job.rounds[number - 1].header.statement, bundle.files)


def walk(value: Any, path: Path = ()) -> Iterator[Path]:
    """The place of every value in a JSON document that is no list and no object."""
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path
        return
    for key, item in items:
        yield from walk(item, (*path, key))


def flip(content: bytes, path: Path, byte: int = -1) -> bytes:
    """The same JSON document with one byte of the value at `path` flipped, still well-formed JSON."""
    document = json.loads(content)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = _flip_value(place[path[-1]], byte)
    return canonical.encode(document)


def _flip_value(value: Any, byte: int) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        content = bytearray.fromhex(value[2:])
        content[byte] ^= 1
        return "0x" + content.hex()
    if isinstance(value, str):
        return str(int(value) ^ 1) if value.removeprefix("-").isdecimal() else value[:-1] + chr(ord(value[-1]) ^ 1)
    if value is None:
        return 0
    return int(value) ^ 1
