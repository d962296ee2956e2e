"""MovieLens-100K for the demo: fetched once with pip, checked, and read from the wheel that carries it.

The data set's terms (GroupLens: research use, cite, no redistribution) are why it is fetched and never committed:
F. M. Harper and J. A. Konstan, *The MovieLens Datasets*, ACM TiiS 5(4), 2015.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "recbole==1.2.1"
WHEEL = "recbole-1.2.1-py3-none-any.whl"
WHEEL_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
FILES = ("ml-100k.inter", "ml-100k.item")
_INSIDE = "recbole/dataset_example/ml-100k/"


class DataUnavailable(Exception):
    """The data set could not be had; says how to bring it by hand."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"MovieLens-100K could not be fetched: {reason}. Bring {' and '.join(FILES)} (RecBole's atomic files) "
            "by hand and name their folder with --data DIR"
        )


def locate_files(cache: Path, data: Path | None) -> Path:
    """The folder with the two files: `data` when given, else the cache, filled on first use."""
    if data is not None:
        missing = [name for name in FILES if not (data / name).is_file()]
        if missing:
            raise DataUnavailable(f"{data} holds no {' and no '.join(missing)}")
        return data
    if not all((cache / name).is_file() for name in FILES):
        _extract(_download(cache), cache)
    return cache


def _download(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    wheel = cache / WHEEL
    if not wheel.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DataUnavailable(f"pip download of {REQUIREMENT} failed: {done.stderr.strip()[-300:]}")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        wheel.unlink()
        raise DataUnavailable(f"{WHEEL} has SHA-256 {digest}, expected {WHEEL_SHA256}; the file was removed")
    return wheel


def _extract(wheel: Path, cache: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            content = archive.read(_INSIDE + name)
            with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
                file.write(content)
            Path(file.name).replace(cache / name)
