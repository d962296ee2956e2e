"""The project's own source files, as the architecture tests read them."""

import ast
import os
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger", "learning", "contracts", "coordinator", "client")
NOT_OURS = {"node_modules", "out", "cache", "__pycache__", "peers"}


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies and what it says."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Path below the repository root, with forward slashes."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def docstring(self) -> str:
        """The module docstring, empty where there is none."""
        return ast.get_docstring(self.tree) or ""


def find_files(folder: Path, *patterns: str) -> list[Path]:
    """Files below `folder` that match, without what tools put there, sorted."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_OURS and (name[0] != "." or name == ".ci")]
        found += [Path(parent, name) for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    return sorted(found)


def parse(path: Path, text: str) -> Source:
    """A source from its text."""
    return Source(path, text, ast.parse(text, filename=str(path)))


@cache
def load_sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file of the named top-level folders, parsed."""
    files = [path for folder in folders for path in find_files(ROOT / folder, "*.py")]
    return tuple(parse(path, path.read_text(encoding="utf-8")) for path in files)
