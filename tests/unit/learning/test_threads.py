"""Two runs on the same inputs, with one and with two threads, give the same model bytes, and the same scores."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_rounds(root: Path, threads: int) -> list[dict[str, Any]]:
    """A process of its own: the libraries below numpy and torch read their number of threads once, as they start."""
    environment = {**os.environ, **dict.fromkeys(LIBRARIES, str(threads))}
    command = [sys.executable, "-m", "tests.unit.learning.rounds_by_threads", str(threads)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def test_recommenders_rounds_are_the_same_bytes_with_one_and_with_two_threads(repository: Path) -> None:
    one, two = run_rounds(repository, 1), run_rounds(repository, 2)
    assert one == two
    assert one[0]["model"] != one[1]["model"]
    assert all(any(line["scores"]) for line in one if line["void"] is None)
