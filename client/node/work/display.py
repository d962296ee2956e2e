"""Live progress of a node or a fleet on the terminal: who is where in the round, which round, for how long."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

import structlog

if TYPE_CHECKING:
    from rich.console import RenderableType

Phase = Literal["joining", "waiting", "pulling", "training", "committed", "revealing", "revealed", "paused"]

_WORDS: dict[Phase, str] = {
    "joining": "joins the network",
    "waiting": "waits for work",
    "pulling": "pulls new samples",
    "training": "trains on its own data",
    "committed": "has its receipt, waits for the closing",
    "revealing": "sends its payload",
    "revealed": "is done with the round, waits for the next",
    "paused": "is paused",
}


class Display(Protocol):
    """Is told where each node is."""

    def show(self, node: bytes, phase: Phase, *, job: bytes = b"", round_number: int = 0, note: str = "") -> None:
        """A node has entered a phase."""


class Summary:
    """Keeps where every node is, and logs when the last one of many has reached the end of a phase."""

    def __init__(self, nodes: int, now: Callable[[], float] = time.monotonic) -> None:
        self.nodes = nodes
        self.round = 0
        self.note = ""
        self.since = now()
        self._now = now
        self._phases: dict[bytes, Phase] = {}

    def show(self, node: bytes, phase: Phase, *, job: bytes = b"", round_number: int = 0, note: str = "") -> None:
        """Counts the node in its phase."""
        self._phases[node] = phase
        self.note = note
        if round_number > self.round:
            self.round, self.since = round_number, self._now()
        if self.nodes > 1 and phase in ("committed", "revealed") and self.count(phase) == self.nodes:
            elapsed = round(self._now() - self.since, 2)
            structlog.get_logger().info(
                f"fleet_{phase}", job=f"0x{job.hex()}", round=round_number, nodes=self.nodes, elapsed_seconds=elapsed
            )

    def count(self, phase: Phase) -> int:
        """How many nodes are in a phase."""
        return Counter(self._phases.values())[phase]

    @property
    def elapsed_seconds(self) -> float:
        """Time since the newest round was first heard of."""
        return self._now() - self.since

    def describe(self) -> list[tuple[str, int]]:
        """The phases that nodes are in, in the order of a round, each with its number of nodes."""
        return [(words, self.count(phase)) for phase, words in _WORDS.items() if self.count(phase)]


class LiveDisplay:
    """The summary as a live Rich display on stderr; log lines appear above it."""

    def __init__(self, nodes: int) -> None:
        from rich.live import Live  # noqa: PLC0415 -- only where something is shown

        from client.output import create_console  # noqa: PLC0415

        self.summary = Summary(nodes)
        self._live = Live(get_renderable=self._render, console=create_console(), refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, node: bytes, phase: Phase, *, job: bytes = b"", round_number: int = 0, note: str = "") -> None:
        """Counts the node; the next refresh shows it."""
        self.summary.show(node, phase, job=job, round_number=round_number, note=note)

    def _render(self) -> RenderableType:
        from rich.markup import escape  # noqa: PLC0415
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        bars = Progress(TextColumn("{task.description:<44}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        head = (
            f"round {self.summary.round}, {self.summary.elapsed_seconds:.0f} s"
            if self.summary.round
            else "no round yet"
        )
        bars.add_task(
            f"[bold]{head}[/] {escape(self.summary.note)}",
            total=self.summary.nodes,
            completed=self.summary.count("revealed"),
        )
        for words, count in self.summary.describe():
            bars.add_task(words, total=self.summary.nodes, completed=count)
        return bars
