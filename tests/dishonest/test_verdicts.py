"""False verdicts: no contract can decide them, every auditor who recomputes the round sees them."""

import pytest

from tests.dishonest.coordinator import publish_lie
from tests.dishonest.draft import Draft
from tests.dishonest.lies import Lie
from tests.dishonest.stage import NODES, Scene
from tests.dishonest.watching import Auditor


def call_duplicate(draft: Draft, seq: int) -> None:
    """An honest update is called a duplicate, and all that is published follows from that: nothing for its node."""
    entry = draft.entries[seq]
    before = draft.find_before(entry)
    credit, peak = (before.body.credit, before.body.peak) if before else (0, 0)
    draft.change_entry(seq, verdict=5, weight=0, score=0, credit=credit, peak=peak, gain=0)
    draft.pay()


LIE = Lie("call duplicate", call_duplicate, ())


@pytest.mark.parametrize("seq", range(NODES))
async def test_honest_update_called_a_duplicate_is_found_by_recomputing(
    scene: Scene, auditor: Auditor, seq: int
) -> None:
    draft = publish_lie(scene, LIE, seq)
    auditor.recompute = True
    assert await auditor.watch(draft.told) == 1
    first, second = auditor.find("round")
    assert (first["outcome"], second["outcome"]) == ("pass", "fail")
    assert "screening" in second["failed"]


async def test_false_verdict_is_no_fault_that_the_court_can_decide(scene: Scene, auditor: Auditor) -> None:
    """All that is signed and proven fits: without recomputing, a watchtower sees an honest round."""
    draft = publish_lie(scene, LIE, 1)
    assert await auditor.watch(draft.told) == 0
    assert (auditor.find("fault"), auditor.find("challenge_sent")) == ([], [])
    state = scene.gateway.fetch_job(scene.stage.job)
    assert state is not None
    assert (state.halted, state.bond) == (0, scene.stage.terms.bond)
