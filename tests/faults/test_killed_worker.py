"""The worker, a process of its own, is killed at six moments while the API goes on: the same tallies and balances."""

from pathlib import Path

from tests.e2e.world import run_world
from tests.faults.conftest import Reference
from tests.faults.judging import BLOWS, verify_nothing_changed
from tests.faults.trial import Trial
from tests.faults.victims import Worker


def test_killed_worker_changes_nothing(tmp_path: Path, undisturbed: Reference) -> None:
    with run_world(tmp_path / "world", single_worker=False) as world:
        trial = Trial(world)
        victim = Worker(world)
        job = trial.run(victim)
        assert victim.hits == BLOWS
        verify_nothing_changed(world, job, undisturbed())
