"""Options that several commands take, and what they share when they start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from client.contact import Contact
    from client.home import Home
    from client.settings import ClientSettings

CoordinatorOption = Annotated[
    str | None,
    typer.Option("--coordinator", metavar="URL", help="Address of the coordinator, else TALLY_COORDINATOR."),
]
RpcOption = Annotated[
    str | None,
    typer.Option("--rpc", metavar="URL", help="Your own RPC provider of the chain, else TALLY_RPC."),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="File whose first line is the passphrase, else TALLY_PASSPHRASE_FILE, TALLY_PASSPHRASE, or you are asked.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def start() -> tuple[ClientSettings, Home]:
    """Settings from the environment, the folder they name, and logs on stderr."""
    from client.home import Home  # noqa: PLC0415 -- --help must not wait for these
    from client.logs import configure_logs  # noqa: PLC0415
    from client.settings import load_settings  # noqa: PLC0415
    from contracts.recursion import keep_recursion_limit  # noqa: PLC0415

    # Files and bundles come from others too, and a program that goes offline makes no client that would do it.
    keep_recursion_limit()
    settings = load_settings()
    configure_logs(settings.log_level)
    return settings, Home(settings.home)


def contact(coordinator: str | None, *, patient: bool = False, quiet: bool = False) -> tuple[ClientSettings, Contact]:
    """The settings and a pinned coordinator; a patient program waits for it without end."""
    from client.contact import choose_coordinator, make_contact  # noqa: PLC0415
    from client.transport import Patience  # noqa: PLC0415

    settings, home = start()
    patience = Patience(attempts=None) if patient else None
    return settings, make_contact(choose_coordinator(coordinator, settings), home, patience=patience, quiet=quiet)
