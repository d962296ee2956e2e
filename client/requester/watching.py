"""A job on the terminal as it runs: its rounds as a live table, who has committed and revealed, what it has spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from client.events import JobEvent
from client.output import create_console, show_text
from client.tokens import Unit
from ledger.wire import JobView, LogLine, RoundView

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN_ROUNDS = 12
ENDED = ("closed", "rejected")


class JobPicture:
    """What is known of a job; grows with every event. `unit` is that of the job's token."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.job: JobView | None = None
        self.rounds: dict[int, RoundView] = {}
        self.log: list[LogLine] = []

    def take(self, event: JobEvent) -> None:
        """Puts an event into the picture."""
        if isinstance(event, JobView):
            self.job = event
        elif isinstance(event, RoundView):
            self.rounds[event.round] = event
        else:
            self.log = [*self.log[-4:], event]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen: every round final, or the job ended otherwise."""
        if self.job is None or len(self.rounds) < self.job.rounds_sealed:
            return False
        done = self.job.state == "finished" and self.job.rounds_final == self.job.terms.rounds
        return done or self.job.state in ENDED

    def render(self) -> RenderableType:
        """The picture for Rich."""
        from rich.console import Group  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table("round", "state", "cohort", "committed", "revealed", "pot", "paid", "metrics")
        for number in sorted(self.rounds)[-SHOWN_ROUNDS:]:
            table.add_row(*(Text(show_text(cell)) for cell in _describe_round(self.rounds[number], self._unit)))
        parts: list[RenderableType] = [Text(show_text(self._head())), self._bar(), table]
        parts += [Text(show_text(line.text), style="dim") for line in self.log[-3:]]
        return Group(*parts)

    def _head(self) -> str:
        if self.job is None:
            return "waiting for the first word"
        spent = self._unit.write(self.job.spent)
        return f"{self.job.title}: {self.job.state}, {self.job.rounds_final} rounds final, {spent} spent"

    def _bar(self) -> RenderableType:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        bar = Progress(TextColumn("rounds"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        total = None if self.job is None else self.job.terms.rounds
        bar.add_task("rounds", total=total, completed=0 if self.job is None else self.job.rounds_sealed)
        return bar


def show_live(events: Iterable[JobEvent], unit: Unit) -> None:
    """Shows a job live until it is over."""
    from rich.live import Live  # noqa: PLC0415

    picture = JobPicture(unit)
    console = create_console()
    with Live(picture.render(), console=console, refresh_per_second=4) as live:
        for event in _until_over(events, picture):
            del event
            live.update(picture.render())
    if not console.is_terminal:
        # There Live leaves the last line open.
        console.print()


def list_events(events: Iterable[JobEvent]) -> Iterator[JobEvent]:
    """The same events one by one, until the job is over."""
    return _until_over(events, JobPicture(Unit(None)))


def _until_over(events: Iterable[JobEvent], picture: JobPicture) -> Iterator[JobEvent]:
    for event in events:
        picture.take(event)
        yield event
        if picture.is_over:
            return


def _describe_round(view: RoundView, unit: Unit) -> tuple[str, ...]:
    metrics = "" if not view.metrics else ", ".join(f"{name} {value:.3f}" for name, value in view.metrics.items())
    paid = "–" if view.total_reward is None else unit.shorten(view.total_reward)
    pot = "–" if view.pot is None else unit.shorten(view.pot)
    state = f"{view.state} (void: {view.void})" if view.void else view.state
    return (str(view.round), state, str(view.cohort), str(view.committed), str(view.revealed), pot, paid, metrics)
