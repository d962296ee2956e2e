"""A whole job as people run it: real programs, pay by what an update is worth, claims, and an audit of all of it."""

from pathlib import Path

from client import calls
from client.auditor.checks import POPULATION_CHECKS
from ledger.hexadecimal import to_address
from tests.e2e.outcome import read_outcome
from tests.e2e.world import run_world
from tests.faults.judging import verify_audit, verify_paid

ROUNDS = 2


def test_job_is_paid_by_worth_and_passes_its_audit(tmp_path: Path) -> None:
    """A node that sends zeros earns exactly 0, the others what the tallies say, to the base unit."""
    with run_world(tmp_path / "world") as world:
        world.start_node("--update", "zero")
        world.start_fleet()
        world.wait_joined()
        files = {"validation": str(world.validation), "holdout": str(world.holdout)}
        job = world.create_job({"rounds": ROUNDS, "validationPositions": 150, "pricePerNat": "100", **files})
        views = world.wait_final(job, ROUNDS)
        world.start_claims()[1].wait()

        outcome = read_outcome(world, job)
        verify_paid(outcome)
        zero = to_address(world.node_a)
        assert outcome.balances[zero] == 0
        assert {
            share.score for tallied in outcome.rounds for node, share in tallied.shares.items() if node == zero
        } == {0}
        assert all(amount > 0 for node, amount in outcome.balances.items() if node != zero)
        assert {share.verdict for tallied in outcome.rounds for share in tallied.shares.values()} == {0}
        assert outcome.rounds[1].base_model == outcome.rounds[0].next_model != outcome.rounds[0].base_model
        assert all(view.metrics and view.metrics["accuracy"] > 0 for view in world.api.fetch(calls.rounds(job)))
        assert [view.round for view in views] == [1, 2]
        verify_audit(world.audit(job))
        # There was room for all: who was registered is not needed, and a bundle does not tell it.
        verify_audit(world.audit_bundle(job), without=POPULATION_CHECKS)
