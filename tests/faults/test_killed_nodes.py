"""A node and a fleet are killed at six moments: the same tallies, the same balances."""

from pathlib import Path

from tests.e2e.world import run_world
from tests.faults.conftest import Reference
from tests.faults.judging import BLOWS, verify_nothing_changed
from tests.faults.trial import Trial
from tests.faults.victims import Nodes


def test_killed_nodes_change_nothing(tmp_path: Path, undisturbed: Reference) -> None:
    with run_world(tmp_path / "world") as world:
        trial = Trial(world)
        victim = Nodes(world, trial)
        job = trial.run(victim)
        assert victim.hits == BLOWS
        verify_nothing_changed(world, job, undisturbed())
