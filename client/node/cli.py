"""`tally node`: set up, run and look after nodes."""

from __future__ import annotations

from collections.abc import Callable

import typer

from client.node.cli_money import claim, earnings, explain
from client.node.cli_operating import payout, rotate
from client.node.cli_receipts import receipts
from client.node.cli_run import fleet, run
from client.node.cli_setup import backup, init, join
from client.node.cli_stake import stake, unstake, withdraw_stake
from client.node.cli_status import status

_COMMANDS: tuple[Callable[..., None], ...] = (
    *(run, fleet, init, join, status, earnings, claim, explain),
    *(payout, stake, unstake, withdraw_stake, rotate, receipts, backup),
)

app = typer.Typer(
    help="Train on this machine and be paid for it. `tally node run --coordinator URL` does what is missing by itself.",
    no_args_is_help=True,
    add_completion=False,
)
for command in _COMMANDS:
    app.command()(command)
