"""The coordinator loses its connection to the chain at six moments: the same tallies, the same balances."""

from pathlib import Path

from tests.e2e.world import run_world
from tests.faults.conftest import Reference
from tests.faults.judging import BLOWS, verify_nothing_changed
from tests.faults.trial import Trial
from tests.faults.victims import ChainLink


def test_cut_chain_changes_nothing(tmp_path: Path, undisturbed: Reference) -> None:
    with run_world(tmp_path / "world") as world:
        trial = Trial(world)
        victim = ChainLink(world)
        job = trial.run(victim)
        assert victim.hits == BLOWS
        verify_nothing_changed(world, job, undisturbed())
