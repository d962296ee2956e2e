"""What an auditor trusts comes from options and its own file, never from a coordinator."""

from pathlib import Path

import pytest

from client.auditor.policy import MalformedPolicy, Policy, choose_policy, find_policy
from client.auditor.reading import parse_job, parse_node, parse_rounds
from client.errors import UsageRefused
from client.home import Home
from ledger.hexadecimal import to_address

LEDGER, OTHER = b"\1" * 20, b"\2" * 20


def test_nothing_named_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="which ledger do you trust"):
        choose_policy(Home(tmp_path), None, None)


def test_option_names_the_ledger(tmp_path: Path) -> None:
    assert choose_policy(Home(tmp_path), to_address(LEDGER), None) == Policy(None, LEDGER)
    assert choose_policy(Home(tmp_path), to_address(LEDGER), 5) == Policy(5, LEDGER)


def test_pinned_ledger_is_used_and_an_option_can_name_another(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Policy(5, LEDGER).save(home)
    assert choose_policy(home, None, None) == Policy(5, LEDGER)
    assert choose_policy(home, to_address(LEDGER), None) == Policy(5, LEDGER)
    assert choose_policy(home, to_address(OTHER), 7) == Policy(7, OTHER)


def test_chain_other_than_the_pinned_one_is_wrong_use(tmp_path: Path) -> None:
    home = Home(tmp_path)
    Policy(5, LEDGER).save(home)
    with pytest.raises(UsageRefused, match="expected chain 5"):
        choose_policy(home, None, 7)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"chainId":"5","jobLedger":"0x1"}'])
def test_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    home = Home(tmp_path)
    find_policy(home).write_bytes(content)
    with pytest.raises(MalformedPolicy, match="tally audit pin"):
        choose_policy(home, None, None)


def test_mistyped_addresses_and_ids_are_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused, match="--ledger"):
        choose_policy(Home(tmp_path), "0x12", None)
    with pytest.raises(UsageRefused, match="JOB"):
        parse_job("0x12")
    with pytest.raises(UsageRefused, match="address"):
        parse_node("me")
    assert parse_job("0x" + "AB" * 32) == b"\xab" * 32


@pytest.mark.parametrize(("text", "expected"), [(None, (1, None)), ("3", (3, 3)), ("2-7", (2, 7))])
def test_ranges_of_rounds(text: str | None, expected: tuple[int, int | None]) -> None:
    assert parse_rounds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "3-2", "a-b", "1-", "-3", "1-2-3"])
def test_range_that_is_none_is_wrong_use(text: str) -> None:
    with pytest.raises(UsageRefused, match="--rounds"):
        parse_rounds(text)


def test_everything_that_was_pinned_is_read_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    pinned = Policy(5, LEDGER, b"\3" * 32, OTHER, finalized=True)
    pinned.save(home)
    assert choose_policy(home, None, None) == pinned


def test_policy_of_an_older_version_pins_no_more_than_it_says(tmp_path: Path) -> None:
    home = Home(tmp_path)
    find_policy(home).write_text(f'{{"chainId": 5, "jobLedger": "{to_address(LEDGER)}"}}')
    assert choose_policy(home, None, None) == Policy(5, LEDGER)


@pytest.mark.parametrize(
    "member",
    ['"finality": "soon"', '"codeHash": "0x12"', '"coordinator": "me"', '"trusted": true', '"codeHash": 7'],
)
def test_pin_that_cannot_be_kept_is_refused(tmp_path: Path, member: str) -> None:
    """A word that is not understood may be the one that the auditor relies on."""
    home = Home(tmp_path)
    find_policy(home).write_text(f'{{"chainId": 5, "jobLedger": "{to_address(LEDGER)}", {member}}}')
    with pytest.raises(MalformedPolicy, match="tally audit pin"):
        choose_policy(home, None, None)
