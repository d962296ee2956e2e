"""Amounts as people write them; keys as files hold them."""

import json
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from contracts.amounts import MalformedAmount, format_amount, parse_amount
from contracts.errors import describe_url
from contracts.keys import KeyChoice, KeyRefused, choose_signer, load_private_key, read_passphrase
from ledger.signatures import Signer

KEY = b"\x07" * 32


def never_asked() -> str:
    raise AssertionError("nobody is to be asked")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("1", 10**18), ("12.5", 125 * 10**17), ("0.000000000000000001", 1), ("007.10", 71 * 10**17)],
)
def test_amount_is_exact(text: str, amount: int) -> None:
    assert parse_amount(text) == amount
    assert parse_amount(format_amount(amount)) == amount


@pytest.mark.parametrize(("text", "decimals", "amount"), [("12", 0, 12), ("0.5", 1, 5), ("1.000001", 6, 1_000_001)])
def test_amount_has_as_many_decimals_as_its_token(text: str, decimals: int, amount: int) -> None:
    assert parse_amount(text, decimals) == amount
    with pytest.raises(MalformedAmount, match=f"at most {decimals} decimals"):
        parse_amount(f"0.{'0' * decimals}1", decimals)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", ".5", "1.", "0.0000000000000000001", "0x1", " 1", "١"])
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MalformedAmount):
        parse_amount(text)


@pytest.mark.parametrize("text", [KEY.hex(), "0x" + KEY.hex(), KEY.hex().upper() + "\n"])
def test_private_key_file_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    assert choose_signer(None, path, None, never_asked).address == Signer(KEY).address


@pytest.mark.parametrize("content", [b"", b"07" * 31, b"00" * 32, b"secret words", b"\xff\xfe"])
def test_other_file_is_refused_without_telling_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(KeyRefused) as refusal:
        load_private_key(path)
    assert "secret" not in str(refusal.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="No such file"):
        load_private_key(tmp_path / "none")


def test_keystore_opens_with_its_passphrase_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, words = tmp_path / "keystore", tmp_path / "passphrase"
    path.write_text(json.dumps(create_keyfile_json(KEY, b"secret", iterations=2)))
    words.write_text("secret\nmore\n")
    assert choose_signer(path, None, words, never_asked).address == Signer(KEY).address
    with pytest.raises(KeyRefused, match="does not open"):
        choose_signer(path, None, None, lambda: "wrong")
    monkeypatch.setenv("TALLY_PASSPHRASE", "secret")
    assert choose_signer(path, None, None, never_asked).address == Signer(KEY).address
    words.write_text("\n")
    with pytest.raises(KeyRefused, match="empty"):
        read_passphrase(words, never_asked)


@pytest.mark.parametrize("named", [0, 2])
def test_exactly_one_key_is_chosen(tmp_path: Path, named: int) -> None:
    path = tmp_path if named else None
    with pytest.raises(KeyChoice):
        choose_signer(path, path, None, never_asked)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@node.example:8545/v3/key?x=1", "https://node.example:8545"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("nonsense", "://"),
    ],
)
def test_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert describe_url(url) == shown
