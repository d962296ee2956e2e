"""The archive: the evidence of watched rounds, on the auditor's own disk.

A proof about one round may need a node's entry of a much older one, which a coordinator need not hand out any more.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from client.home import save_durably
from ledger import evidence
from ledger.verify.bundle import JobFiles

_JOB_FILES = ("spec", "terms", "acceptance")
_ROUND_FILES = (*evidence.ALWAYS, *evidence.ARRAYS, evidence.MANIFEST, evidence.HEADER)
_REPLIES = "replies"


class Archive:
    """Files of one job, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save_job(self, files: JobFiles) -> None:
        """Keeps the job's own files."""
        for name in _JOB_FILES:
            content = getattr(files, name)
            if content is not None:
                save_durably(self._folder / f"{name}.json", content)

    def load_job(self) -> JobFiles:
        """The job's own files, as far as they are kept."""
        return JobFiles(*(_load(self._folder / f"{name}.json") for name in _JOB_FILES))

    def save_round(self, number: int, files: Mapping[str, bytes], replies: Mapping[str, bytes]) -> None:
        """Keeps a round's files, and what was handed out as entries (by a name each)."""
        folder = self._find(number)
        for name, content in files.items():
            if name in _ROUND_FILES and _load(folder / name) != content:
                save_durably(folder / name, content)
        for name, content in replies.items():
            save_durably(folder / _REPLIES / name, content)

    def load_round(self, number: int) -> dict[str, bytes]:
        """A round's files, as far as they are kept."""
        found = {name: _load(self._find(number) / name) for name in _ROUND_FILES}
        return {name: content for name, content in found.items() if content is not None}

    def load_replies(self, number: int) -> list[bytes]:
        """What was handed out as entries of a round."""
        return [path.read_bytes() for path in sorted((self._find(number) / _REPLIES).glob("*.json"))]

    def forget(self, number: int) -> None:
        """Drops a round that a reorganisation took off the chain."""
        shutil.rmtree(self._find(number), ignore_errors=True)

    def _find(self, number: int) -> Path:
        return self._folder / str(number)


def _load(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
