"""Where a passphrase comes from: a file, the environment, or the person at the terminal; never an argument."""

from __future__ import annotations

import sys
from pathlib import Path

from client.errors import ClientError
from client.settings import ClientSettings


class PassphraseMissing(ClientError):
    """There is a wallet to open and nobody to ask."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "no passphrase: give --passphrase-file, set TALLY_PASSPHRASE_FILE or TALLY_PASSPHRASE, "
            "or run this in a terminal"
        )


class PassphraseRefused(ClientError):
    """A passphrase file that is missing or empty, or two answers that differ."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


def read_passphrase(settings: ClientSettings, file: Path | None, *, new: bool, what: str = "wallet") -> str:
    """The passphrase from `file`, else from the environment, else asked for (twice for a new wallet).

    Raises:
        PassphraseMissing: none was given and there is no terminal.
        PassphraseRefused: the file cannot be used, or the two answers differ.
    """
    chosen = file or settings.passphrase_file
    if chosen is not None:
        return _load(chosen)
    if settings.passphrase is not None and settings.passphrase.get_secret_value():
        return settings.passphrase.get_secret_value()
    if not sys.stdin.isatty():
        raise PassphraseMissing
    return _ask(what, new=new)


def _load(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise PassphraseRefused(f"the passphrase file {path} cannot be read: {error.strerror}") from None
    if not lines or not lines[0]:
        raise PassphraseRefused(f"the passphrase file {path} is empty: its first line must be the passphrase")
    return lines[0]


def _ask(what: str, *, new: bool) -> str:
    import getpass  # noqa: PLC0415

    passphrase = getpass.getpass(f"Passphrase of the {'new ' if new else ''}{what}: ")
    if not passphrase:
        raise PassphraseRefused("an empty passphrase protects nothing: choose another one")
    if new and getpass.getpass("The same once more: ") != passphrase:
        raise PassphraseRefused("the two passphrases differ; nothing was changed")
    return passphrase
