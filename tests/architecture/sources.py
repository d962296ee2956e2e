"""The project's own source files, as the architecture tests read them."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger", "learning", "contracts", "coordinator", "client")
NOT_OURS = {"node_modules", "out", "cache", "__pycache__", ".venv"}


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


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Files below `folder` that match, without what tools put there, sorted."""
    return sorted(
        path for path in folder.rglob(pattern) if path.is_file() and NOT_OURS.isdisjoint(path.relative_to(folder).parts)
    )


@cache
def load_sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file of the named top-level folders, parsed."""
    files = [path for folder in folders for path in find_files(ROOT / folder, "*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return tuple(
        Source(path, text, ast.parse(text, filename=str(path))) for path, text in zip(files, texts, strict=True)
    )
