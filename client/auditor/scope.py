"""What an audit is asked for, and who is told how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from client.errors import UsageRefused


@dataclass(frozen=True, slots=True)
class Scope:
    """What is audited: rounds `first` to `last` (None: the last one there is), with or without recomputation.

    `chain` says whether what only the chain answers is required.
    """

    first: int = 1
    last: int | None = None
    recompute: bool = True
    threads: int = 1
    chain: bool = True


class Watcher(Protocol):
    """Is told how far an audit is."""

    def begin(self, rounds: int) -> None:
        """The chain was read; so many rounds follow."""

    def step(self, number: int, doing: str) -> None:
        """Work on a round goes on."""

    def finish(self, number: int) -> None:
        """A round is done."""


class Silence:
    """Tells nobody."""

    def begin(self, rounds: int) -> None:
        """Says nothing."""

    def step(self, number: int, doing: str) -> None:
        """Says nothing."""

    def finish(self, number: int) -> None:
        """Says nothing."""


class NoSuchRound(UsageRefused):
    """Rounds were asked for that are neither on chain nor signed."""

    def __init__(self, first: int, last: int, most: int) -> None:
        self.first, self.last, self.most = first, last, most
        super().__init__(f"expected rounds from 1 to {most}, which are on chain or signed, got {first} to {last}")
