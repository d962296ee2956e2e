"""A watchtower that meets what nobody foresaw: it says so, calls nothing true that it did not check, and watches on."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from client.auditor.checks import RECOMPUTED_CHECKS
from client.auditor.learning.recompute import Recomputation
from client.auditor.watch.edge_looks import INTERNAL, INTERNAL_LEARNING
from client.auditor.watch.equipping import equip
from client.auditor.watch.job_watch import JobWatch
from client.auditor.watch.metrics import write_metrics
from client.auditor.watch.place import WatchedRound
from client.auditor.watch.verifying import RoundVerifier, Verified
from client.home import Home
from ledger.verify.bundle import RoundEvidence
from ledger.verify.results import Outcome, Result
from tests.dishonest.coordinator import draft_sealed, post, publish_lie
from tests.dishonest.stage import Scene
from tests.dishonest.test_watchtower import expect_struck
from tests.dishonest.test_watchtower_faults import OVERPAY
from tests.dishonest.watching import Auditor


class Unforeseen(Exception):
    """What no code of ours raises."""


def post_honest(scene: Scene) -> None:
    honest = draft_sealed(scene, 2)
    honest.publish()
    post(scene, honest)


def raise_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *numbers: int) -> None:
    """The method raises when its first argument is one of these rounds, or of these rounds' evidence."""
    honest = getattr(owner, name)

    def act(self: Any, first: Any, *others: Any) -> Any:
        number = getattr(first, "round", getattr(first, "number", first))
        if number in numbers:
            raise Unforeseen(f"round {number}")
        return honest(self, first, *others)

    monkeypatch.setattr(owner, name, act)


async def test_recomputation_that_raises_leaves_the_round_unknown_and_what_follows_from_it(
    scene: Scene, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_honest(scene)
    auditor.recompute = True
    with monkeypatch.context() as patch, capture_logs() as logs:
        raise_at(patch, Recomputation, "recompute", 1)
        assert await auditor.watch() == 3
    told = {line["round"]: line for line in auditor.find("round")}
    assert (told[1]["outcome"], told[1]["unknown"]) == ("unknown", [INTERNAL_LEARNING])
    assert told[2]["outcome"] == "unknown"
    assert set(RECOMPUTED_CHECKS) <= set(told[2]["unknown"])
    (line,) = auditor.find("internal_error")
    assert (line["round"], line["error"]) == (1, "Unforeseen")
    (logged,) = [entry for entry in logs if entry["event"] == "look_failed"]
    assert isinstance(logged["exc_info"], Unforeseen)
    # Who begins anew looks at it again, and calls nothing true before.
    assert await auditor.watch() == 0
    told = {line["round"]: line for line in auditor.find("round")}
    assert [told[number]["outcome"] for number in (1, 2)] == ["pass", "pass"]


async def test_round_that_stays_unknown_lets_no_later_one_pass_without_being_recomputed(
    scene: Scene, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor.recompute = True
    withheld = RoundVerifier.verify

    def verify(self: RoundVerifier, known: WatchedRound, as_of: int) -> Verified:
        found = withheld(self, known, as_of)
        unknown = [Result("finality", Outcome.UNKNOWN, known.number)] if known.number == 1 else []
        return Verified([*found.results, *unknown], found.complete)

    monkeypatch.setattr(RoundVerifier, "verify", verify)
    assert await auditor.watch() == 3
    post_honest(scene)
    seen: list[int] = []
    honest = Recomputation.recompute

    def recompute(self: Recomputation, read: RoundEvidence, files: Mapping[str, bytes]) -> list[Result]:
        seen.append(read.round)
        return honest(self, read, files)

    monkeypatch.setattr(Recomputation, "recompute", recompute)
    assert await auditor.watch() == 3
    assert seen == [2]


async def test_verification_that_raises_leaves_the_round_unknown_and_a_later_lie_is_struck(
    scene: Scene, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_lie(scene, OVERPAY, 1)
    with monkeypatch.context() as patch, capture_logs():
        raise_at(patch, RoundVerifier, "verify", 1)
        assert await auditor.watch() == 1
    (line,) = auditor.find("internal_error")
    assert INTERNAL in line["detail"]
    assert [fault["round"] for fault in auditor.find("fault")] == [2]
    assert await auditor.watch() == 1
    assert (1, "pass") in [(line["round"], line["outcome"]) for line in auditor.find("round")]
    await expect_struck(scene, auditor)


async def test_job_that_cannot_be_looked_at_takes_no_other_with_it(
    scene: Scene, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_honest(scene)
    auditor.challenge, other = False, b"\x0f" * 32
    honest = JobWatch.look

    def look(self: JobWatch) -> object:
        if self.job == other:
            raise Unforeseen
        return honest(self)

    monkeypatch.setattr(JobWatch, "look", look)
    order = replace(auditor.order(), jobs=[other, scene.stage.job])
    with equip(order, Home(auditor.home)) as tower:
        for _ in range(3):
            assert await asyncio.to_thread(tower.look)
        outcomes = [known.outcome for known in tower.jobs[1].place.rounds.values()]
        assert (outcomes, tower.exit_code, tower.looked_at) == (["pass", "pass"], 3, 0.0)
        assert 'tally_watch_events_total{event="internal_error"} 3' in write_metrics(tower).splitlines()
        assert tower.head > 0
