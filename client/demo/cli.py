"""`tally demo`: the main job on this machine, end to end, on real data."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(invoke_without_command=True)


@app.callback()
def demo(
    *,
    nodes: Annotated[int, typer.Option(min=20, max=400, help="How many nodes in all; two are dishonest.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, max=60, help="How many rounds.")] = 8,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with ml-100k.inter and ml-100k.item, for people offline."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses which viewers train, validate and are held out.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep everything here (must be empty), instead of a temporary folder."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Run the main job: a chain, a platform, a coordinator, 200 nodes, rounds, claims and an audit; about 3 minutes.

    Everything is real and on loopback: an anvil dev chain with the contracts, a small video platform that serves
    MovieLens-100K histories, the coordinator, eight node processes, one that sends zeros, one that copies the updates
    of others, and a fleet process with all further nodes. Exits 0 only if balances on chain equal the tallies to the
    base unit, the two dishonest nodes earned exactly 0, the honest ones were paid, and the audit passed.
    """
    from rich.console import Console  # noqa: PLC0415 -- --help must not wait for these

    from client.demo.processes import Stage  # noqa: PLC0415
    from client.demo.screen import Screen  # noqa: PLC0415
    from client.demo.story import Plan, Story, show_ways_on  # noqa: PLC0415
    from client.settings import find_home  # noqa: PLC0415

    # Whoever ends us with SIGTERM ends the demo's programs too.
    signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(Console())
    with _open_folder(folder) as place, Stage(place / "logs") as stage:
        plan = Plan(nodes, rounds, seed, place, find_home() / "cache", data)
        services = Story(plan, stage, screen).tell()
        if keep:
            show_ways_on(screen, services)
            _wait_for_interrupt()


class FolderNotEmpty(Exception):
    """The folder for the demo holds something already."""

    exit_code = 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is not empty: name a new folder with --folder, or leave it out")


@contextmanager
def _open_folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="tally-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FolderNotEmpty(folder)
    yield folder.resolve()


def _wait_for_interrupt() -> None:
    import threading  # noqa: PLC0415

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
