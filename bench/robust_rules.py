"""Robust rules of a round, beside Flower's strategies or, where it has none, plain NumPy; part of `aggregation`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.environments import PeerProcess, ask
from bench.figures import SECONDS, Missing, at_most
from bench.measure import clocked, compare
from bench.report import Report
from learning.payload import read_update
from learning.robust.combination import Combination
from learning.robust.held import HeldUpdates
from learning.robust.krum import combine_krum
from learning.robust.trimmed import combine_median, combine_trimmed
from learning.robust.trusted import Guide, combine_trusted

TENTHS = 10
"""Updates are trimmed by a tenth on each side; two tenths may be dishonest for multi-Krum."""

FLOATS = "NumPy float32, stacked, not decoded"
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


def measure_trusted(report: Report, payloads: Sequence[bytes], size: int) -> None:
    """Trust weighting from payload bytes to S; Flower has no such strategy, so beside NumPy over stacked floats."""
    count, turns = len(payloads), 2
    stacked = np.stack([read_update(payload, size).astype(np.float32) for payload in payloads])
    # What all of them have in common: so all of them are trusted, and none is left out of the work.
    reference = stacked.sum(0).astype(np.int32)
    report.say("trust-weighted means by turns")
    ours, theirs = compare(
        clocked(lambda: combine_trusted(_hold(payloads, size), Guide(reference)), clock=time.process_time),
        {FLOATS: clocked(lambda: _weigh_floats(stacked, reference), clock=time.process_time)},
        turns,
    )
    report.add(
        f"trust-weighted mean of {count} updates of {size:,} parameters", SECONDS, ours, peers=theirs,
        bar=at_most(0.5),
        bound="two products of float64 vectors, one rescaling and one addition for each update, on one thread",
        how=f"from payload bytes, strictly read, exact; seconds of a core, median of {turns}",
    )  # fmt: skip


def _weigh_floats(stacked: NDArray[np.float32], reference: NDArray[np.int32]) -> NDArray[np.float32]:
    """FLTrust's arithmetic in single precision."""
    norms = np.sqrt(np.einsum("ij,ij->i", stacked, stacked))
    trust = np.maximum(stacked @ reference.astype(np.float32) / norms, np.float32(0))
    factors = trust * np.median(norms) / norms
    return factors.astype(np.float32) @ stacked / trust.sum()  # type: ignore[no-any-return]  # float32 throughout


def _hold(payloads: Sequence[bytes], size: int) -> HeldUpdates:
    """The updates as screening hands them over, which has made their digests."""
    held = HeldUpdates(size)
    for seq, payload in enumerate(payloads):
        held.add(read_update(payload, size), 1, seq.to_bytes(32, "big"))
    return held
