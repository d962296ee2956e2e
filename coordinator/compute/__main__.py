"""The compute child itself: answers one question after the other until its standard input ends."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from typing import Any

from ledger.errors import Malformed


def main() -> None:
    """Answer questions from standard input on standard output; whatever else is printed goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; our parent decides when we end
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer = _load(int(sys.argv[1]))
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)  # noqa: S301  our own parent's question
            pickle.dump(_try(answer, question), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            os._exit(0)  # our parent has ended, perhaps in the middle of a question; nobody reads what we would say


def _load(threads: int) -> Any:
    import torch  # noqa: PLC0415  slow: only here

    from coordinator.compute.work import answer  # noqa: PLC0415  after torch, which it needs

    if threads:
        torch.set_num_threads(threads)
    return answer


def _try(answer: Any, question: object) -> tuple[str, object]:
    try:
        return "done", answer(question)
    except Malformed as error:
        return "malformed", error
    except Exception:  # noqa: BLE001  the edge of this process: its parent logs the traceback
        return "failed", traceback.format_exc()


if __name__ == "__main__":
    main()
