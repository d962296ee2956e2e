"""`tally model`: take trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from client.options import CoordinatorOption, JsonOption, contact

app = typer.Typer(help="Download trained models.", no_args_is_help=True, add_completion=False)


@app.callback()
def model() -> None:
    """Download trained models."""


@app.command()
def download(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A job's id, or the model's SHA-256, 0x….")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it.")] = Path(
        "model.safetensors"
    ),
    coordinator: CoordinatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download a model, or a job's newest one, and check that a header signed by the coordinator names it.

    The model card, where there is one, is written beside it.
    """
    from client.output import print_json  # noqa: PLC0415
    from client.requester.models import fetch_model  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex  # noqa: PLC0415

    _, found = contact(coordinator, quiet=as_json)
    taken = fetch_model(found, parse_hex(name, 32, "MODEL"), out)
    if as_json:
        print_json(taken.to_json())
        return
    typer.echo(f"{taken.path}: {taken.size_bytes} bytes, {taken.origin}")
