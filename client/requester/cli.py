"""`tally job`: create, follow and end jobs."""

from __future__ import annotations

import typer

from client.requester.cli_create import create
from client.requester.cli_end import close
from client.requester.cli_nodes import nodes
from client.requester.cli_show import list_jobs, show, watch

app = typer.Typer(help="Put up a budget and get a trained model.", no_args_is_help=True, add_completion=False)
app.command()(create)
app.command("list")(list_jobs)
for command in (show, watch, nodes, close):
    app.command()(command)
