"""Backups: wallets (still encrypted), journal and pins in one zip; samples and models can be pulled again."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from client.errors import ClientError
from client.home import Home
from client.node.records.database import Database


class BackupRefused(ClientError):
    """There is nothing to back up, or the file is in the way."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


RESTORE = (
    "To restore: unzip it into an empty TALLY_HOME, before any node runs there. Never run two machines from one "
    "backup: a node that signs two contributions for one round can lose its stake."
)


def save_backup(home: Home, target: Path) -> list[str]:
    """Writes the zip and returns the names in it; nodes may be running meanwhile.

    Raises:
        BackupRefused: the file exists, or this home holds no wallet.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists already: choose another name")
    wallets = sorted((home.path / "wallets").glob("*.json"))
    if not wallets:
        raise BackupRefused(f"{home.path} holds no wallet: there is nothing to back up")
    files = [path for path in (*wallets, home.pins) if path.exists()]
    draft = target.with_name(f"{target.name}.new")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(home.path).as_posix())
        if home.journal.exists():
            copy = Path(folder) / home.journal.name
            _copy_journal(home, copy)
            archive.write(copy, home.journal.name)
        names = archive.namelist()
    draft.replace(target)
    return names


def _copy_journal(home: Home, target: Path) -> None:
    database = Database(home.journal)
    try:
        database.save_copy(target)
    finally:
        database.close()
