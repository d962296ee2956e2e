"""Where figures go: a line on the terminal as each is measured, and `results.json`."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Bar, Figure, Missing, Unit

RESULTS = Path(__file__).resolve().parent / "results.json"


class Report:
    """The figures of one bench, printed and saved one by one."""

    def __init__(self, bench: str, *, quick: bool, about: Mapping[str, Any], results: Path = RESULTS) -> None:
        """A report that begins empty.

        Args:
            bench: the bench's name.
            quick: measure less; nothing is saved then.
            about: machine, versions and time, as they are saved beside the figures.
            results: the file that keeps the last full run of each bench.
        """
        self.bench = bench
        self.quick = quick
        self.figures: list[Figure] = []
        self.notes: list[str] = []
        self._about = dict(about)
        self._results = results
        self._begun = time.perf_counter()

    def say(self, text: str) -> None:
        """Progress, on stderr: what takes the next seconds."""
        print(f"  {self.bench} {time.perf_counter() - self._begun:5.0f} s  {text}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A sentence that belongs to the figures: what was left out, and why."""
        self.notes.append(text)
        print(f"{self.bench}: {text}", flush=True)
        self._save()

    def add(
        self,
        name: str,
        unit: Unit,
        ours: float,
        *,
        how: str,
        peers: Mapping[str, float | Missing] | None = None,
        bar: Bar | None = None,
        bound: str = "",
    ) -> None:
        """Print and save one figure.

        Args:
            name: what was measured, unique in the bench.
            unit: what it counts.
            ours: our median.
            how: how it was measured: sizes, turns, what is included.
            peers: the peers' medians in the same unit, from the same run, or `missing(…)`.
            bar: what ours must reach.
            bound: what limits ours; asked for with every bar, shown where it is missed.

        Raises:
            ValueError: the name is taken, or the bar comes without a bound.
        """
        if any(figure.name == name for figure in self.figures):
            raise ValueError(f"expected a new name for the figure, got {name!r} again")
        if bar is not None and not bound:
            raise ValueError(f"expected what bounds {name!r} beside its bar, got nothing")
        figure = Figure(name, unit, ours, how, dict(peers or {}), bar, bound)
        self.figures.append(figure)
        print(f"{self.bench}: {describe(figure)}", flush=True)
        self._save()

    def _save(self) -> None:
        if not self.quick:
            saved = load_results(self._results)
            figures = [asdict(figure) for figure in self.figures]
            saved[self.bench] = {**self._about, "notes": self.notes, "figures": figures}
            text = json.dumps(saved, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            self._results.write_text(text, encoding="utf-8", newline="\n")


def missing(peer: str, error: Exception) -> dict[str, float | Missing]:
    """What stands in a peer's place when it could not run."""
    return {peer: Missing(str(error))}


def load_results(path: Path = RESULTS) -> dict[str, Any]:
    """The last full run of each bench, by name; empty where none was made."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def read_figure(saved: Mapping[str, Any]) -> Figure:
    """A figure from its saved form."""
    peers = {name: Missing(**theirs) if isinstance(theirs, dict) else theirs for name, theirs in saved["peers"].items()}
    bar = Bar(**saved["bar"]) if saved["bar"] else None
    return Figure(saved["name"], Unit(**saved["unit"]), saved["ours"], saved["how"], peers, bar, saved["bound"])


def describe_peer(figure: Figure, peer: str) -> str:
    """A peer's figure and how many times better ours is, or why there is none."""
    theirs = figure.peers[peer]
    if isinstance(theirs, Missing):
        return f"{peer} not run: {theirs.reason}"
    return f"{peer} {figure.unit.show(theirs)} ({figure.compute_ratio(peer):.3g} x)"


def describe(figure: Figure) -> str:
    """A figure on one line: name, ours, peers with ratios of medians, the bar, how it was measured."""
    parts = [f"{figure.name}: {figure.unit.show(figure.ours)}"]
    parts += [describe_peer(figure, peer) for peer in figure.peers]
    if figure.bar:
        verdict = figure.judge()
        bound = f", bound by {figure.bound}" if verdict.startswith("missed") else ""
        parts.append(f"bar {figure.bar.show(figure.unit)}: {verdict}{bound}")
    return f"{' | '.join(parts)} | {figure.how}"
