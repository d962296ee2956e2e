"""`tally`: the programs people run. A group of commands is imported only when one of them is called."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from client.edge import report
from client.lazy import LazyGroup

PROGRAMS = {
    "node": ("client.node.cli", "Train on this machine and be paid for it."),
    "job": ("client.requester.cli", "Put up a budget and get a trained model."),
    "model": ("client.requester.model_cli", "Download trained models."),
    "audit": ("client.auditor.cli", "Verify rounds, payments and models without trusting anyone."),
    "demo": ("client.demo.cli", "Run the main job on this machine, end to end, on real data."),
}


class _Programs(LazyGroup):
    modules = PROGRAMS


app = typer.Typer(
    cls=_Programs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from client import read_version  # noqa: PLC0415 -- package metadata is slow to read

        typer.echo(f"tally {read_version()}")
        raise typer.Exit


@app.callback()
def tally(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Federated learning whose every payment can be checked."""
    del version


def main() -> None:
    """Runs one command; every known error becomes one sentence and an exit code."""
    try:
        app(prog_name="tally")
    except Exception as error:  # noqa: BLE001 -- the program's edge: nothing may reach a person as a traceback
        sys.exit(report(error, as_json="--json" in sys.argv))


if __name__ == "__main__":
    main()
