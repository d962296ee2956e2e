"""Median, trimmed mean and multi-Krum of a round, beside Flower's strategies of these names; part of `aggregation`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bench.environments import PeerProcess, ask
from bench.figures import SECONDS, Missing, at_most
from bench.measure import clocked, compare
from bench.report import Report
from learning.payload import read_update
from learning.robust.combination import Combination
from learning.robust.held import HeldUpdates
from learning.robust.krum import combine_krum
from learning.robust.trimmed import combine_median, combine_trimmed

TENTHS = 10
"""Updates are trimmed by a tenth on each side; two tenths may be dishonest for multi-Krum."""

NETWORK = "minima and maxima of a pruned sorting network, on one thread"


def measure_robust(report: Report, flower: PeerProcess | Missing, payloads: Sequence[bytes], size: int) -> None:
    """From payload bytes to S, by turns; Flower has been given as many replies of the same size."""
    count = len(payloads)
    turns = 2
    rules: dict[str, tuple[Callable[[HeldUpdates], Combination], float, str, str]] = {
        "median": (combine_median, 0.5, NETWORK, "FedMedian"),
        "trimmed mean": (lambda held: combine_trimmed(held, count // TENTHS), 0.5, NETWORK, "FedTrimmedAvg"),
        "multi-Krum": (
            lambda held: combine_krum(held, 2 * count // TENTHS),
            1.0,
            "count² products of float64 vectors, on one thread",
            "MultiKrum",
        ),
    }
    for name, (rule, bar, bound, strategy) in rules.items():
        report.say(f"{name}s by turns")
        ours, theirs = compare(
            clocked(lambda rule=rule: rule(_hold(payloads, size)), clock=time.process_time),  # type: ignore[misc]
            {f"Flower {strategy}": ask(flower, name.replace("-", "_").replace(" ", "_").lower())},
            turns,
        )
        report.add(
            f"{name} of {count} updates of {size:,} parameters", SECONDS, ours, peers=theirs, bar=at_most(bar),
            bound=bound,
            how=f"from payload bytes, strictly read, exact; seconds of a core, median of {turns}",
        )  # fmt: skip


def _hold(payloads: Sequence[bytes], size: int) -> HeldUpdates:
    """The updates as screening hands them over, which has made their digests."""
    held = HeldUpdates(size)
    for seq, payload in enumerate(payloads):
        held.add(read_update(payload, size), 1, seq.to_bytes(32, "big"))
    return held
