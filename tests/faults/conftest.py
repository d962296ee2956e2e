"""The same job without any fault: run once for all test processes, what it came to is compared with."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.e2e.outcome import read_outcome
from tests.e2e.world import run_world
from tests.faults.trial import Trial

Reference = Callable[[], dict[str, Any]]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Reference:
    """Returns the outcome of the undisturbed job; the first who asks runs it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    return lambda: _load_or_run(shared / "undisturbed")


def _load_or_run(folder: Path) -> dict[str, Any]:
    file = folder.with_suffix(".json")
    with FileLock(folder.with_suffix(".lock")):
        if not file.exists():
            with run_world(folder) as world:
                job = Trial(world).run_undisturbed()
                file.write_text(json.dumps(asdict(read_outcome(world, job))), encoding="utf-8")
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return read
