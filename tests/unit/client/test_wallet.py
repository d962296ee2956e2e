"""Wallets: what opens them, what does not, and that one process at a time uses one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account

from client.wallet import (
    WalletInUse,
    WalletRefused,
    WrongPassphrase,
    create_wallet,
    lock_wallet,
    read_address,
    unlock_wallet,
)

LIGHT = 2**10


@pytest.fixture
def wallet(tmp_path: Path) -> Path:
    path = tmp_path / "wallets" / "node.json"
    create_wallet(path, "correct", work=LIGHT)
    return path


def test_unlocked_wallet_has_the_address_the_file_names(wallet: Path) -> None:
    assert unlock_wallet(wallet, "correct").address == read_address(wallet)


def test_wallet_opens_in_another_ethereum_program(wallet: Path) -> None:
    key = Account.decrypt(json.loads(wallet.read_text()), "correct")
    assert bytes.fromhex(Account.from_key(key).address[2:]) == read_address(wallet)


def test_wrong_passphrase_is_named_and_changes_nothing(wallet: Path) -> None:
    before = wallet.read_bytes()
    with pytest.raises(WrongPassphrase, match="passphrase is wrong"):
        unlock_wallet(wallet, "incorrect")
    assert wallet.read_bytes() == before


def test_existing_wallet_is_never_overwritten(wallet: Path) -> None:
    before = wallet.read_bytes()
    with pytest.raises(WalletRefused, match="there is a wallet already"):
        create_wallet(wallet, "correct", work=LIGHT)
    assert wallet.read_bytes() == before


def test_wallet_file_is_readable_by_its_owner_alone(wallet: Path) -> None:
    if sys.platform != "win32":
        assert wallet.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"[]", "version 3"),
        (b'{"version": 4}', "version 3"),
        (b'{"version": 3}', "kdfparams"),
        (b'{"version": 3, "crypto": {"kdfparams": {"n": 1073741824}}}', "work factor"),
        (b'{"version": 3, "crypto": {"kdf": "scrypt", "kdfparams": {}}}', "not a readable keystore"),
    ],
)
def test_what_is_no_keystore_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "wallet.json"
    path.write_bytes(content)
    with pytest.raises(WalletRefused, match=problem):
        unlock_wallet(path, "correct")


def test_missing_wallet_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(WalletRefused, match="tally node init"):
        unlock_wallet(tmp_path / "none.json", "correct")


def test_wallet_with_another_address_is_refused(wallet: Path) -> None:
    keystore = json.loads(wallet.read_text())
    wallet.write_text(json.dumps({**keystore, "address": "11" * 20}))
    with pytest.raises(WalletRefused, match="holds the key of"):
        unlock_wallet(wallet, "correct")


def test_second_process_is_refused_and_a_killed_one_frees_the_wallet(wallet: Path) -> None:
    code = "import sys; from pathlib import Path; from client.wallet import lock_wallet\n"
    code += "with lock_wallet(Path(sys.argv[1])):\n    print('locked', flush=True)\n    sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(wallet)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(WalletInUse, match="another process is using it"), lock_wallet(wallet):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with lock_wallet(wallet):
        pass
