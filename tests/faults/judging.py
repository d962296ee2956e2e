"""What must hold after any trial: the outcome of the undisturbed job, money that equals the tallies, a passed audit."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from tests.e2e.outcome import Outcome, read_outcome
from tests.e2e.world import World

BLOWS = 6


def verify_nothing_changed(world: World, job: bytes, undisturbed: dict[str, Any]) -> None:
    """Compares tallies and balances to the base unit, and lets an auditor recompute everything."""
    outcome = read_outcome(world, job)
    verify_paid(outcome)
    assert asdict(outcome) == undisturbed
    verify_audit(world.audit(job))


def verify_paid(outcome: Outcome) -> None:
    """Every node has on chain what its newest entry says, once."""
    assert outcome.balances == outcome.claimed == outcome.list_earned()
    assert outcome.paid == sum(outcome.balances.values()) > 0
    assert outcome.posted == len(outcome.rounds)


def verify_audit(report: dict[str, Any], without: Collection[str] = ()) -> None:
    """Every check passed, none was left out, but for those that this source cannot answer."""
    outcomes = {check["id"]: check["outcome"] for check in report["checks"]}
    assert {outcomes.pop(check) for check in without} <= {"unknown"}
    assert report["exitCode"] == 0
    assert set(outcomes.values()) == {"pass"}, outcomes
    assert {"anchor", "claims", "escrow", "next-model"} <= outcomes.keys()
