"""One encrypted seed for a fleet: node i has the key at m/44'/60'/0'/0/i (BIP-32, BIP-44), so one secret saves all.

The file is a version 3 keystore whose 32-byte secret is BIP-39 entropy; the 24 words on paper restore it anywhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from client.wallet import (
    DEFAULT_WORK,
    WalletRefused,
    decrypt_secret,
    draw_secret,
    encrypt_secret,
    load_keystore,
    save_keystore,
)
from ledger.signatures import Signer

KIND = "tallystick-seed"


@dataclass(frozen=True, slots=True)
class Seed:
    """BIP-39 entropy, 32 bytes."""

    entropy: bytes = field(repr=False)

    def words(self) -> str:
        """The 24 words of BIP-39: whoever reads them owns every node of the fleet."""
        from eth_account.hdaccount.mnemonic import Mnemonic  # noqa: PLC0415 -- slow to import
        from eth_account.types import Language  # noqa: PLC0415

        return Mnemonic(Language.ENGLISH).to_mnemonic(self.entropy)

    def derive(self, count: int) -> list[Signer]:
        """The keys of nodes 0 to count − 1."""
        from eth_account.hdaccount import key_from_seed, seed_from_mnemonic  # noqa: PLC0415

        root = seed_from_mnemonic(self.words(), "")
        return [Signer(bytes(key_from_seed(root, f"m/44'/60'/0'/0/{index}"))) for index in range(count)]


def create_seed(
    path: Path,
    passphrase: str,
    *,
    work: int = DEFAULT_WORK,
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Seed:
    """Draws a seed, saves it encrypted and returns it. Raises WalletRefused when the file exists."""
    # The keystore format wants the secret to be a valid private key.
    seed = Seed(draw_secret(token_bytes))
    save_seed(path, seed, passphrase, work)
    return seed


def save_seed(path: Path, seed: Seed, passphrase: str, work: int) -> None:
    """Writes the encrypted seed. Raises WalletRefused when the file exists."""
    keystore = encrypt_secret(seed.entropy, passphrase, work)
    # The address of the entropy taken as a key is nobody's: a wallet program must not show it as an account.
    del keystore["address"]
    save_keystore(path, {"kind": KIND, **keystore})


def restore_seed(words: str) -> Seed:
    """The seed that 24 words write down. Raises WalletRefused when they are no BIP-39 phrase of 24 words."""
    from eth_account.hdaccount.mnemonic import Mnemonic  # noqa: PLC0415
    from eth_account.types import Language  # noqa: PLC0415

    phrase = " ".join(words.split())
    mnemonic = Mnemonic(Language.ENGLISH)
    if len(phrase.split()) != 24 or not mnemonic.is_mnemonic_valid(phrase):
        raise WalletRefused(Path("words"), "expected the 24 words of a BIP-39 phrase, with a correct checksum")
    bits = "".join(f"{mnemonic.wordlist.index(word):011b}" for word in phrase.split())
    return Seed(int(bits[:256], 2).to_bytes(32, "big"))


def unlock_seed(path: Path, passphrase: str) -> Seed:
    """Decrypts a seed. Raises WalletRefused or WrongPassphrase."""
    keystore = load_keystore(path)
    if keystore.get("kind") != KIND:
        raise WalletRefused(path, "this keystore holds a single key, not a fleet's seed")
    return Seed(decrypt_secret(path, keystore, passphrase))
