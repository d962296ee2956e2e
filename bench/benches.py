"""The benches in the order in which they run, and the minutes that each may take on two quiet cores."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import cast

from bench.report import Report

MINUTES = {
    "rounds": 5.0,
    "intake": 1.0,
    "receipts": 3.5,
    "bundles": 3.0,
    "aggregation": 1.5,
    "simulation": 2.0,
    "gas": 1.5,
    "recommender": 8.0,
    "scores": 3.0,
    "adversaries": 12.0,
    "startup": 1.0,
}


def is_built(name: str) -> bool:
    """Whether the tree holds this bench: what it measures may come with a later issue."""
    return importlib.util.find_spec(f"bench.{name}") is not None


def load(name: str) -> Callable[[Report], None]:
    """The `run` of a bench."""
    return cast("Callable[[Report], None]", importlib.import_module(f"bench.{name}").run)
