"""What an auditor takes from a coordinator's lists: what is in them, or nothing."""

import json

import pytest

from client.auditor.evidence.coordinator import _take, count_sealed


def test_sealed_rounds_are_counted_from_the_first_on() -> None:
    """Struck ones have a header too; what was dropped before it had one was never promised to anybody."""
    headers = ["0x00", "0x01", "0x02", None, "0x04"]
    listed = [{"round": at + 1, "state": "rejected", "header": header} for at, header in enumerate(headers)]
    assert count_sealed(json.dumps(listed).encode()) == 3


@pytest.mark.parametrize("header", ["[]", "{}", "null", "true", "-1", "1.5"])
def test_round_with_what_is_no_header_is_not_sealed(header: str) -> None:
    assert count_sealed(f'[{{"round": 1, "header": {header}}}]'.encode()) == 0


@pytest.mark.parametrize("content", ["", "{}", "[3]", "[[]]", '[{"round": [], "header": "0x00"}]', "[" * 5_000])
def test_list_that_is_none_has_no_sealed_round(content: str) -> None:
    assert count_sealed(content.encode()) == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"acceptance": 1.5}', '{"acceptance": 9007199254740993}', "3"])
def test_member_that_no_canonical_file_can_hold_is_not_given(content: str) -> None:
    assert _take(content.encode(), "acceptance") is None
