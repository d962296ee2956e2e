"""What a person sees of an audit: progress on stderr while it runs, a table of the checks on stdout when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from client.auditor.checks import ALL_CHECKS, POPULATION_CHECKS
from client.auditor.report import CONTRADICTED, PASSED, Report
from client.output import create_console, show_text
from ledger.hexadecimal import to_address, to_hex
from ledger.verify.results import Outcome, Result

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "yellow"}
_LISTED = 20


class ProgressBar:
    """A `Watcher` that shows a bar on stderr."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=create_console(), transient=True)
        self._task: TaskID = self._progress.add_task("reading the chain", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, rounds: int) -> None:
        """The chain was read; so many rounds follow."""
        self._progress.update(self._task, description="rounds", total=rounds, completed=0)

    def step(self, number: int, doing: str) -> None:
        """Work on a round goes on."""
        self._progress.update(self._task, description=f"round {number}: {doing}")

    def finish(self, number: int) -> None:
        """A round is done."""
        self._progress.update(self._task, completed=number)


def print_report(report: Report) -> None:
    """The table of checks, what contradicts or is unknown, and one line that says what it comes to."""
    console = Console(highlight=False)
    console.print(
        f"job {to_hex(report.job)}\nchain {report.chain_id}, ledger {to_address(report.job_ledger)}, as of block "
        f"{report.block}, rounds {report.first} to {report.last}"
    )
    if report.chain:
        console.print(f"chain: {report.chain}")
    if report.pending:
        console.print(f"signed and not on chain yet: rounds {_list_numbers(report.pending)}", style="yellow")
    for name, said in report.said.items():
        console.print(Text(show_text(f"the coordinator says of itself: {name} {said}"), style="dim"))
    console.print(build_table(report))
    for result in _choose(report):
        console.print(Text(show_text(_describe(result)), style=_STYLES[result.outcome]))
    if report.dues:
        console.print(build_dues(report))
    code = report.exit_code
    style = {PASSED: "bold green", CONTRADICTED: "bold red"}.get(code, "bold yellow")
    console.print(Text(conclude(report), style=style))


def build_table(report: Report) -> Table:
    """One line a check, in the order of their numbers."""
    table = Table(title=None)
    table.add_column("#", justify="right")
    table.add_column("check", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    table.add_column("looked at", justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for check in ALL_CHECKS.values():
        outcome, results = report.summarise(check.id)
        required = report.is_required(check.id)
        answer = Text(outcome.value if required else "not asked", style=_STYLES[outcome] if required else "dim")
        items = sum(result.items for result in results)
        table.add_row(str(check.number), check.id, answer, str(items), Text(show_text(_note(outcome, results))))
    return table


def build_dues(report: Report) -> Table:
    """Who would have been paid what, where it differs, in base units."""
    table = Table(title="Paid otherwise than follows (base units)", title_justify="left")
    for name in ("round", "signed", "due", "earned, signed", "earned, due"):
        table.add_column(name, justify="right")
    table.add_column("node", no_wrap=True)
    table.add_column("by")
    for due in report.dues[:_LISTED]:
        amounts = (due.signed, due.due, due.earned_signed, due.earned_due)
        table.add_row(str(due.round), *map(str, amounts), to_address(due.node), due.basis)
    if len(report.dues) > _LISTED:
        table.caption = f"and {len(report.dues) - _LISTED} more: --json lists all"
    return table


def conclude(report: Report) -> str:
    """One sentence."""
    failed = sorted({result.check for result in report.find(Outcome.FAIL)})
    unknown = sorted({one.check for one in report.find(Outcome.UNKNOWN) if report.is_needed(one)})
    if report.exit_code == CONTRADICTED:
        where = "" if report.first_failing is None else f", first in round {report.first_failing}"
        return f"CONTRADICTION{where}: {', '.join(failed)}"
    if report.exit_code == PASSED:
        left = set(POPULATION_CHECKS) if report.roomy else set()
        required = sum(report.is_required(check) for check in ALL_CHECKS if check not in left)
        rest = "" if report.recomputed else "; the learning was not recomputed"
        rest += "" if report.chained else "; nothing was compared with the chain"
        rest += "; who was registered only the chain tells" if report.roomy and report.chained else ""
        rest += f"; rounds {_list_numbers(report.pending)} are not anchored yet" if report.pending else ""
        return f"all {required} required checks passed for rounds {report.first} to {report.last}{rest}"
    return f"NOT CHECKED: {', '.join(unknown)}"


def _list_numbers(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _note(outcome: Outcome, results: Sequence[Result]) -> str:
    """What to know at a glance: where it failed or is unknown, or the last round's remark."""
    if outcome is Outcome.PASS:
        return results[-1].detail
    rounds = sorted({result.round for result in results if result.round is not None})
    where = f"rounds {', '.join(map(str, rounds))}: " if rounds else ""
    return where + results[0].detail if results else "not answered"


def _choose(report: Report) -> Sequence[Result]:
    """Contradictions first, then what is unknown and required."""
    unknown = [result for result in report.find(Outcome.UNKNOWN) if report.is_needed(result)]
    return [*report.find(Outcome.FAIL), *unknown][:_LISTED]


def _describe(result: Result) -> str:
    places = [f"round {result.round}"] * (result.round is not None) + [f"seq {result.seq}"] * (result.seq is not None)
    where = f" ({', '.join(places)})" if places else ""
    operands = f": expected {result.expected}, got {result.got}" if result.expected is not None else ""
    operands = f": got {result.got}" if result.expected is None and result.got is not None else operands
    return f"{result.outcome.value} {result.check}{where}: {result.detail}{operands}"
