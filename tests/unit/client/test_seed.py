"""Seeds of fleets: one secret, keys that any BIP-44 wallet derives too."""

from pathlib import Path

import pytest
from eth_account import Account

from client.seed import Seed, create_seed, restore_seed, unlock_seed
from client.wallet import WalletRefused, WrongPassphrase, create_wallet, unlock_wallet
from ledger.hexadecimal import to_address

LIGHT = 2**10
ENTROPY = bytes(range(1, 33))


def test_seed_survives_its_file_and_its_words(tmp_path: Path) -> None:
    seed = create_seed(tmp_path / "fleet.json", "correct", work=LIGHT)
    assert unlock_seed(tmp_path / "fleet.json", "correct") == seed
    assert restore_seed(seed.words()) == seed


def test_keys_are_those_of_bip_44(tmp_path: Path) -> None:
    Account.enable_unaudited_hdwallet_features()
    seed = Seed(ENTROPY)
    expected = [Account.from_mnemonic(seed.words(), account_path=f"m/44'/60'/0'/0/{i}").address for i in range(3)]
    assert [to_address(signer.address) for signer in seed.derive(3)] == expected


def test_more_nodes_keep_the_first_ones() -> None:
    few, many = Seed(ENTROPY).derive(2), Seed(ENTROPY).derive(5)
    assert [signer.address for signer in many[:2]] == [signer.address for signer in few]


def test_repr_hides_the_secret() -> None:
    assert ENTROPY.hex() not in repr(Seed(ENTROPY))


def test_wrong_passphrase_is_named(tmp_path: Path) -> None:
    create_seed(tmp_path / "fleet.json", "correct", work=LIGHT)
    with pytest.raises(WrongPassphrase):
        unlock_seed(tmp_path / "fleet.json", "incorrect")


def test_seed_and_wallet_are_not_taken_for_each_other(tmp_path: Path) -> None:
    create_wallet(tmp_path / "node.json", "correct", work=LIGHT)
    with pytest.raises(WalletRefused, match="single key"):
        unlock_seed(tmp_path / "node.json", "correct")
    create_seed(tmp_path / "fleet.json", "correct", work=LIGHT)
    with pytest.raises(WalletRefused, match="seed"):
        unlock_wallet(tmp_path / "fleet.json", "correct")


@pytest.mark.parametrize("words", ["", "abandon " * 24, "abandon " * 11 + "about", "no such words " * 8])
def test_wrong_words_are_refused(words: str) -> None:
    with pytest.raises(WalletRefused, match="24 words"):
        restore_seed(words)
