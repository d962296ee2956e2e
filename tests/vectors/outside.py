"""Vectors of other projects, beside the repository in ../shared/vectors: never copied into it."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT.parent / "shared" / "vectors"

absent = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the outside vectors are not beside the repository, in ../shared/vectors"
)


def load(*parts: str) -> Any:
    """One JSON file of the vectors."""
    return json.loads(VECTORS.joinpath(*parts).read_text(encoding="utf-8"))


def each(cases: Callable[[], Iterable[Any]], name: Callable[[Any], str]) -> pytest.MarkDecorator:
    """Parametrises `case` with every vector; without the folder there is one test, and it says that it was skipped."""
    found: list[Any] = list(cases()) if VECTORS.is_dir() else [None]
    return pytest.mark.parametrize("case", found, ids=lambda case: name(case) if case is not None else "absent")
