"""Pins: the first word stands; every later difference is an error."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from client.pins import MalformedPins, Pin, load_pins, verify_or_save
from ledger.errors import VerificationError

PIN = Pin(31337, bytes([1]) * 20, bytes([2]) * 20, bytes([3]) * 20, bytes([4]) * 20)
URL = "https://tally.example"


def test_first_contact_is_saved_and_the_same_again_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    assert verify_or_save(path, URL, PIN) is True
    assert verify_or_save(path, URL, PIN) is False
    assert load_pins(path) == {URL: PIN}


def test_every_coordinator_has_its_own_pin(tmp_path: Path) -> None:
    other = dataclasses.replace(PIN, chain_id=1)
    verify_or_save(tmp_path / "pins.json", URL, PIN)
    verify_or_save(tmp_path / "pins.json", "https://other.example", other)
    assert load_pins(tmp_path / "pins.json") == {URL: PIN, "https://other.example": other}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Pin)])
def test_any_change_is_refused_and_the_pin_stays(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pins.json"
    verify_or_save(path, URL, PIN)
    other: dict[str, Any] = {name: 1 if name == "chain_id" else bytes([9]) * 20}
    with pytest.raises(VerificationError) as error:
        verify_or_save(path, URL, dataclasses.replace(PIN, **other))
    assert error.value.check == "pin"
    assert load_pins(path) == {URL: PIN}


@pytest.mark.parametrize("content", ["", "[]", '{"https://tally.example": {}}', '{"u": {"chainId": "1"}}'])
def test_foreign_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "pins.json").write_text(content)
    with pytest.raises(MalformedPins, match="backup"):
        load_pins(tmp_path / "pins.json")
