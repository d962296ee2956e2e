"""Keystore files of other wallets open with the right passphrase, and with no other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.wallet import WalletRefused, WrongPassphrase, decrypt_secret, load_keystore, unlock_wallet
from ledger.hexadecimal import to_address
from ledger.signatures import Signer
from tests.vectors import outside

pytestmark = outside.absent


@dataclass(frozen=True)
class Keystore:
    """A file of another wallet and what it must give: a secret, or an address."""

    name: str
    content: str
    passphrase: str
    secret: str | None
    address: str | None


def read_ethereum_tests() -> Iterator[Keystore]:
    cases = outside.load("ethereum-tests-keystore", "KeyStoreTests", "basic_tests.json")
    for name, case in cases.items():
        yield Keystore(name, json.dumps(case["json"]), case["password"], case["priv"], None)


def read_ethers() -> Iterator[Keystore]:
    for case in outside.load("ethers-testcases", "wallets.json"):
        if case["type"] == "keystore":
            passphrase = bytes.fromhex(case["password"][2:]).decode()
            yield Keystore(case["name"], case["content"], passphrase, None, case["address"])


@outside.each(lambda: [*read_ethereum_tests(), *read_ethers()], lambda case: case.name)
def test_keystore_opens(case: Keystore, tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    path.write_text(case.content, encoding="utf-8")
    secret = decrypt_secret(path, load_keystore(path), case.passphrase)
    assert case.secret in (None, secret.hex())
    assert case.address in (None, to_address(Signer(secret).address))


def test_no_other_passphrase_opens_it(tmp_path: Path) -> None:
    for case in [case for case in read_ethereum_tests() if case.name in ("test1", "evilnonce")]:
        path = tmp_path / f"{case.name}.json"
        path.write_text(case.content, encoding="utf-8")
        with pytest.raises(WrongPassphrase):
            unlock_wallet(path, case.passphrase + " ")


def test_other_wallet_formats_are_refused(tmp_path: Path) -> None:
    others: list[Any] = [
        case for case in outside.load("ethers-testcases", "wallets.json") if case["type"] != "keystore"
    ]
    assert others
    for case in others:
        path = tmp_path / case["name"]
        path.write_text(case["content"], encoding="utf-8")
        with pytest.raises(WalletRefused, match="not a keystore of version 3"):
            load_keystore(path)
