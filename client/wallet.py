"""Wallets: secp256k1 keys in Web3 Secret Storage files, encrypted with scrypt, locked against a second process.

Source of the format: Ethereum's Web3 Secret Storage, version 3; any Ethereum wallet opens these files.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from client.errors import ClientError
from client.home import save_durably
from ledger.errors import MalformedSignature
from ledger.hexadecimal import to_address
from ledger.signatures import Signer

DEFAULT_WORK = 2**18
# A file that asks for more memory than this (1 GiB at r = 8) is not one that anybody's wallet wrote.
MOST_WORK = 2**20


class WalletRefused(ClientError):
    """A wallet that is missing, in the way, or no keystore; `problem` says which."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"wallet {path}: {problem}")


class WrongPassphrase(WalletRefused):
    """The passphrase does not open the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the passphrase is wrong; nothing was changed, try again")


class WalletInUse(WalletRefused):
    """Another process of this machine works with the same wallet."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, "another process is using it; stop that process first, or give this one its own TALLY_HOME"
        )


def create_wallet(
    path: Path,
    passphrase: str,
    *,
    work: int = DEFAULT_WORK,
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Signer:
    """Makes a new key, saves it encrypted, and returns it unlocked. `work` is scrypt's n.

    Raises:
        WalletRefused: the file exists already.
    """
    secret = draw_secret(token_bytes)
    signer = Signer(secret)
    save_keystore(path, encrypt_secret(secret, passphrase, work))
    return signer


def unlock_wallet(path: Path, passphrase: str) -> Signer:
    """Decrypts the key.

    Raises:
        WalletRefused: no file, or not a keystore, or its address is not the key's.
        WrongPassphrase: the passphrase does not open it.
    """
    keystore = load_keystore(path)
    if "kind" in keystore:
        raise WalletRefused(path, f"it holds a {keystore['kind']}, not a single key")
    signer = Signer(decrypt_secret(path, keystore, passphrase))
    named = str(keystore.get("address", "")).lower().removeprefix("0x")
    if named and bytes.fromhex(named) != signer.address:
        raise WalletRefused(path, f"it names the address 0x{named}, but holds the key of {to_address(signer.address)}")
    return signer


def read_address(path: Path) -> bytes:
    """The address a keystore names, without unlocking it."""
    try:
        address = bytes.fromhex(str(load_keystore(path)["address"]).lower().removeprefix("0x"))
    except (KeyError, ValueError):
        address = b""
    if len(address) != 20:
        raise WalletRefused(path, "it names no address; use one that `tally node init` made")
    return address


@contextmanager
def lock_wallet(path: Path) -> Iterator[None]:
    """Keeps every other process from using the wallet; the lock ends with this process, even when it is killed.

    Raises:
        WalletInUse: another process holds it.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"), blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise WalletInUse(path) from None
    try:
        yield
    finally:
        lock.release()


def draw_secret(token_bytes: Callable[[int], bytes]) -> bytes:
    """32 random bytes that are a valid private key; the one draw in 2^128 that is none is drawn again."""
    while True:
        secret = token_bytes(32)
        try:
            Signer(secret)
        except MalformedSignature:
            continue
        return secret


def encrypt_secret(secret: bytes, passphrase: str, work: int) -> dict[str, Any]:
    """A version 3 keystore of a 32-byte secret."""
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415 -- half a second of imports

    return create_keyfile_json(secret, passphrase.encode(), kdf="scrypt", iterations=work)


def decrypt_secret(path: Path, keystore: Mapping[str, Any], passphrase: str) -> bytes:
    """The 32-byte secret of a version 3 keystore. Raises WrongPassphrase, or WalletRefused when it is none."""
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415

    parameters = _read_parameters(path, keystore)
    if int(parameters.get("n", 1)) > MOST_WORK:
        raise WalletRefused(path, f"expected a scrypt work factor of at most {MOST_WORK}, got {parameters['n']}")
    try:
        secret = bytes(decode_keyfile_json(dict(keystore), passphrase.encode()))
    except (KeyError, TypeError, ValueError) as error:
        if "MAC mismatch" in str(error):
            raise WrongPassphrase(path) from None
        raise WalletRefused(path, f"not a readable keystore ({type(error).__name__}: {error})") from None
    if len(secret) != 32:
        raise WalletRefused(path, f"expected a secret of 32 bytes, got {len(secret)}")
    return secret


def load_keystore(path: Path) -> dict[str, Any]:
    """Reads a version 3 keystore file. Raises WalletRefused."""
    try:
        keystore = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise WalletRefused(
            path, "there is no such file; `tally node init` makes a node's wallets, `tally job create` a requester's"
        ) from None
    except ValueError:
        raise WalletRefused(path, "not a keystore: it is not JSON") from None
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise WalletRefused(path, "not a keystore of version 3")
    return keystore


def save_keystore(path: Path, keystore: Mapping[str, Any]) -> None:
    """Writes a keystore file that only its owner can read. Raises WalletRefused when there is one already."""
    try:
        save_durably(path, json.dumps(keystore, indent=2).encode() + b"\n", private=True, replace=False)
    except FileExistsError:
        raise WalletRefused(path, "there is a wallet already; move it away first if you want a new one") from None


def _read_parameters(path: Path, keystore: Mapping[str, Any]) -> Mapping[str, Any]:
    crypto = {str(key).lower(): value for key, value in keystore.items()}.get("crypto")
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(parameters, dict):
        raise WalletRefused(path, "not a keystore: it has no kdfparams")
    return parameters
