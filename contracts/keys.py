"""The key that pays for a deployment: an encrypted Web3 keystore file, or a private key in a file of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from ledger.signatures import Signer

VARIABLE = "TALLY_PASSPHRASE"


class KeyRefused(Exception):
    """A key file or its passphrase cannot be used. The message never holds what was in it."""

    exit_code = 2

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        self.path = path
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{path}: {problem}: {remedy}")


class KeyChoice(Exception):
    """Not exactly one key was named."""

    exit_code = 2

    def __init__(self, named: int) -> None:
        self.named = named
        super().__init__(f"expected one key that pays, got {named}: give --keystore or --private-key-file")


def choose_signer(
    keystore: Path | None, private_key_file: Path | None, passphrase_file: Path | None, ask: Callable[[], str]
) -> Signer:
    """Return the signer that a person chose; `ask` asks for the passphrase.

    Raises:
        KeyChoice: neither or both were named.
        KeyRefused: the file cannot be used.
    """
    if keystore is not None and private_key_file is None:
        return load_keystore(keystore, read_passphrase(passphrase_file, ask))
    if private_key_file is not None and keystore is None:
        return load_private_key(private_key_file)
    raise KeyChoice(0 if keystore is None else 2)


def load_private_key(path: Path) -> Signer:
    """Return the signer of a file that holds one private key: 64 hex digits, 0x or not.

    Raises:
        KeyRefused: there is no such file, or something else is in it.
    """
    text = _read(path).strip().removeprefix("0x")
    try:
        return Signer(bytes.fromhex(text))
    except ValueError:
        raise KeyRefused(path, "it holds no private key", "expected 64 hex digits and nothing else") from None


def load_keystore(path: Path, passphrase: str) -> Signer:
    """Return the signer of an encrypted keystore file.

    Raises:
        KeyRefused: no such file, no keystore, or another passphrase.
    """
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415 -- slow to import

    try:
        return Signer(bytes(decode_keyfile_json(json.loads(_read(path)), passphrase.encode())))
    except (ValueError, KeyError, TypeError) as error:
        remedy = "check the passphrase, and that this is a Web3 keystore file"
        raise KeyRefused(path, f"it does not open ({error})", remedy) from None


def read_passphrase(file: Path | None, ask: Callable[[], str]) -> str:
    """Return the first line of a file, else TALLY_PASSPHRASE, else what the person answers.

    Raises:
        KeyRefused: the file cannot be read or is empty.
    """
    if file is not None:
        lines = _read(file).splitlines()
        if not lines or not lines[0]:
            raise KeyRefused(file, "it is empty", "its first line must be the passphrase")
        return lines[0]
    return os.environ.get(VARIABLE) or ask()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise KeyRefused(path, "it cannot be read", error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise KeyRefused(path, "it is not text", "give the file that holds the key") from None
