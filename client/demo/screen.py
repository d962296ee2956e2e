"""What the demo shows: bars while it works, tables when it is done. It draws and decides nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from client.demo.pretence import Pretence, shorten
from ledger.wire import RoundView

SHOWN_AT_EACH_END = 6
SHOWN_DECIMALS = 4
_METRICS = (("hitRate10", "HR@10"), ("ndcg10", "NDCG@10"))


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One line of the table of nodes; amounts in token base units, `credit` in 2⁻⁴⁰ nats."""

    name: str
    node: bytes
    samples: int
    compute_seconds: float
    credit: int
    earned: int
    claimed: int
    balance: int


@dataclass
class Screen:
    """One console; keeps how long each step took. Amounts are in base units until the token's decimals are known."""

    console: Console
    token_decimals: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Step]:
        """A bar (or a spinner) with its elapsed time while the step runs."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            yield Step(progress, progress.add_task(title, total=total, note=""))
        self.seconds[title] = self.seconds.get(title, 0.0) + time.monotonic() - started

    def say(self, text: str) -> None:
        """A line of plain text."""
        self.console.print(text, highlight=False)

    def show_rounds(self, rounds: Sequence[RoundView]) -> None:
        """One line a round: participation, the model on the hold-out, and money."""
        table = Table(title="Rounds", title_justify="left")
        for column in (
            "round",
            "committed",
            "accepted",
            *(title for _, title in _METRICS),
            "fall in loss",
            "paid",
            "state",
        ):
            table.add_column(column, justify="left" if column == "state" else "right")
        for view in rounds:
            metrics = view.metrics or {}
            table.add_row(
                str(view.round),
                str(view.committed),
                "–" if view.accepted is None else str(view.accepted),
                *(f"{metrics[key]:.3f}" if key in metrics else "–" for key, _ in _METRICS),
                "–" if view.total_score is None else f"{view.total_score / 2**40:.4f}",
                self.amount(view.total_reward or 0),
                view.state,
            )
        self.console.print(table)

    def show_nodes(self, rows: Sequence[NodeRow]) -> None:
        """The nodes by what they earned, the middle folded."""
        table = Table(title=f"Nodes ({len(rows)})", title_justify="left")
        for column in ("node", "address", "samples", "compute s", "credit", "earned", "claimed", "balance on chain"):
            table.add_column(column, justify="left" if column in ("node", "address") else "right")
        ordered = sorted(rows, key=lambda row: (-row.earned, row.name))
        folded = len(ordered) > 2 * SHOWN_AT_EACH_END + 1
        for position, row in enumerate(ordered):
            if folded and SHOWN_AT_EACH_END <= position < len(ordered) - SHOWN_AT_EACH_END:
                if position == SHOWN_AT_EACH_END:
                    table.add_row(f"… {len(ordered) - 2 * SHOWN_AT_EACH_END} more", *[""] * 7)
                continue
            table.add_row(
                row.name,
                shorten(row.node),
                str(row.samples),
                f"{row.compute_seconds:.2f}",
                f"{row.credit / 2**40:+.5f}",
                *(self.amount(value) for value in (row.earned, row.claimed, row.balance)),
            )
        self.console.print(table)

    def show_pretences(self, pretences: Sequence[Pretence], honest: Sequence[NodeRow]) -> None:
        """The dishonest nodes, beside what honest ones earned on average."""
        table = Table(title="Dishonest nodes", title_justify="left")
        for column in ("node", "what it did, and what became of it", "score", "earned"):
            table.add_column(column, justify="right" if column in ("score", "earned") else "left")
        for one in pretences:
            table.add_row(one.name, "\n".join(one.told), f"{one.score / 2**40:.5f}", self.amount(one.earned))
        nodes = max(1, len(honest))
        credit, earned = sum(row.credit for row in honest) / nodes, sum(row.earned for row in honest) // nodes
        table.add_section()
        mean = ("honest", f"trained: {len(honest)} nodes, on average")
        table.add_row(*mean, f"{credit / 2**40:.5f}", self.amount(earned))
        self.console.print(table)

    def show_checks(self, checks: Sequence[Mapping[str, object]]) -> None:
        """The audit's checks: id, outcome, how often it was made, what it means."""
        table = Table(title="Independent audit", title_justify="left")
        for column in ("check", "outcome", "meaning"):
            table.add_column(column)
        for check in checks:
            outcome = str(check["outcome"])
            style = {"pass": "green", "fail": "bold red"}.get(outcome, "yellow")
            table.add_row(str(check["id"]), f"[{style}]{outcome}[/]", str(check["meaning"]))
        self.console.print(table)

    def show_recommendations(self, watched: Sequence[str], before: Sequence[str], after: Sequence[str]) -> None:
        """Ten titles for one viewer, by the initial and by the final model."""
        self.say(f"One hold-out viewer last watched: {'; '.join(watched)}")
        table = Table(title="Recommended next", title_justify="left")
        for column in ("", "initial model", "final model"):
            table.add_column(column)
        for rank, (first, last) in enumerate(zip(before, after, strict=True), start=1):
            table.add_row(str(rank), first, last)
        self.console.print(table)

    def show_times(self) -> None:
        """Where the time went."""
        table = Table(title="Where the time went", title_justify="left")
        table.add_column("step")
        table.add_column("seconds", justify="right")
        for title, seconds in self.seconds.items():
            table.add_row(title, f"{seconds:.1f}")
        table.add_row("in all", f"{sum(self.seconds.values()):.1f}", style="bold")
        self.console.print(table)

    def amount(self, base_units: int) -> str:
        """Tokens with at most four decimals, rounded down; exact amounts are compared elsewhere, never these."""
        shown = min(SHOWN_DECIMALS, self.token_decimals)
        whole, rest = divmod(base_units // 10 ** (self.token_decimals - shown), 10**shown)
        return f"{whole}.{rest:0{shown}d}" if shown else str(whole)


@dataclass(frozen=True)
class Step:
    """A running step's bar."""

    progress: Progress
    task: TaskID

    def advance_to(self, completed: int, total: int | None = None, note: str = "") -> None:
        """Moves the bar and says what is happening."""
        self.progress.update(self.task, completed=completed, total=total, note=note)
