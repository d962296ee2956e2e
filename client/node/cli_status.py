"""`tally node status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.options import CoordinatorOption, JsonOption, contact

if TYPE_CHECKING:
    from client.contact import Contact
    from client.node.journal import Kept

NodeOption = Annotated[
    str | None,
    typer.Option("--node", metavar="ADDRESS", help="This node only; else every node that this TALLY_HOME has run."),
]

RECENT = 5


def status(coordinator: CoordinatorOption = None, node: NodeOption = None, as_json: JsonOption = False) -> None:
    """Show what your nodes are doing: registration, contributions, receipts, and rounds not yet on chain.

    Contributions come from this machine's journal, the registration from the coordinator.
    """
    from client.node.accounts import find_nodes  # noqa: PLC0415
    from client.node.archive import Archive  # noqa: PLC0415
    from client.node.database import Database  # noqa: PLC0415
    from client.node.journal import Journal  # noqa: PLC0415
    from client.output import print_json, print_pairs, print_table  # noqa: PLC0415

    _, found = contact(coordinator, quiet=as_json)
    database = Database(found.home.journal)
    journal, archive = Journal(database), Archive(database)
    reports = []
    for address in find_nodes(found.home, node):
        kept = journal.find_all(address)
        jobs = dict.fromkeys(row.job for row in kept)
        unanchored = {job: archive.list_unanchored(address, job) for job in jobs}
        reports.append(_describe(found, address, kept, unanchored))
    database.close()
    if as_json:
        print_json(reports)
        return
    if not reports:
        typer.echo("There is no node here yet: `tally node run` makes one.")
    for report in reports:
        print_pairs({name: str(report[name]) for name in ("node", "state", "operator", "payout", "lastSeenAt")})
        rows = [[str(value) for value in row.values()] for row in report["recent"]]
        if rows:
            print_table(f"last {len(rows)} of {report['contributions']} contributions", list(report["recent"][0]), rows)


def _describe(found: Contact, node: bytes, kept: list[Kept], unanchored: dict[bytes, list[int]]) -> dict[str, Any]:
    from client import calls  # noqa: PLC0415
    from client.errors import CoordinatorRefused  # noqa: PLC0415
    from client.output import format_time  # noqa: PLC0415
    from ledger.hexadecimal import to_address, to_hex  # noqa: PLC0415

    report: dict[str, Any] = {"node": to_address(node), "state": "not registered", "operator": "–", "payout": "–"}
    report["lastSeenAt"] = "never"
    try:
        view = found.api.fetch(calls.node(node))
    except CoordinatorRefused as error:
        if error.status != 404:
            raise
    else:
        detail = f" ({view.detail})" if view.detail else ""
        report |= {
            "state": view.state + detail,
            "operator": to_address(view.operator),
            "payout": to_address(view.payout),
        }
        report["lastSeenAt"] = "never" if view.last_seen_at is None else format_time(view.last_seen_at)
    report["contributions"] = len(kept)
    report["unanchored"] = {to_hex(job): rounds for job, rounds in unanchored.items() if rounds}
    report["recent"] = [
        {"job": to_hex(row.job), "round": row.round, "state": row.state, "detail": row.detail} for row in kept[-RECENT:]
    ]
    return report
