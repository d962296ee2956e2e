"""The tables of legal moves."""

import pytest

from coordinator.jobs import service as jobs
from coordinator.rounds.moves import MOVES


def test_every_state_is_reached_and_every_end_is_an_end() -> None:
    for moves, first in ((MOVES, "committing"), (jobs.MOVES, "accepted")):
        reached, waiting = set(), [first]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting.extend(moves[state])
        assert reached == set(moves)


@pytest.mark.parametrize("state", ["final", "rejected"])
def test_what_is_final_or_rejected_never_moves(state: str) -> None:
    assert MOVES[state] == frozenset()
