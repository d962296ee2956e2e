"""Settings: unsafe ones are refused by name, and a key opens only with its passphrase."""

import json
import os
import secrets
from pathlib import Path

import pytest

from coordinator.keystore import KeystoreRefused, create_keystore, load_signer
from coordinator.settings import CoordinatorSettings, SettingsRefused, load_settings, verify_safe
from coordinator.setup import set_up
from ledger.hexadecimal import to_address


def make(folder: Path, **options: object) -> CoordinatorSettings:
    return load_settings(data_dir=folder, keystore_work=2**10, **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"public_url": "http://tally.example"}, "PUBLIC_URL"),
        ({"host": "0.0.0.0"}, "PUBLIC_URL"),  # noqa: S104  never bound
        ({"min_window_seconds": 5}, "MIN_WINDOW_SECONDS"),
    ],
)
def test_unsafe_setting_is_refused_by_name_outside_dev(tmp_path: Path, options: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsRefused, match=f"TALLY_COORDINATOR_{named}"):
        verify_safe(make(tmp_path, **options))
    verify_safe(make(tmp_path, dev=True, **options))


def test_defaults_are_safe(tmp_path: Path) -> None:
    verify_safe(make(tmp_path))


def test_environment_is_read_and_every_bad_value_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_COORDINATOR_PORT", "70000")
    monkeypatch.setenv("TALLY_COORDINATOR_TOKENS", "0x1234")
    with pytest.raises(SettingsRefused, match=r"PORT.*TOKENS"):
        load_settings()


def test_lists_of_addresses_are_read(tmp_path: Path) -> None:
    settings = make(tmp_path, requesters=f" 0x{'11' * 20} , 0x{'22' * 20}")
    assert settings.allowed_requesters == {b"\x11" * 20, b"\x22" * 20}
    assert settings.allowed_tokens == frozenset()


def test_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    settings = make(tmp_path, passphrase="right")
    signer = create_keystore(settings, secrets.token_bytes)
    assert load_signer(settings).address == signer.address
    assert "right" not in settings.keystore_path.read_text()
    with pytest.raises(KeystoreRefused, match="does not open"):
        load_signer(make(tmp_path, passphrase="wrong"))
    with pytest.raises(KeystoreRefused, match="already"):
        create_keystore(settings, secrets.token_bytes)
    with pytest.raises(KeystoreRefused, match="PASSPHRASE_FILE"):
        load_signer(make(tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="files have no mode there")
def test_passphrase_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.write_text("secret\n")
    path.chmod(0o644)
    with pytest.raises(KeystoreRefused, match="chmod 600"):
        create_keystore(make(tmp_path, passphrase_file=path), secrets.token_bytes)
    path.chmod(0o600)
    create_keystore(make(tmp_path, passphrase_file=path), secrets.token_bytes)
    assert oct(make(tmp_path).keystore_path.stat().st_mode & 0o777) == "0o600"


def test_set_up_twice_changes_nothing(tmp_path: Path) -> None:
    settings = make(tmp_path, passphrase="right")
    first, second = set_up(settings), set_up(settings)
    assert first == second
    assert json.loads(settings.keystore_path.read_text())["address"] == first["address"][2:].lower()
    assert first["address"] == to_address(load_signer(settings).address)
