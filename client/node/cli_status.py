"""`tally node status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from client.options import CoordinatorOption, JsonOption, contact

if TYPE_CHECKING:
    from client.contact import Contact
    from client.node.records.archive import Archive
    from client.node.records.journal import Kept
    from client.tokens import Unit
    from ledger.wire import NodeView

NodeOption = Annotated[
    str | None,
    typer.Option("--node", metavar="ADDRESS", help="This node only; else every node that this TALLY_HOME has run."),
]

RECENT = 5


def status(coordinator: CoordinatorOption = None, node: NodeOption = None, as_json: JsonOption = False) -> None:
    """Show what your nodes are doing: registration, contributions, and rounds not seen on chain yet.

    Contributions come from this machine's journal, the registration from the coordinator. A running node looks for
    anchors while it waits for work; until it has seen one, the round is listed.
    """
    from client.node.operator.accounts import FEW_NODES, find_nodes  # noqa: PLC0415
    from client.output import print_json  # noqa: PLC0415
    from client.tokens import TokenBook  # noqa: PLC0415

    settings, found = contact(coordinator, quiet=as_json)
    nodes = find_nodes(found.home, node)
    reports = _report(found, nodes)
    if as_json:
        print_json(reports)
    elif not reports:
        typer.echo("There is no node here yet: `tally node run` makes one.")
    elif len(reports) > FEW_NODES:
        _print_table(reports)
    else:
        unit = TokenBook(found, settings.rpc).find_unit(found.pin.token)
        for report in reports:
            _print_node(report, unit)


def _report(found: Contact, nodes: list[bytes]) -> list[dict[str, Any]]:
    from client import calls  # noqa: PLC0415
    from client.node.records.archive import Archive  # noqa: PLC0415
    from client.node.records.database import Database  # noqa: PLC0415
    from client.node.records.journal import Journal  # noqa: PLC0415

    views = {view.node: view for view in found.api.fetch(calls.nodes())}
    database = Database(found.home.journal)
    journal, archive = Journal(database), Archive(database)
    try:
        return [_describe(views.get(node), node, journal.find_all(node), archive) for node in nodes]
    finally:
        database.close()


def _print_node(report: dict[str, Any], unit: Unit) -> None:
    from client.output import print_pairs, print_table  # noqa: PLC0415

    pairs = {name: str(report[name]) for name in ("node", "state", "operator", "payout")}
    waiting = [f"round {', '.join(map(str, rounds))} of {job[:10]}…" for job, rounds in report["unanchored"].items()]
    pairs["at stake"] = unit.write(int(report["stake"]))
    print_pairs({**pairs, "last seen": report["lastSeenAt"], "anchor not seen": "; ".join(waiting) or "of no round"})
    rows = [[str(value) for value in row.values()] for row in report["recent"]]
    if rows:
        print_table(f"last {len(rows)} of {report['contributions']} contributions", list(report["recent"][0]), rows)


def _print_table(reports: list[dict[str, Any]]) -> None:
    from client.output import print_table  # noqa: PLC0415

    rows = []
    for report in reports:
        last = report["recent"][-1] if report["recent"] else {"round": "–", "state": "–"}
        waiting = sum(map(len, report["unanchored"].values()))
        rows.append(
            [
                report["node"],
                report["state"],
                str(report["contributions"]),
                str(last["round"]),
                last["state"],
                str(waiting),
            ]
        )
    print_table("Nodes", ["node", "state", "contributions", "last round", "it is", "anchor not seen"], rows)


def _describe(view: NodeView | None, node: bytes, kept: list[Kept], archive: Archive) -> dict[str, Any]:
    from client.output import format_time  # noqa: PLC0415
    from ledger.hexadecimal import to_address, to_hex  # noqa: PLC0415

    report: dict[str, Any] = {"node": to_address(node), "state": "not registered", "operator": "–", "payout": "–"}
    report["lastSeenAt"], report["stake"] = "never", "0"
    if view is not None:
        report["state"] = view.state + (f" ({view.detail})" if view.detail else "")
        report["stake"] = str(view.stake)
        report["operator"], report["payout"] = to_address(view.operator), to_address(view.payout)
        report["lastSeenAt"] = "never" if view.last_seen_at is None else format_time(view.last_seen_at)
    report["contributions"] = len(kept)
    unanchored = {job: archive.list_unanchored(node, job) for job in dict.fromkeys(row.job for row in kept)}
    report["unanchored"] = {to_hex(job): rounds for job, rounds in unanchored.items() if rounds}
    report["recent"] = [
        {"job": to_hex(row.job), "round": row.round, "state": row.state, "detail": row.detail} for row in kept[-RECENT:]
    ]
    return report
