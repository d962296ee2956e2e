"""Offline audits of bundles: how long one of ten thousand contributions takes, and that its memory does not grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.environments import ROOT
from bench.figures import BYTES, PER_SECOND, at_most
from bench.report import Report


def run(report: Report) -> None:
    """One round in a bundle, then three like it in another: the memory of the second is that of the first."""
    count = 200 if report.quick else 10_000
    figures = {}
    with TemporaryDirectory(prefix="tally-bench-") as folder:
        for rounds in (1, 3):
            path = str(Path(folder) / f"{rounds}.zip")
            report.say(f"playing {rounds} rounds of {count} contributions into a bundle")
            block_hash = _run("play", path, str(count), str(rounds))
            report.say(f"verifying {rounds} x {count} contributions offline")
            seconds, most = map(float, _run("verify", path, block_hash).split())
            figures[rounds] = (rounds * count / seconds, most, Path(path).stat().st_size)
    rate, grown, size = figures[1]
    how = f"rounds of {count:,}, everything but the learning, chain proven, every node has claimed; once"
    report.add("contributions verified offline from a bundle", PER_SECOND, rate, how=f"{how}; seconds of a core")
    report.add(f"bundle of {count:,} contributions", BYTES, size, how="stored, without payloads")
    report.add("memory of verifying a bundle of 1 round", BYTES, grown, how=how)
    report.add(
        "memory of verifying a bundle of 3 rounds", BYTES, figures[3][1], bar=at_most(1.25 * grown), how=how,
        bound="a round's statements at a time, and what each node carries on",
    )  # fmt: skip


def _run(*words: str) -> str:
    command = [sys.executable, "-m", "bench.bundle_process", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True, timeout=900)
    return done.stdout.strip()
