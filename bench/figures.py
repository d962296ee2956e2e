"""What is measured: figures with units, the peers' beside ours, and the bars that ours are held to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Better = Literal["less", "more"]


@dataclass(frozen=True)
class Unit:
    """What a figure counts, and in which direction it is better."""

    name: str
    better: Better = "less"

    def show(self, value: float) -> str:
        """The value as a person reads it: seconds and bytes with a prefix, the rest with separators."""
        if self.name == "s":
            return _show_seconds(value)
        if self.name == "bytes":
            return _show_bytes(value)
        return f"{_show_number(value)} {self.name}".strip()


SECONDS = Unit("s")
BYTES = Unit("bytes")
GAS = Unit("gas")
PER_SECOND = Unit("/s", "more")
SHARE = Unit("", "more")


@dataclass(frozen=True)
class Bar:
    """What a figure must reach: a value, or so many times better than every peer."""

    kind: Literal["at most", "at least", "times"]
    value: float

    def show(self, unit: Unit) -> str:
        """The bar in words."""
        return f"{self.value:g} x each peer" if self.kind == "times" else f"{self.kind} {unit.show(self.value)}"


def at_most(value: float) -> Bar:
    """A bar from above, in the figure's unit."""
    return Bar("at most", value)


def at_least(value: float) -> Bar:
    """A bar from below, in the figure's unit."""
    return Bar("at least", value)


def times_better(value: float) -> Bar:
    """A bar on the ratio of medians to every peer."""
    return Bar("times", value)


@dataclass(frozen=True)
class Missing:
    """Stands where a peer's figure would: the peer could not run, and why."""

    reason: str


@dataclass(frozen=True)
class Figure:
    """One measured figure of ours, with the peers' from the same run.

    Attributes:
        ours: median, in `unit`.
        peers: median of each peer in the same unit, or why there is none.
        bound: what limits ours; shown where the bar is missed.
        how: how it was measured, in a few words.
    """

    name: str
    unit: Unit
    ours: float
    how: str
    peers: Mapping[str, float | Missing]
    bar: Bar | None
    bound: str

    def compute_ratio(self, peer: str) -> float:
        """How many times better ours is than the peer's; NaN where the peer has no figure."""
        theirs = self.peers[peer]
        if isinstance(theirs, Missing):
            return math.nan
        better, worse = (self.ours, theirs) if self.unit.better == "less" else (theirs, self.ours)
        return worse / better if better else math.inf

    def judge(self) -> str:
        """`met`, `missed by …`, `not judged: …`, or nothing without a bar."""
        if self.bar is None:
            return ""
        if self.bar.kind == "times":
            return self._judge_ratio(self.bar.value)
        over = self.ours - self.bar.value if self.bar.kind == "at most" else self.bar.value - self.ours
        if over <= 0:
            return "met"
        if not self.bar.value:
            return f"missed by {self.unit.show(over)}"
        return (
            f"missed by {over / abs(self.bar.value):.0%}" if over >= 0.005 * abs(self.bar.value) else "missed by < 1%"
        )

    def _judge_ratio(self, least: float) -> str:
        ratios = {peer: self.compute_ratio(peer) for peer in self.peers}
        short = [f"{peer} {ratio:.3g} x" for peer, ratio in ratios.items() if ratio < least]
        unknown = [peer for peer, ratio in ratios.items() if math.isnan(ratio)]
        if short:
            return f"missed: {', '.join(short)}"
        return f"not judged: no figure of {', '.join(unknown)}" if unknown or not ratios else "met"


def _show_seconds(value: float) -> str:
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(value) >= scale:
            return f"{_show_number(value / scale)} {name}"
    return "0 s" if not value else f"{_show_number(value / 1e-9)} ns"


def _show_bytes(value: float) -> str:
    for scale, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(value) >= scale:
            return f"{_show_number(value / scale)} {name}"
    return f"{_show_number(value)} bytes"


def _show_number(value: float) -> str:
    """Three to four significant digits; whole from a hundred on, with separators."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"
