"""The coordinator, with its worker, is killed at six moments: the same tallies, the same balances."""

from pathlib import Path

from tests.e2e.world import run_world
from tests.faults.conftest import Reference
from tests.faults.judging import BLOWS, verify_nothing_changed
from tests.faults.trial import Trial
from tests.faults.victims import Coordinator


def test_killed_coordinator_changes_nothing(tmp_path: Path, undisturbed: Reference) -> None:
    with run_world(tmp_path / "world") as world:
        trial = Trial(world)
        victim = Coordinator(world)
        job = trial.run(victim)
        assert victim.hits == BLOWS
        verify_nothing_changed(world, job, undisturbed())
