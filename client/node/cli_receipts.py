"""`tally node receipts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from client.options import JsonOption, start

NodeOption = Annotated[
    str | None,
    typer.Option("--node", metavar="ADDRESS", help="This node only; else every node that this TALLY_HOME has run."),
]


def receipts(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    job: Annotated[str | None, typer.Option("--job", metavar="JOB", help="This job only; else all of them.")] = None,
    node: NodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what coordinators signed to your nodes, for an auditor: `tally audit watch --receipts FILE`.

    With a receipt anyone can prove that a contribution was left out. The file holds no secret.
    """
    from client.errors import UsageRefused  # noqa: PLC0415 -- --help must not wait for these
    from client.home import save_durably  # noqa: PLC0415
    from client.node.operator.accounts import find_nodes  # noqa: PLC0415
    from client.node.records.archive import Archive  # noqa: PLC0415
    from client.node.records.database import Database  # noqa: PLC0415
    from client.node.records.journal import Journal  # noqa: PLC0415
    from client.node.records.promised import collect_promises  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415
    from ledger.errors import Malformed  # noqa: PLC0415
    from ledger.hexadecimal import parse_hex  # noqa: PLC0415

    _, home = start()
    try:
        wanted = None if job is None else parse_hex(job.lower(), 32, "--job")
    except Malformed as error:
        raise UsageRefused(str(error)) from None
    if file.exists():
        raise UsageRefused(f"{file} exists already: choose another name")
    database = Database(home.journal)
    try:
        found = collect_promises(Journal(database), Archive(database), find_nodes(home, node), wanted)
    finally:
        database.close()
    save_durably(file, json.dumps(found, indent=1).encode() + b"\n")
    counts = {name: len(items) for name, items in found.items()}
    if as_json:
        print_json({"file": str(file), **counts})
        return
    typer.echo(f"{file}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
