"""The coordinator's key: an encrypted Web3 keystore file, unlocked by a passphrase from a file or the environment."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from coordinator.settings import PREFIX, CoordinatorSettings
from ledger.hexadecimal import to_address
from ledger.signatures import Signer


class KeystoreRefused(Exception):
    """The keystore or its passphrase cannot be used."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path = path
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{path}: {problem}: {remedy}")


def load_signer(settings: CoordinatorSettings) -> Signer:
    """Unlock the coordinator's key.

    Raises:
        KeystoreRefused: there is no keystore, no passphrase, or they do not fit.
    """
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415  slow to import, needed once

    path = settings.keystore_path
    if not path.is_file():
        raise KeystoreRefused(path, "there is no keystore", "create one with `tally-coordinator init`")
    passphrase = load_passphrase(settings)
    try:
        key = decode_keyfile_json(json.loads(path.read_text(encoding="utf-8")), passphrase.encode())
    except (ValueError, KeyError, TypeError) as error:
        raise KeystoreRefused(path, f"it does not open ({error})", "check the passphrase and the file") from None
    return Signer(bytes(key))


def create_keystore(settings: CoordinatorSettings, randomness: Callable[[int], bytes]) -> Signer:
    """Create the coordinator's key and save it encrypted, readable by its owner only; never over an old one.

    Raises:
        KeystoreRefused: a keystore is there already, or there is no passphrase.
    """
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415  slow to import, needed once

    path = settings.keystore_path
    passphrase = load_passphrase(settings)
    key = randomness(32)
    signer = Signer(key)
    content = create_keyfile_json(key, passphrase.encode(), version=3, kdf="scrypt", iterations=settings.keystore_work)
    content["address"] = to_address(signer.address)[2:].lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeystoreRefused(path, "there is a keystore already", "use it, or move it away first") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return signer


def load_passphrase(settings: CoordinatorSettings) -> str:
    """Return the passphrase from the environment, or the first line of its file.

    Raises:
        KeystoreRefused: neither is given, or others can read the file.
    """
    if settings.passphrase is not None:
        return settings.passphrase.get_secret_value()
    path = settings.passphrase_file
    if path is None:
        remedy = f"give {PREFIX}PASSPHRASE or {PREFIX}PASSPHRASE_FILE"
        raise KeystoreRefused(settings.keystore_path, "there is no passphrase", remedy)
    if not path.is_file():
        raise KeystoreRefused(path, "there is no such passphrase file", f"check {PREFIX}PASSPHRASE_FILE")
    readable_by_others = os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077
    if readable_by_others and not settings.dev:
        raise KeystoreRefused(path, "others can read the passphrase file", f"run `chmod 600 {path}`")
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise KeystoreRefused(path, "the passphrase file is empty", "write the passphrase on its first line")
    return lines[0]
