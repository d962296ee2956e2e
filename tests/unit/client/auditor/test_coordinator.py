"""What an auditor takes from a coordinator's lists: what is in them, or nothing."""

import pytest

from client.auditor.evidence.coordinator import _take, count_sealed


def test_sealed_rounds_are_counted_from_the_first_on() -> None:
    states = ["sealed", "anchored", "final", "tallying", "sealed"]
    listed = ",".join(f'{{"round": {at + 1}, "state": "{state}"}}' for at, state in enumerate(states))
    assert count_sealed(f"[{listed}]".encode()) == 3


@pytest.mark.parametrize("state", ["[]", "{}", "null", "true", "-1", "1.5", '"x"'])
def test_round_in_a_state_that_there_is_not_is_not_sealed(state: str) -> None:
    assert count_sealed(f'[{{"round": 1, "state": {state}}}]'.encode()) == 0


@pytest.mark.parametrize("content", ["", "{}", "[3]", "[[]]", '[{"round": [], "state": "sealed"}]', "[" * 5_000])
def test_list_that_is_none_has_no_sealed_round(content: str) -> None:
    assert count_sealed(content.encode()) == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"acceptance": 1.5}', '{"acceptance": 9007199254740993}', "3"])
def test_member_that_no_canonical_file_can_hold_is_not_given(content: str) -> None:
    assert _take(content.encode(), "acceptance") is None
