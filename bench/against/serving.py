"""Runs in a peer's environment: answers calls by JSON lines, the other half of `bench.environments.PeerProcess`.

Only the standard library: this file and the script beside it are all of ours that a peer's interpreter sees.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


def serve(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer calls until standard input ends. What a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"value": functions[name](**arguments)}
        except Exception as error:  # noqa: BLE001 -- the other side says it; this process lives on
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def seconds_each(function: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds a call, the mean of `times` in a row, as `bench.measure.clocked` takes ours."""
    begun = clock()
    for _ in range(times):
        function()
    return (clock() - begun) / times
