"""The exact weighted mean of a round's updates and their scores, beside Flower's FedAvg and plain NumPy."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from bench.environments import PeerProcess, ask, python_environment, started
from bench.figures import BYTES, SECONDS, Missing, at_most
from bench.measure import clocked, compare
from bench.report import Report
from bench.robust_rules import measure_robust, measure_trusted
from learning.aggregate import Accumulator
from learning.effect import score_updates
from learning.parameters import Vector64
from learning.payload import read_update, write_update
from learning.quantise import Update
from learning.robust.combination import Contributed
from learning.round import RevealedContribution
from learning.score import ScoreRule
from learning.screening.memory import Memory
from learning.screening.screen import Screen
from ledger.entry import Verdict

FLOWER, NUMPY = "Flower FedAvg", "NumPy float32 gemv, stacked, not decoded"
FRACTION_BITS = 12
MODEL = 1_000_000
RECOMMENDER = 109_330
EARLIER = 500


def run(report: Report) -> None:
    """The mean, its memory, scores at two sizes."""
    with ExitStack() as stack:
        # A BLAS thread that waits for more work burns a core, which would count as ours.
        stack.enter_context(threadpool_limits(1))
        flower = stack.enter_context(started(python_environment, "flower", "flower.py", report))
        measure_mean(report, flower)
        measure_others(report, flower)
        measure_mean_memory(report, flower)
        measure_scores(report)
        measure_stream(report)


def measure_mean(report: Report, flower: PeerProcess | Missing) -> None:
    """From payload bytes to the mean, by turns."""
    size, count = (MODEL // 10, 20) if report.quick else (MODEL, 100)
    weights = [1 + seq % 7 for seq in range(count)]
    report.say(f"drawing {count} updates of {size} parameters")
    payloads = [write_update(draw_update(seq, size)) for seq in range(count)]
    stacked = np.stack([read_update(payload, size).astype(np.float32) for payload in payloads])
    factors = np.array(weights, np.float32) / np.float32(sum(weights) * 2**FRACTION_BITS)
    exact = sum(
        weight * read_update(payload, size).astype(np.int64) for payload, weight in zip(payloads, weights, strict=True)
    )
    np.testing.assert_array_equal(add_all(payloads, weights, size).sum(), exact)
    if isinstance(flower, PeerProcess):
        report.say("Flower draws as many")
        flower.call("prepare", size=size, weights=weights)
    turns = 3 if report.quick else 7
    report.say("means by turns")
    ours, theirs = compare(
        clocked(lambda: compute_mean(payloads, weights, size), clock=time.process_time),
        {FLOWER: ask(flower, "mean"), NUMPY: clocked(lambda: factors @ stacked, clock=time.process_time)},
        turns,
    )
    report.add(
        f"weighted mean of {count} updates of {size:,} parameters", SECONDS, ours, peers=theirs, bar=at_most(0.10),
        bound="two passes over 2 bytes a parameter and one over the int32 sums, on one thread",
        how=f"from payload bytes, strictly read, exact in int64; seconds of a core, median of {turns}",
    )  # fmt: skip


def measure_others(report: Report, flower: PeerProcess | Missing) -> None:
    """The rules that a dishonest minority cannot steer."""
    size, count = (MODEL // 10, 20) if report.quick else (MODEL, 100)
    payloads = [write_update(draw_update(seq, size)) for seq in range(count)]
    if isinstance(flower, PeerProcess):
        report.say("Flower draws its replies")
        flower.call("prepare", size=size, weights=[1] * count)
    measure_robust(report, flower, payloads, size)
    measure_trusted(report, payloads, size)


def measure_mean_memory(report: Report, flower: PeerProcess | Missing) -> None:
    """What is held at once when updates arrive one by one."""
    size, count = (MODEL // 10, 20) if report.quick else (MODEL, 100)
    weights = [1] * count
    report.say("memory of the means")
    tracemalloc.start()
    sums = Accumulator(size)
    for seq in range(count):
        sums.add(read_update(write_update(draw_update(seq, size)), size), 1)
    # Drawing an update holds more than reading one: what stays is the accumulator.
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    payload = write_update(draw_update(0, size))
    tracemalloc.reset_peak()
    sums.add(read_update(payload, size), 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    theirs = (
        Missing(flower.reason)
        if isinstance(flower, Missing)
        else float(flower.call("memory", size=size, weights=weights))
    )
    report.add(
        "memory of that mean", BYTES, float(peak), peers={FLOWER: theirs},
        bar=at_most(12 * size + 2 * size + (4 << 20)),
        bound="an accumulator of 12 bytes a parameter, one payload of 2",
        how=f"largest traced at once while adding the last of {count}; held between updates {BYTES.show(held)}",
    )  # fmt: skip


def measure_scores(report: Report) -> None:
    """Scores of a round of the recommender's size, updates in memory."""
    size, count = (RECOMMENDER // 10, 20) if report.quick else (RECOMMENDER, 200)
    updates = [Contributed(seq, draw_update(seq, size), 1) for seq in range(count)]
    effect = draw_effect(size)
    rule = ScoreRule(Fraction(3), count, FRACTION_BITS)
    floats = np.stack([one.values for one in updates]).astype(np.float32)
    direction = effect.astype(np.float32)
    turns = 3 if report.quick else 9
    ours, theirs = compare(
        clocked(lambda: score_updates(updates, effect, rule, None), clock=time.process_time),
        {"NumPy float32 gemv, stacked, inexact": clocked(lambda: floats @ direction, clock=time.process_time)},
        turns,
    )
    report.add(
        f"scoring {count} updates of {size:,} parameters", SECONDS, ours, peers=theirs,
        how=f"gradient rounded and every product exact in int64; seconds of a core, median of {turns}",
    )  # fmt: skip


def measure_stream(report: Report) -> None:
    """A thousand updates of a million parameters in two passes, one in memory at a time."""
    size, count = (MODEL // 10, 50) if report.quick else (MODEL, 1_000)
    stream = Stream(size, count)
    effect, rule = draw_effect(size), ScoreRule(Fraction(1), count, FRACTION_BITS)
    report.say(f"streaming {count} updates of {size} parameters twice")
    begun = time.process_time()
    screen, sums = Screen(size, 1 << 40, Memory()), Accumulator(size)
    opened = [
        RevealedContribution(seq, 1, Verdict.ACCEPTED, partial(stream.payload, seq)) for seq in range(stream.count)
    ]
    for judged in screen.judge(opened):
        assert judged.verdict is Verdict.ACCEPTED, judged
        assert judged.update is not None
        sums.add(judged.update, 1)
    assert sums.sum().size == size
    assert len(screen.remember().known) == count
    between = time.process_time()
    contributions = (Contributed(seq, read_update(payload, size), 1) for seq, payload in enumerate(stream.payloads()))
    scores = score_updates(contributions, effect, rule, None)
    ended = time.process_time()
    assert len(scores.values) == count
    made = stream.seconds / 2
    how = f"{count:,} updates of {size:,} parameters, one in memory at a time, made outside; seconds of a core, once"
    report.add("first pass: read, bound, refuse copies, add", SECONDS, between - begun - made, how=how)
    report.add("second pass: read and score", SECONDS, ended - between - made, how=how)


class Stream:
    """Payloads that are all different, made when asked for from one of a few; `seconds` counts the making."""

    def __init__(self, size: int, count: int) -> None:
        self._bases = [draw_update(seq, size) for seq in range(4)]
        self.count = count
        self.seconds = 0.0

    def payloads(self) -> Iterator[bytes]:
        """All of them, in order, the same each time."""
        return map(self.payload, range(self.count))

    def payload(self, seq: int) -> bytes:
        """One of them."""
        begun = time.process_time()
        base = self._bases[seq % len(self._bases)]
        base[0] = seq
        payload = write_update(base)
        self.seconds += time.process_time() - begun
        return payload


def draw_update(seq: int, size: int) -> Update:
    """An update of plausible size, another for each seq."""
    return np.random.default_rng(seq).integers(-3000, 3001, size, np.int16)


def draw_effect(size: int) -> Vector64:
    """A gradient of plausible size."""
    return np.random.default_rng(7).normal(0.0, 1e-3, size)


def add_all(payloads: list[bytes], weights: list[int], size: int) -> Accumulator:
    """The exact sum of payloads, read strictly one after the other."""
    sums = Accumulator(size)
    for payload, weight in zip(payloads, weights, strict=True):
        sums.add(read_update(payload, size), weight)
    return sums


def compute_mean(payloads: list[bytes], weights: list[int], size: int) -> Vector64:
    """Their mean, as the server's step takes it."""
    sums = add_all(payloads, weights, size)
    return np.divide(sums.sum().astype(np.float64), float(sums.weight) * float(2**FRACTION_BITS))
