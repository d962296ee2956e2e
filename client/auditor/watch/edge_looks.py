"""What a watchtower could not foresee: logged with its traceback, counted, told, and the watch goes on.

A program that watches several jobs for others must not end because one of them shows what nobody thought of: whoever
wants no watch would only have to find that once. What could not be checked is unknown, never true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from client.auditor.watch.place import WatchedRound
from client.auditor.watch.telling import Teller
from contracts.abi import MalformedAnswer
from contracts.errors import ChainMoved, ChainUnreachable, ProviderRefused
from ledger.hexadecimal import to_hex

INTERNAL: Final = "could not be checked (internal error)"
INTERNAL_LEARNING: Final = "could not be recomputed (internal error)"
"""Both stand among what is unknown of a round, in place of the checks that could not be made."""

EVENT: Final = "internal_error"
CHAIN_ERRORS: Final = (ChainMoved, ChainUnreachable, MalformedAnswer, ProviderRefused)
"""Of the provider, not of a job: they end a look at all jobs, and the next begins where this one did."""


class Mishaps:
    """Stands between one job and the errors that looking at it raises.

    Args:
        job: its id.
        teller: is told of each error once, and counts them all.
    """

    def __init__(self, job: bytes, teller: Teller) -> None:
        self._job, self._teller = job, teller
        self._known: set[tuple[int, str]] = set()

    def survives(self, step: Callable[[], object], number: int = 0) -> bool:
        """Whether the step came to its end; `number` is the round it is about, 0 for the whole job.

        Raises:
            ChainMoved, ChainUnreachable, MalformedAnswer, ProviderRefused: the chain could not be read.
        """
        try:
            step()
        except CHAIN_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001 -- the edge of a program: one job's error is not the next one's
            self._note(error, number)
            return False
        return True

    def _note(self, error: Exception, number: int) -> None:
        name = type(error).__name__
        if (number, name) in self._known:
            self._teller.counts[EVENT, ""] += 1
            return
        self._known.add((number, name))
        structlog.get_logger().error("look_failed", job=to_hex(self._job), round=number, exc_info=error)
        what = f"round {number}" if number else "the job"
        sentence = f"{what}: unknown: {INTERNAL}: {name}; stderr has its traceback, please report it"
        self._teller.tell(self._job, EVENT, sentence, round=number, error=name)


def reopen(rounds: Mapping[int, WatchedRound]) -> None:
    """A program that begins anew may be a better one: what the last could not recompute, and all after, once more."""
    first = min((number for number, known in rounds.items() if INTERNAL_LEARNING in known.unknown), default=None)
    for number, known in rounds.items():
        if first is not None and number >= first:
            known.recomputed = False
            known.unknown = [check for check in known.unknown if check != INTERNAL_LEARNING]
